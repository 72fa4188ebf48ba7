/* scores: segmentation metrics of a set of images.
 *
 * TP, |P| and |G| are counted once per image and class; every metric follows from these counts:
 *   dice = (2 TP + 1e-4) / (|P| + |G| + 1e-4), iou = TP / (|P| + |G| - TP), precision = TP / |P|, recall = TP / |G|.
 * The background, class 0, is not scored. Means are taken over the classes of an image first and then over images in
 * the order of their addition, so that the same set gives the same bits. f1 = 2 p r / (p + r) of the mean p and mean r,
 * 0 if both are 0. Absent classes are skipped as in nnU-Net and in the per-sample means of torchmetrics. */
#include "src/metrics/parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMOOTH 1e-4
#define LABELS 256 /* values of a label map */

struct image {
    char *name;
    bool non_empty;
    struct paced_pixels *counts;           /* [classes]; 0 has no score */
    struct paced_metrics *noted;           /* [classes]; 0: per-image metrics; NULL: none recorded */
    struct paced_reliability *reliability; /* NULL: not recorded */
};

struct paced_scores {
    int classes;
    enum paced_absent absent;
    uint64_t metrics; /* bit set of the measured metrics */
    struct image *images;
    size_t count, capacity;
};

static struct paced_metrics none(void) {
    struct paced_metrics metrics;
    for (int m = 0; m < PACED_METRICS; ++m) metrics.of[m] = NAN;
    return metrics;
}

struct paced_scores *paced_scores_create(int classes) {
    assert(classes >= 2 && classes <= LABELS);
    struct paced_scores *scores = paced_alloc(1, sizeof(*scores));
    scores->classes = classes;
    scores->metrics = PACED_METRICS_ALWAYS;
    return scores;
}

void paced_scores_clear(struct paced_scores *scores) {
    for (size_t i = 0; i < scores->count; ++i) {
        free(scores->images[i].name);
        free(scores->images[i].counts);
        free(scores->images[i].noted);
        free(scores->images[i].reliability);
    }
    scores->count = 0;
}

void paced_scores_destroy(struct paced_scores *scores) {
    if (!scores) return;
    paced_scores_clear(scores);
    free(scores->images);
    free(scores);
}

void paced_scores_set_absent(struct paced_scores *scores, enum paced_absent absent) {
    scores->absent = absent;
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
    struct paced_pixels all[LABELS] = {0};
    for (size_t i = 0; i < pixels; ++i) {
        if (label[i] == PACED_IGNORED) continue;
        ++all[prediction[i]].predicted;
        ++all[label[i]].labelled;
        if (prediction[i] == label[i]) ++all[label[i]].both;
    }
    struct image *image = append(scores, name);
    image->non_empty = all[0].labelled < paced_counted(label, pixels);
    for (int c = 0; c < scores->classes; ++c) image->counts[c] = all[c];
}

size_t paced_scores_count(const struct paced_scores *scores) {
    return scores->count;
}

void paced_scores_note(struct paced_scores *scores, int class_index, enum paced_metric metric, double value) {
    assert(scores->count > 0 && paced_metric_table[metric].of_image == (class_index == 0));
    struct image *image = &scores->images[scores->count - 1];
    if (!image->noted) {
        image->noted = paced_alloc((size_t)scores->classes, sizeof *image->noted);
        for (int c = 0; c < scores->classes; ++c) image->noted[c] = none();
    }
    image->noted[class_index].of[metric] = value;
    scores->metrics |= PACED_METRIC_BIT(metric);
}

void paced_scores_note_reliability(struct paced_scores *scores, const struct paced_reliability *sums) {
    assert(scores->count > 0);
    struct image *image = &scores->images[scores->count - 1];
    if (!image->reliability) image->reliability = paced_alloc(1, sizeof *image->reliability);
    *image->reliability = *sums;
}

int paced_scores_classes(const struct paced_scores *scores) {
    return scores->classes;
}

uint64_t paced_scores_metrics(const struct paced_scores *scores) {
    return scores->metrics;
}

const char *paced_scores_name(const struct paced_scores *scores, size_t image) {
    return scores->images[image].name;
}

struct paced_pixels paced_scores_pixels(const struct paced_scores *scores, size_t image, int class_index) {
    return scores->images[image].counts[class_index];
}

