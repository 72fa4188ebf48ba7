/* paired: comparison of two runs on the same images, read from their metrics.csv.
 *
 * The rows of an image (one per class) are averaged, without the empty cells of skipped classes. Images are matched by
 * name, and equal names by their order. Images in only one of the files are ignored. */
#include "paced/metrics.h"
#include "src/metrics/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct image {
    const char *name; /* points into the table's file */
    size_t place;     /* position in the file */
    int64_t last_class;
    bool non_empty;
    struct paced_metrics metrics;
    double values[PACED_METRICS]; /* number of averaged rows */
};

struct table {
    struct paced_csv csv;
    uint64_t measured;
    struct image *images; /* [count], at most one per row of the file */
    size_t count;
};

/* ---- reading ------------------------------------------------------------------------------------------------- */

static struct image *image_of_row(struct table *t, const char *name, int64_t class_index) {
    struct image *last = t->count > 0 ? &t->images[t->count - 1] : NULL;
    if (last && class_index > last->last_class && strcmp(last->name, name) == 0) return last;
    t->images[t->count] = (struct image){.name = name, .place = t->count};
    return &t->images[t->count++];
}

/* Adds a row to the sums of its image. */
static enum paced_err take_row(struct table *t, size_t row) {
    int64_t class_index;
    double labelled;
    PACED_TRY(paced_csv_take_count(&t->csv, row, "class", 1, INT64_MAX, &class_index));
    PACED_TRY(paced_csv_take_real(&t->csv, row, "labelled", &labelled));
    struct image *image = image_of_row(t, paced_csv_text(&t->csv, row, "image"), class_index);
    image->last_class = class_index;
    image->non_empty |= labelled > 0;
    for (int m = 0; m < PACED_METRICS; ++m) {
        double value;
        if (!(t->measured & PACED_METRIC_BIT(m))) continue;
        PACED_TRY(paced_csv_take_real(&t->csv, row, paced_metric_table[m].name, &value));
        if (isnan(value) && !paced_metric_table[m].of_image) continue; /* the class is skipped in this image */
        image->metrics.of[m] += value;
        ++image->values[m];
    }
    return PACED_OK;
}

/* Turns the sums of an image into means. A class metric without any value is that of an image without foreground. */
static void average(struct image *image) {
    for (int m = 0; m < PACED_METRICS; ++m) {
        bool none = image->values[m] == 0 && !paced_metric_table[m].of_image;
        image->metrics.of[m] =
            none ? paced_metric_perfect((enum paced_metric)m) : image->metrics.of[m] / image->values[m];
    }
}

static int compare_images(const void *a, const void *b) {
    const struct image *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static enum paced_err read_table(struct table *t, const char *path) {
    PACED_TRY(paced_csv_read(&t->csv, path, "image,class,labelled", "run the test again"));
    for (int m = 0; m < PACED_METRICS; ++m)
        if (paced_csv_has(&t->csv, paced_metric_table[m].name)) t->measured |= PACED_METRIC_BIT(m);
    t->images = paced_alloc(t->csv.rows + 1, sizeof *t->images);
    for (size_t row = 0; row < t->csv.rows; ++row) PACED_TRY(take_row(t, row));
    for (size_t i = 0; i < t->count; ++i) average(&t->images[i]);
    if (t->count > 1) qsort(t->images, t->count, sizeof *t->images, compare_images);
    return PACED_OK;
}

static void finish_table(struct table *t) {
    free(t->images);
    paced_csv_finish(&t->csv);
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
        for (int m = 0; m < PACED_METRICS; ++m) differences[count].of[m] = b->metrics.of[m] - a->metrics.of[m];
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
    struct paced_difference result = {.mean = mean_of(differences, NULL, count),
                                      .p = paced_wilcoxon(differences, count)};
    statistics_interval(means, &result.low, &result.high);
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
        bool measured = first->measured & second->measured & PACED_METRIC_BIT(m);
        for (size_t i = 0; i < result->images; ++i) {
            values[i] = differences[i].of[m];
            if (isnan(values[i])) measured = false;
        }
        if (measured && result->images > 0) result->metrics[m] = test(values, result->images, seed);
    }
    free(values);
    free(differences);
}

enum paced_err paced_differences_read(struct paced_differences *differences, const char *first, const char *second,
                                      bool non_empty, uint64_t seed) {
    struct table a = {0}, b = {0};
    enum paced_err err = read_table(&a, first);
    if (!err) err = read_table(&b, second);
    if (!err) compare(&a, &b, non_empty, seed, differences);
    finish_table(&a);
    finish_table(&b);
    return err;
}
