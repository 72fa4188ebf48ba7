/* scores: segmentation metrics of a set of images.
 *
 * Pixels are counted once per image and class, TP, |P| and |G|; every figure follows from these counts:
 *   dice = (2 TP + 1e-4) / (|P| + |G| + 1e-4), iou = TP / (|P| + |G| - TP), precision = TP / |P|, recall = TP / |G|.
 * The background, class 0, is not scored. A mean is taken over an image's classes first and then over images, in the
 * order in which they came, so that the same set gives the same bits. f1 = 2 p r / (p + r) of the mean p and mean r,
 * 0 where both are 0. */
#include "paced/report.h"

#include "src/report/csv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define SMOOTH 1e-4
#define LABELS 256 /* values of a label map */

struct counts {
    uint64_t both, predicted, labelled; /* TP, |P|, |G| */
};

struct image {
    char *name;
    bool non_empty;
    struct counts *counts; /* [classes]; 0 is not used */
};

struct paced_scores {
    int classes;
    struct image *images;
    size_t count, capacity;
};

struct paced_scores *paced_scores_create(int classes) {
    assert(classes >= 2 && classes <= LABELS);
    struct paced_scores *scores = paced_alloc(1, sizeof(*scores));
    scores->classes = classes;
    return scores;
}

void paced_scores_clear(struct paced_scores *scores) {
    for (size_t i = 0; i < scores->count; i++) {
        free(scores->images[i].name);
        free(scores->images[i].counts);
    }
    scores->count = 0;
}

void paced_scores_destroy(struct paced_scores *scores) {
    if (!scores) return;
    paced_scores_clear(scores);
    free(scores->images);
    free(scores);
}

static struct image *append(struct paced_scores *scores, const char *name) {
    if (scores->count == scores->capacity) {
        scores->capacity = scores->capacity > 0 ? 2 * scores->capacity : 64;
        scores->images = paced_grow(scores->images, scores->capacity, sizeof(*scores->images));
    }
    struct image *image = &scores->images[scores->count++];
    *image = (struct image){.name = paced_strdup(name)};
    image->counts = paced_alloc((size_t)scores->classes, sizeof(*image->counts));
    return image;
}

void paced_scores_add(struct paced_scores *scores, const char *name, const uint8_t *prediction, const uint8_t *label,
                      size_t pixels) {
    struct counts all[LABELS] = {0};
    for (size_t i = 0; i < pixels; i++) {
        all[prediction[i]].predicted++;
        all[label[i]].labelled++;
        if (prediction[i] == label[i]) all[label[i]].both++;
    }
    struct image *image = append(scores, name);
    image->non_empty = all[0].labelled < pixels;
    for (int c = 0; c < scores->classes; c++) image->counts[c] = all[c];
}

size_t paced_scores_count(const struct paced_scores *scores) {
    return scores->count;
}

/* ---- through a state file ------------------------------------------------------------------------------------ */

void paced_scores_save(const struct paced_scores *scores, const char *tensor, struct paced_weights *weights) {
    size_t columns = 1 + 3 * (size_t)scores->classes;
    int64_t *table = paced_alloc(scores->count * columns + 1, sizeof(*table)), *row = table;
    for (size_t i = 0; i < scores->count; i++, row += columns) {
        const struct image *image = &scores->images[i];
        row[0] = image->non_empty;
        for (int c = 0; c < scores->classes; c++) {
            row[1 + 3 * c] = (int64_t)image->counts[c].both;
            row[2 + 3 * c] = (int64_t)image->counts[c].predicted;
            row[3 + 3 * c] = (int64_t)image->counts[c].labelled;
        }
    }
    int64_t shape[] = {(int64_t)scores->count, (int64_t)columns};
    paced_weights_add(weights, tensor, PACED_I64, 2, shape, table);
    free(table);
}

enum paced_err paced_scores_load(struct paced_scores *scores, const char *tensor, const struct paced_weights *weights,
                                 const char *path) {
    const struct paced_entry *entry = paced_weights_find(weights, tensor);
    int64_t columns = 1 + 3 * (int64_t)scores->classes;
    if (!entry || entry->dtype != PACED_I64 || entry->rank != 2 || entry->shape[1] != columns)
        return paced_error(PACED_INVALID,
                           "%s: tensor %s is missing or not as written; this is not a state to resume from", path,
                           tensor);
    paced_scores_clear(scores);
    const int64_t *row = entry->data;
    for (int64_t i = 0; i < entry->shape[0]; i++, row += columns) {
        struct image *image = append(scores, NULL);
        image->non_empty = row[0] != 0;
        for (int c = 0; c < scores->classes; c++)
            image->counts[c] =
                (struct counts){(uint64_t)row[1 + 3 * c], (uint64_t)row[2 + 3 * c], (uint64_t)row[3 + 3 * c]};
    }
    return PACED_OK;
}

/* ---- figures ------------------------------------------------------------------------------------------------- */

static double ratio(uint64_t part, uint64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 1;
}

static double f1_of(double precision, double recall) {
    double sum = precision + recall;
    return sum == 0 ? 0 : 2 * precision * recall / sum; /* NaN stays NaN */
}