bool paced_scores_has_pixels(const struct paced_scores *scores, size_t image) {
    for (int c = 0; c < scores->classes; ++c)
        if (scores->images[image].counts[c].labelled > 0) return true;
    return false;
}

/* ---- through a state file ------------------------------------------------------------------------------------ */

_Static_assert(sizeof(struct paced_pixels) == 3 * sizeof(int64_t), "counts are saved as they are in memory");

void paced_scores_save(const struct paced_scores *scores, const char *tensor, struct paced_weights *weights) {
    size_t columns = 1 + 3 * (size_t)scores->classes;
    int64_t *table = paced_alloc(scores->count * columns + 1, sizeof(*table)), *row = table;
    for (size_t i = 0; i < scores->count; ++i, row += columns) {
        row[0] = scores->images[i].non_empty;
        memcpy(row + 1, scores->images[i].counts, (columns - 1) * sizeof *row);
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
        return paced_error_at(PACED_INVALID, path,
                              "tensor %s is missing or malformed; resume from another state or start again", tensor);
    paced_scores_clear(scores);
    const int64_t *row = entry->data;
    for (int64_t i = 0; i < entry->shape[0]; ++i, row += columns) {
        struct image *image = append(scores, NULL);
        image->non_empty = row[0] != 0;
        memcpy(image->counts, row + 1, (size_t)(columns - 1) * sizeof *row);
    }
    return PACED_OK;
}

/* ---- metrics ------------------------------------------------------------------------------------------------- */

/* 2 p r / (p + r), 0 where both are 0. */
static double f1_of(double precision, double recall) {
    double sum = precision + recall;
    return sum == 0 ? 0 : 2 * precision * recall / sum; /* NaN stays NaN */
}

static double ratio(uint64_t part, uint64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 1;
}

static struct paced_metrics class_metrics(const struct image *image, int class_index) {
    const struct paced_pixels *n = &image->counts[class_index];
    struct paced_metrics m = image->noted ? image->noted[class_index] : none();
    m.dice = (2 * (double)n->both + SMOOTH) / ((double)(n->predicted + n->labelled) + SMOOTH);
    m.iou = ratio(n->both, n->predicted + n->labelled - n->both);
    m.precision = ratio(n->both, n->predicted);
    m.recall = ratio(n->both, n->labelled);
    m.f1 = f1_of(m.precision, m.recall);
    return m;
}

static bool occurs(const struct image *image, int class_index) {
    return image->counts[class_index].predicted > 0 || image->counts[class_index].labelled > 0;
}

static bool has_value(const struct paced_scores *scores, const struct image *image, int class_index) {
    return scores->absent == PACED_ABSENT_PERFECT || scores->classes == 2 || occurs(image, class_index);
}

static void add_metrics(struct paced_metrics *sum, const struct paced_metrics *more, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) sum->of[m] += more->of[m];
}

/* Sums divided by count; metrics that are not in `which` become NaN. */
static struct paced_metrics divide_metrics(const struct paced_metrics *sum, size_t count, uint64_t which) {
    double n = count > 0 ? (double)count : NAN;
    struct paced_metrics mean = none();
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) mean.of[m] = sum->of[m] / n;
    mean.f1 = f1_of(mean.precision, mean.recall);
    return mean;
}

struct paced_metrics paced_scores_image(const struct paced_scores *scores, size_t index, int class_index) {
    assert(index < scores->count && class_index >= 0 && class_index < scores->classes);
    const struct image *image = &scores->images[index];
    if (class_index > 0) return has_value(scores, image, class_index) ? class_metrics(image, class_index) : none();
    struct paced_metrics sum = {0};
    size_t count = 0;
    for (int c = 1; c < scores->classes; ++c) count += has_value(scores, image, c);
    bool all = count == 0; /* no class occurs: all are perfect */
    for (int c = 1; c < scores->classes; ++c) {
        if (!all && !has_value(scores, image, c)) continue;
        struct paced_metrics m = class_metrics(image, c);
        add_metrics(&sum, &m, scores->metrics);
    }
    struct paced_metrics mean = divide_metrics(&sum, all ? (size_t)scores->classes - 1 : count, scores->metrics);
    for (int m = 0; image->noted && m < PACED_METRICS; ++m)
        if (paced_metric_table[m].of_image) mean.of[m] = image->noted[0].of[m];
    return mean;
}

