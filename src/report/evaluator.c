/* evaluator: evaluation of one predicted image, configured by [test]. */
#include "src/report/calibration.h"
#include "src/report/components.h"
#include "src/report/metrics.h"
#include "src/report/needle.h"
#include "src/report/surface.h"

#include <math.h>
#include <stdlib.h>

struct paced_evaluator {
    int size, classes, postprocess;
    uint64_t metrics;
    double tolerance;
    struct surface *surface;       /* NULL: no outline metrics */
    struct components *components; /* NULL: no postprocessing */
};

#define OF_OUTLINES (METRIC_BIT(PACED_HD95) | METRIC_BIT(PACED_NSD))
#define OF_PROBABILITIES (METRIC_BIT(PACED_ECE) | METRIC_BIT(PACED_BRIER) | METRIC_BIT(PACED_NLL))

enum paced_err paced_evaluator_create(struct paced_evaluator **evaluator, const struct paced_config *config) {
    *evaluator = NULL;
    if (config->test.postprocess == PACED_POSTPROCESS_NEEDLE && config->data.classes != 2)
        return paced_error(
            PACED_INVALID,
            "test.postprocess: needle requires two classes, but data.classes is %lld; use none or largest",
            (long long)config->data.classes);
    struct paced_evaluator *e = paced_alloc(1, sizeof *e);
    *e = (struct paced_evaluator){.size = (int)config->data.size,
                                  .classes = (int)config->data.classes,
                                  .postprocess = config->test.postprocess,
                                  .metrics = config->test.metrics,
                                  .tolerance = config->test.nsd_tolerance};
    if (e->metrics & OF_OUTLINES) e->surface = surface_create(e->size, e->size);
    if (e->postprocess != PACED_POSTPROCESS_NONE) e->components = components_create(e->size, e->size);
    *evaluator = e;
    return PACED_OK;
}

void paced_evaluator_destroy(struct paced_evaluator *e) {
    if (!e) return;
    surface_destroy(e->surface);
    components_destroy(e->components);
    free(e);
}

bool paced_evaluator_needs_logits(const struct paced_evaluator *e) {
    return (e->metrics & OF_PROBABILITIES) || e->postprocess == PACED_POSTPROCESS_NEEDLE;
}

static void note_outlines(struct paced_evaluator *e, const uint8_t *prediction, const uint8_t *label,
                          struct paced_scores *scores) {
    for (int c = 1; c < e->classes; ++c) {
        struct surface_figures f = surface_compare(e->surface, prediction, label, (uint8_t)c, e->tolerance);
        if (e->metrics & METRIC_BIT(PACED_HD95)) paced_scores_note(scores, c, PACED_HD95, f.hd95);
        if (e->metrics & METRIC_BIT(PACED_NSD)) paced_scores_note(scores, c, PACED_NSD, f.nsd);
    }
}

static void note_probabilities(const struct paced_evaluator *e, const float *logits, const uint8_t *label,
                               struct paced_scores *scores) {
    struct paced_reliability sums = {0};
    reliability_add(&sums, logits, label, (size_t)e->size * (size_t)e->size, e->classes, 1);
    struct paced_calibration of = paced_calibration_of(&sums);
    if (e->metrics & METRIC_BIT(PACED_ECE)) paced_scores_note(scores, 0, PACED_ECE, of.ece);
    if (e->metrics & METRIC_BIT(PACED_BRIER)) paced_scores_note(scores, 0, PACED_BRIER, of.brier);
    if (e->metrics & METRIC_BIT(PACED_NLL)) paced_scores_note(scores, 0, PACED_NLL, of.nll);
    paced_scores_note_reliability(scores, &sums);
}

static void note_lines(const struct paced_evaluator *e, const uint8_t *prediction, const uint8_t *label,
                       struct paced_scores *scores) {
    struct needle_line predicted = needle_fit(prediction, e->size, e->size);
    struct needle_line labelled = needle_fit(label, e->size, e->size);
    struct needle_errors errors = needle_compare(&predicted, &labelled, hypot(e->size, e->size));
    paced_scores_note(scores, 0, PACED_ANGLE_ERROR, errors.angle);
    paced_scores_note(scores, 0, PACED_DISTANCE_ERROR, errors.distance);
}

void paced_evaluator_clean(struct paced_evaluator *e, uint8_t *prediction, const float *logits) {
    size_t pixels = (size_t)e->size * (size_t)e->size;
    if (e->postprocess == PACED_POSTPROCESS_NEEDLE) needle_mask(e->components, logits, prediction, pixels);
    if (e->postprocess == PACED_POSTPROCESS_LARGEST) components_keep_largest(e->components, prediction, e->classes);
}

void paced_evaluate(struct paced_evaluator *e, const char *name, uint8_t *prediction, const float *logits,
                    const uint8_t *label, struct paced_scores *scores) {
    size_t pixels = (size_t)e->size * (size_t)e->size;
    paced_evaluator_clean(e, prediction, logits);
    paced_scores_add(scores, name, prediction, label, pixels);
    if (e->metrics & OF_OUTLINES) note_outlines(e, prediction, label, scores);
    if (e->metrics & OF_PROBABILITIES) note_probabilities(e, logits, label, scores);
    if (e->postprocess == PACED_POSTPROCESS_NEEDLE) note_lines(e, prediction, label, scores);
}
