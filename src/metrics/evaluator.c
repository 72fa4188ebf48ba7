/* evaluator: evaluation of one predicted image. */
#include "src/metrics/parts.h"

#include <math.h>
#include <stdlib.h>

struct paced_evaluator {
    struct paced_extent extent;
    int classes, postprocess;
    size_t pixels;
    uint64_t metrics;
    double tolerance;
    struct surface *surface;       /* NULL: no outline metrics */
    struct components *components; /* NULL: no postprocessing */
};

/* Bit set of the metrics on this basis. */
static uint64_t metrics_of(enum paced_metric_basis basis) {
    uint64_t which = 0;
    for (int m = 0; m < PACED_METRICS; ++m)
        if (paced_metric_table[m].basis == basis) which |= PACED_METRIC_BIT(m);
    return which;
}

/* Creates what depends on the extent. */
static void make_parts(struct paced_evaluator *e) {
    if (e->metrics & metrics_of(PACED_OF_OUTLINES)) e->surface = surface_create(e->extent.width, e->extent.height);
    if (e->postprocess != PACED_POSTPROCESS_NONE) e->components = components_create(e->extent.width, e->extent.height);
}

enum paced_err paced_evaluator_create(struct paced_evaluator **evaluator, const struct paced_test_options *options,
                                      struct paced_extent extent, int classes) {
    *evaluator = NULL;
    bool needle = options->postprocess == PACED_POSTPROCESS_NEEDLE;
    if (needle && classes != 2)
        return paced_error_at(PACED_INVALID, "test.postprocess",
                              "needle requires two classes, but data.classes is %d; use none or largest", classes);
    struct paced_evaluator *e = paced_alloc(1, sizeof *e);
    *e = (struct paced_evaluator){.extent = extent,
                                  .classes = classes,
                                  .pixels = paced_extent_pixels(extent),
                                  .postprocess = options->postprocess,
                                  .metrics = options->metrics | (needle ? metrics_of(PACED_OF_NEEDLE) : 0),
                                  .tolerance = options->nsd_tolerance};
    make_parts(e);
    *evaluator = e;
    return PACED_OK;
}

void paced_evaluator_set_grid(struct paced_evaluator *e, struct paced_extent extent, const double spacing[2]) {
    if (!paced_extent_equal(e->extent, extent)) {
        surface_destroy(e->surface);
        components_destroy(e->components);
        e->extent = extent;
        e->pixels = paced_extent_pixels(extent);
        make_parts(e);
    }
    if (e->surface) surface_set_spacing(e->surface, spacing);
}

void paced_evaluator_destroy(struct paced_evaluator *e) {
    if (!e) return;
    surface_destroy(e->surface);
    components_destroy(e->components);
    free(e);
}

bool paced_evaluator_needs_logits(const struct paced_evaluator *e) {
    return e->metrics & metrics_of(PACED_OF_PROBABILITIES) || e->postprocess == PACED_POSTPROCESS_NEEDLE;
}

/* Records the requested metrics on this basis. */
static void note(const struct paced_evaluator *e, enum paced_metric_basis basis, int class_index,
                 struct paced_metrics values, struct paced_scores *scores) {
    uint64_t which = e->metrics & metrics_of(basis);
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) paced_scores_note(scores, class_index, (enum paced_metric)m, values.of[m]);
}

static void note_probabilities(const struct paced_evaluator *e, const float *logits, const uint8_t *label,
                               struct paced_scores *scores) {
    struct paced_reliability sums = {0};
    paced_reliability_add(&sums, logits, label, e->pixels, e->classes, 1);
    note(e, PACED_OF_PROBABILITIES, 0, paced_calibration_of(&sums), scores);
    paced_scores_note_reliability(scores, &sums);
}

static void note_line(const struct paced_evaluator *e, const uint8_t *prediction, const uint8_t *label,
                      struct paced_scores *scores) {
    struct needle_line predicted = needle_fit(prediction, e->extent.width, e->extent.height);
    struct needle_line labelled = needle_fit(label, e->extent.width, e->extent.height);
    note(e, PACED_OF_NEEDLE, 0, needle_compare(&predicted, &labelled, hypot(e->extent.width, e->extent.height)),
         scores);
}

void paced_evaluator_clean(struct paced_evaluator *e, uint8_t *prediction, const float *logits) {
    if (e->postprocess == PACED_POSTPROCESS_NEEDLE) needle_mask(e->components, logits, prediction, e->pixels);
    if (e->postprocess == PACED_POSTPROCESS_LARGEST) components_keep_largest(e->components, prediction, e->classes);
}

void paced_evaluate(struct paced_evaluator *e, const char *name, uint8_t *prediction, const float *logits,
                    const uint8_t *label, struct paced_scores *scores) {
    paced_evaluator_clean(e, prediction, logits);
    for (size_t i = 0; i < e->pixels; ++i)
        if (label[i] == PACED_IGNORED) prediction[i] = 0; /* outlines and lines of both maps end there */
    paced_scores_add(scores, name, prediction, label, e->pixels);
    for (int c = 1; e->surface && c < e->classes; ++c)
        note(e, PACED_OF_OUTLINES, c, surface_compare(e->surface, prediction, label, (uint8_t)c, e->tolerance), scores);
    if (e->metrics & metrics_of(PACED_OF_PROBABILITIES)) note_probabilities(e, logits, label, scores);
    if (e->postprocess == PACED_POSTPROCESS_NEEDLE) note_line(e, prediction, label, scores);
}