/* ---- means --------------------------------------------------------------------------------------------------- */

/* Images that a mean is taken over. */
struct sample {
    uint64_t metrics;
    size_t count;
    struct paced_metrics *images;                 /* [count] */
    const struct paced_reliability **reliability; /* [count]; NULL: not recorded */
};

static void merge(struct paced_reliability *sum, const struct paced_reliability *more) {
    for (int b = 0; b < PACED_BINS; ++b) {
        sum->confidence[b] += more->confidence[b];
        sum->right[b] += more->right[b];
        sum->count[b] += more->count[b];
    }
    sum->pixels += more->pixels;
    sum->nll += more->nll;
    sum->brier += more->brier;
}

static struct sample take_sample(const struct paced_scores *scores, int class_index, bool non_empty) {
    struct sample sample = {.metrics = scores->metrics};
    sample.images = paced_alloc(scores->count + 1, sizeof *sample.images);
    sample.reliability = paced_alloc(scores->count + 1, sizeof *sample.reliability);
    for (size_t i = 0; i < scores->count; ++i) {
        if (!paced_scores_has_pixels(scores, i)) continue;
        if (non_empty && !scores->images[i].non_empty) continue;
        if (class_index > 0 && !has_value(scores, &scores->images[i], class_index)) continue;
        sample.images[sample.count] = paced_scores_image(scores, i, class_index);
        sample.reliability[sample.count++] = class_index == 0 ? scores->images[i].reliability : NULL;
    }
    return sample;
}

static void finish_sample(struct sample *sample) {
    free(sample->images);
    free(sample->reliability);
}

/* Mean over images draw[count], or over each image once (NULL). */
static struct paced_metrics mean_of(const struct sample *sample, const uint32_t *draw) {
    struct paced_metrics sum = {0};
    struct paced_reliability pixels = {0};
    for (size_t i = 0; i < sample->count; ++i) {
        size_t image = draw ? draw[i] : i;
        add_metrics(&sum, &sample->images[image], sample->metrics);
        if (sample->reliability[image]) merge(&pixels, sample->reliability[image]);
    }
    struct paced_metrics mean = divide_metrics(&sum, sample->count, sample->metrics);
    if (sample->metrics & PACED_METRIC_BIT(PACED_ECE) && pixels.pixels > 0)
        mean.ece = paced_calibration_of(&pixels).ece;
    return mean;
}

struct paced_metrics paced_scores_mean(const struct paced_scores *scores, int class_index, bool non_empty,
                                       size_t *images) {
    struct sample sample = take_sample(scores, class_index, non_empty);
    struct paced_metrics mean = mean_of(&sample, NULL);
    if (images) *images = sample.count;
    finish_sample(&sample);
    return mean;
}

/* Bootstrap (Efron, 1979). */
void paced_scores_interval(const struct paced_scores *scores, int class_index, bool non_empty, uint64_t seed,
                           struct paced_metrics *low, struct paced_metrics *high) {
    struct sample sample = take_sample(scores, class_index, non_empty);
    struct paced_metrics *means = paced_alloc(RESAMPLES, sizeof *means);
    double *values = paced_alloc(RESAMPLES, sizeof *values);
    uint32_t *draw = paced_alloc(sample.count + 1, sizeof *draw);
    struct paced_rng rng;
    paced_rng_seed(&rng, seed, PACED_STREAM_BOOTSTRAP);
    for (size_t i = 0; i < RESAMPLES; ++i) {
        statistics_draw(&rng, draw, sample.count);
        means[i] = mean_of(&sample, draw);
    }
    *low = *high = none();
    for (int m = 0; m < PACED_METRICS; ++m) {
        for (size_t i = 0; i < RESAMPLES; ++i) values[i] = means[i].of[m];
        if (isnan(values[0])) continue; /* not measured, or no images */
        statistics_interval(values, &low->of[m], &high->of[m]);
    }
    free(draw);
    free(values);
    free(means);
    finish_sample(&sample);
}

bool paced_scores_reliability(const struct paced_scores *scores, struct paced_reliability *sum) {
    *sum = (struct paced_reliability){0};
    for (size_t i = 0; i < scores->count; ++i)
        if (scores->images[i].reliability) merge(sum, scores->images[i].reliability);
    return sum->pixels > 0;
}