static struct paced_metrics class_metrics(const struct counts *n) {
    struct paced_metrics m = {
        .dice = (2 * (double)n->both + SMOOTH) / ((double)(n->predicted + n->labelled) + SMOOTH),
        .iou = ratio(n->both, n->predicted + n->labelled - n->both),
        .precision = ratio(n->both, n->predicted),
        .recall = ratio(n->both, n->labelled),
    };
    m.f1 = f1_of(m.precision, m.recall);
    return m;
}

static void add_metrics(struct paced_metrics *sum, const struct paced_metrics *m) {
    sum->dice += m->dice;
    sum->iou += m->iou;
    sum->precision += m->precision;
    sum->recall += m->recall;
}

static struct paced_metrics divide_metrics(const struct paced_metrics *sum, size_t count) {
    double n = count > 0 ? (double)count : NAN;
    struct paced_metrics m = {sum->dice / n, sum->iou / n, sum->precision / n, sum->recall / n, 0};
    m.f1 = f1_of(m.precision, m.recall);
    return m;
}

/* One class, or the mean over the classes for class 0. */
static struct paced_metrics image_metrics(const struct paced_scores *scores, const struct image *image,
                                          int class_index) {
    if (class_index > 0) return class_metrics(&image->counts[class_index]);
    struct paced_metrics sum = {0};
    for (int c = 1; c < scores->classes; c++) {
        struct paced_metrics m = class_metrics(&image->counts[c]);
        add_metrics(&sum, &m);
    }
    return divide_metrics(&sum, (size_t)scores->classes - 1);
}

struct paced_metrics paced_scores_image(const struct paced_scores *scores, size_t image, int class_index,
                                        const char **name) {
    assert(image < scores->count && class_index >= 0 && class_index < scores->classes);
    if (name) *name = scores->images[image].name;
    return image_metrics(scores, &scores->images[image], class_index);
}

int paced_scores_classes(const struct paced_scores *scores) {
    return scores->classes;
}

struct paced_metrics paced_scores_mean(const struct paced_scores *scores, int class_index, bool non_empty,
                                       size_t *images) {
    assert(class_index >= 0 && class_index < scores->classes);
    struct paced_metrics sum = {0};
    size_t count = 0;
    for (size_t i = 0; i < scores->count; i++) {
        if (non_empty && !scores->images[i].non_empty) continue;
        struct paced_metrics m = image_metrics(scores, &scores->images[i], class_index);
        add_metrics(&sum, &m);
        count++;
    }
    if (images) *images = count;
    return divide_metrics(&sum, count);
}

/* ---- files and the terminal ---------------------------------------------------------------------------------- */

enum paced_err paced_scores_write_csv(const struct paced_scores *scores, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("image,class,dice,iou,precision,recall,f1\n", file.stream);
    for (size_t i = 0; i < scores->count; i++) {
        const struct image *image = &scores->images[i];
        for (int c = 1; c < scores->classes; c++) {
            struct paced_metrics m = class_metrics(&image->counts[c]);
            if (image->name)
                paced_csv_write_text(file.stream, image->name);
            else
                fprintf(file.stream, "%zu", i + 1); /* a nameless image: its number */
            fprintf(file.stream, ",%d", c);
            paced_csv_write_metrics(file.stream, &m);
            fputc('\n', file.stream);
        }
    }
    return paced_atomic_commit(&file);
}

/* One row of the summary. */
struct summary {
    const char *set;
    char class_name[16];
    size_t images;
    struct paced_metrics metrics;
};

/* Row 0: all images; row 1: those with a foreground; then all images, class by class. */
static size_t summary_rows(const struct paced_scores *scores) {
    return 2 + (size_t)scores->classes - 1;
}

static struct summary summary_row(const struct paced_scores *scores, size_t row) {
    struct summary s = {.set = row == 1 ? "non-empty" : "all", .class_name = "mean"};
    int class_index = row < 2 ? 0 : (int)row - 1;
    if (class_index > 0) snprintf(s.class_name, sizeof(s.class_name), "%d", class_index);
    s.metrics = paced_scores_mean(scores, class_index, row == 1, &s.images);
    return s;
}

enum paced_err paced_scores_write_summary(const struct paced_scores *scores, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("set,class,images,dice,iou,precision,recall,f1\n", file.stream);
    for (size_t row = 0; row < summary_rows(scores); row++) {
        struct summary s = summary_row(scores, row);
        fprintf(file.stream, "%s,%s,%zu", s.set, s.class_name, s.images);
        paced_csv_write_metrics(file.stream, &s.metrics);
        fputc('\n', file.stream);
    }
    return paced_atomic_commit(&file);
}

static void print_figure(FILE *out, double value) {
    if (isnan(value))
        fprintf(out, "  %9s", "-");
    else
        fprintf(out, "  %9.4f", value);
}

void paced_scores_print(const struct paced_scores *scores, FILE *out) {
    fprintf(out, "%-9s  %5s  %6s  %9s  %9s  %9s  %9s  %9s\n", "set", "class", "images", "dice", "iou", "precision",
            "recall", "f1");
    for (size_t row = 0; row < summary_rows(scores); row++) {
        struct summary s = summary_row(scores, row);
        fprintf(out, "%-9s  %5s  %6zu", s.set, s.class_name, s.images);
        print_figure(out, s.metrics.dice);
        print_figure(out, s.metrics.iou);
        print_figure(out, s.metrics.precision);
        print_figure(out, s.metrics.recall);
        print_figure(out, s.metrics.f1);
        fputc('\n', out);
    }
}
