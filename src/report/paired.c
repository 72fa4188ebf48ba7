/* paired: comparison of two runs on the same images, read from their metrics.csv.
 *
 * The rows of an image (one per class) are averaged. Images are matched by name, and equal names by their order. Images
 * in only one of the files are ignored. */
#include "src/report/csv.h"
#include "src/report/metrics.h"
#include "src/report/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 1 << 30, MAX_COLUMNS = 64, IGNORED = -1, LABELLED = -2 };

struct image {
    const char *name; /* points into table.data */
    size_t place;     /* position in the file */
    int64_t last_class, classes;
    bool non_empty;
    struct paced_metrics metrics;
};

struct table {
    const char *path;
    char *data;
    int columns[MAX_COLUMNS]; /* columns from the third on: enum paced_metric, IGNORED or LABELLED */
    int column_count;
    uint64_t measured;
    struct image *images;
    size_t count, capacity;
};

/* ---- reading ------------------------------------------------------------------------------------------------- */

static int column_of(const char *name) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (strcmp(paced_metric_name((enum paced_metric)m), name) == 0) return m;
    return strcmp(name, "labelled") == 0 ? LABELLED : IGNORED;
}

static enum paced_err take_header(struct table *t, char *row) {
    const char *image = paced_csv_take_field(&row), *class_index = paced_csv_take_field(&row);
    bool labelled = false;
    for (const char *name; t->column_count < MAX_COLUMNS && (name = paced_csv_take_field(&row));) {
        int column = column_of(name);
        t->columns[t->column_count++] = column;
        if (column >= 0) t->measured |= METRIC_BIT(column);
        labelled |= column == LABELLED;
    }
    if (labelled && strcmp(image, "image") == 0 && class_index && strcmp(class_index, "class") == 0) return PACED_OK;
    return paced_error(PACED_INVALID, "%s:1: the header is not that of metrics per image and class; run the test again",
                       t->path);
}

static struct image *image_of_row(struct table *t, const char *name, int64_t class_index) {
    struct image *last = t->count > 0 ? &t->images[t->count - 1] : NULL;
    if (last && class_index > last->last_class && strcmp(last->name, name) == 0) return last;
    if (t->count == t->capacity) {
        t->capacity = t->capacity > 0 ? 2 * t->capacity : 64;
        t->images = paced_grow(t->images, t->capacity, sizeof *t->images);
    }
    t->images[t->count] = (struct image){.name = name, .place = t->count};
    return &t->images[t->count++];
}

/* Adds the row to the sums of its image; false if the row is malformed. */
static bool take_row(struct table *t, char *row) {
    const char *name = paced_csv_take_field(&row), *text = paced_csv_take_field(&row);
    int64_t class_index;
    if (!text || !paced_parse_int(text, &class_index) || class_index < 1) return false;
    struct image *image = image_of_row(t, name, class_index);
    image->last_class = class_index;
    ++image->classes;
    for (int i = 0; i < t->column_count; ++i) {
        double value = NAN;
        text = paced_csv_take_field(&row);
        if (!text || (*text && !paced_parse_real(text, &value))) return false;
        if (t->columns[i] >= 0) *metric_field(&image->metrics, (enum paced_metric)t->columns[i]) += value;
        if (t->columns[i] == LABELLED) image->non_empty |= value > 0;
    }
    return !row;
}

static int compare_images(const void *a, const void *b) {
    const struct image *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static enum paced_err read_table(struct table *t, const char *path) {
    *t = (struct table){.path = path};
    PACED_TRY(paced_file_read_text(path, LARGEST_FILE, &t->data));
    char *rest = t->data, *row = paced_csv_take_row(&rest);
    PACED_TRY(take_header(t, row ? row : t->data));
    for (size_t number = 2; (row = paced_csv_take_row(&rest)); ++number)
        if (!take_row(t, row))
            return paced_error_at(PACED_INVALID, path,
                                  "row %zu is not a row of metrics per image and class; run the test again", number);
    for (size_t i = 0; i < t->count; ++i)
        for (int m = 0; m < PACED_METRICS; ++m)
            *metric_field(&t->images[i].metrics, (enum paced_metric)m) /= (double)t->images[i].classes;
    if (t->count > 1) qsort(t->images, t->count, sizeof *t->images, compare_images);
    return PACED_OK;
}

static void finish_table(struct table *t) {
    free(t->images);
    free(t->data);
}

/* ---- comparing ----------------------------------------------------------------------------------------------- */

/* Differences, second minus first, of the images in both tables; returns the number of images. */
static size_t match(const struct table *first, const struct table *second, bool non_empty,
                    struct paced_metrics *differences) {
    size_t i = 0, j = 0, count = 0;
    while (i < first->count && j < second->count) {
        const struct image *a = &first->images[i], *b = &second->images[j];
        int order = strcmp(a->name, b->name);
        if (order <= 0) ++i;
        if (order >= 0) ++j;
        if (order != 0 || (non_empty && !a->non_empty)) continue;
        for (int m = 0; m < PACED_METRICS; ++m)
            *metric_field(&differences[count], (enum paced_metric)m) =
                metric_value(&b->metrics, (enum paced_metric)m) - metric_value(&a->metrics, (enum paced_metric)m);
        ++count;
    }
    return count;
}

static double mean_of(const double *values, const uint32_t *draw, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += values[draw ? draw[i] : i];
    return sum / (double)count;
}

static struct paced_difference test(const double *differences, size_t count, uint64_t seed) {
    double *means = paced_alloc(RESAMPLES, sizeof *means);
    uint32_t *draw = paced_alloc(count, sizeof *draw);
    struct paced_rng rng;
    paced_rng_seed(&rng, seed, PACED_STREAM_BOOTSTRAP);
    for (int i = 0; i < RESAMPLES; ++i) {
        statistics_draw(&rng, draw, count);
        means[i] = mean_of(differences, draw, count);
    }
    statistics_sort(means, RESAMPLES);
    struct paced_difference result = {
        .mean = mean_of(differences, NULL, count),
        .low = statistics_quantile(means, RESAMPLES, INTERVAL_LOW),
        .high = statistics_quantile(means, RESAMPLES, INTERVAL_HIGH),
        .p = paced_wilcoxon(differences, count),
    };
    free(draw);
    free(means);
    return result;
}

static void compare(const struct table *first, const struct table *second, bool non_empty, uint64_t seed,
                    struct paced_differences *result) {
    struct paced_metrics *differences = paced_alloc(first->count + 1, sizeof *differences);
    double *values = paced_alloc(first->count + 1, sizeof *values);
    result->images = match(first, second, non_empty, differences);
    for (int m = 0; m < PACED_METRICS; ++m) {
        result->metrics[m] = (struct paced_difference){NAN, NAN, NAN, NAN};
        bool measured = first->measured & second->measured & METRIC_BIT(m);
        for (size_t i = 0; i < result->images; ++i) {
            values[i] = metric_value(&differences[i], (enum paced_metric)m);
            if (isnan(values[i])) measured = false;
        }
        if (measured && result->images > 0) result->metrics[m] = test(values, result->images, seed);
    }
    free(values);
    free(differences);
}

enum paced_err paced_differences_read(struct paced_differences *differences, const char *first, const char *second,
                                      bool non_empty, uint64_t seed) {
    struct table a, b = {0};
    enum paced_err err = read_table(&a, first);
    if (!err) err = read_table(&b, second);
    if (!err) compare(&a, &b, non_empty, seed, differences);
    finish_table(&a);
    finish_table(&b);
    return err;
}
