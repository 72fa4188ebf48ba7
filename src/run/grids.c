/* Grids of predictions. */
#include "src/run/grids.h"

#include <stdlib.h>
#include <string.h>

struct grid {
    struct paced_extent image; /* in the file */
    double spacing[2];         /* distance of the file's rows and columns, in mm or pixels */
};

struct grids {
    const struct paced_dataset *dataset;
    bool original, in_mm;
    int classes;
    struct grid *of; /* [images]; NULL: distances are not measured */
};

/* ---- opening ------------------------------------------------------------------------------------------------- */

static enum paced_err read_headers(struct grids *g, size_t *spaced) {
    *spaced = 0;
    for (size_t i = 0; i < paced_dataset_count(g->dataset); ++i) {
        struct paced_image_info info;
        PACED_TRY(paced_dataset_describe(g->dataset, i, &info));
        g->of[i] = (struct grid){{info.height, info.width}, {info.spacing_mm[0], info.spacing_mm[1]}};
        *spaced += info.spacing_mm[0] > 0;
    }
    return PACED_OK;
}

/* Selects the unit of distances. */
static void choose_unit(struct grids *g, size_t spaced) {
    const size_t count = paced_dataset_count(g->dataset);
    g->in_mm = spaced == count;
    if (g->in_mm) {
        paced_log(PACED_LOG_INFO, "hd95 and nsd are measured in mm");
        return;
    }
    for (size_t i = 0; i < count; ++i) g->of[i].spacing[0] = g->of[i].spacing[1] = 1;
    if (spaced > 0)
        paced_log(PACED_LOG_WARN,
                  "hd95 and nsd are measured in pixels: only %zu of %zu images have a pixel spacing; set data.spacing",
                  spaced, count);
}

enum paced_err grids_open(struct grids **out, const struct paced_dataset *dataset,
                          const struct paced_test_options *options, int classes) {
    *out = NULL;
    const bool original = options->resolution == PACED_RESOLUTION_ORIGINAL;
    const bool distances = options->metrics & (PACED_METRIC_BIT(PACED_HD95) | PACED_METRIC_BIT(PACED_NSD));
    if (original && paced_dataset_fit(dataset) == PACED_FIT_CROP)
        return paced_error(PACED_INVALID,
                           "test.resolution = original needs a prediction for every pixel of a mask, but "
                           "data.fit = crop leaves the edges out; set data.fit = pad");
    struct grids *g = paced_alloc(1, sizeof *g);
    *g = (struct grids){.dataset = dataset, .original = original, .classes = classes};
    *out = g;
    if (!distances) return PACED_OK;
    g->of = paced_alloc(paced_dataset_count(dataset), sizeof *g->of);
    size_t spaced;
    PACED_TRY(read_headers(g, &spaced));
    choose_unit(g, spaced);
    return PACED_OK;
}

void grids_close(struct grids *g) {
    if (!g) return;
    free(g->of);
    free(g);
}

/* ---- evaluation ---------------------------------------------------------------------------------------------- */

/* Prediction and logits on the pixels of the image's file. */
struct enlarged {
    uint8_t *prediction;
    float *logits; /* NULL: not needed */
};

static struct enlarged enlarge(const struct grids *g, struct paced_extent image, const uint8_t *prediction,
                               const float *logits) {
    const struct paced_extent input = paced_dataset_extent(g->dataset);
    const struct paced_placement p = paced_fit_place(paced_dataset_fit(g->dataset), image, input);
    const size_t classes = (size_t)g->classes, width = (size_t)image.width;
    struct enlarged e = {.prediction = paced_alloc(paced_extent_pixels(image), 1)};
    if (logits) e.logits = paced_alloc(paced_extent_pixels(image) * classes, sizeof *e.logits);
    for (int y = 0; y < image.height; ++y) {
        const size_t row = (size_t)paced_fit_index(y, image.height, p.top, p.size.height) * (size_t)input.width;
        for (int x = 0; x < image.width; ++x) {
            const size_t from = row + (size_t)paced_fit_index(x, image.width, p.left, p.size.width);
            const size_t to = (size_t)y * width + (size_t)x;
            e.prediction[to] = prediction[from];
            if (logits) memcpy(e.logits + to * classes, logits + from * classes, classes * sizeof *logits);
        }
    }
    return e;
}

static enum paced_err evaluate_original(struct grids *g, struct paced_evaluator *evaluator, size_t index,
                                        const uint8_t *prediction, const float *logits, struct paced_scores *scores) {
    static const double unit[2] = {1, 1};
    struct paced_mask mask;
    PACED_TRY(paced_dataset_load_mask(g->dataset, index, &mask));
    const struct paced_extent image = {mask.height, mask.width};
    struct enlarged e = enlarge(g, image, prediction, logits);
    paced_evaluator_set_grid(evaluator, image, g->of ? g->of[index].spacing : unit);
    paced_evaluate(evaluator, paced_dataset_image_name(g->dataset, index), e.prediction, e.logits, mask.label, scores);
    free(e.prediction);
    free(e.logits);
    free(mask.label);
    return PACED_OK;
}

/* Spacing of the network's input, which shows the image resized. */
static void input_spacing(const struct grids *g, const struct grid *grid, double spacing[2]) {
    const struct paced_extent input = paced_dataset_extent(g->dataset);
    const struct paced_placement p = paced_fit_place(paced_dataset_fit(g->dataset), grid->image, input);
    spacing[0] = grid->spacing[0] * grid->image.height / p.size.height;
    spacing[1] = grid->spacing[1] * grid->image.width / p.size.width;
}

enum paced_err grids_evaluate(struct grids *g, struct paced_evaluator *evaluator, size_t index, uint8_t *prediction,
                              const float *logits, const uint8_t *label, struct paced_scores *scores) {
    if (g->original) return evaluate_original(g, evaluator, index, prediction, logits, scores);
    double spacing[2] = {1, 1};
    if (g->in_mm) input_spacing(g, &g->of[index], spacing);
    paced_evaluator_set_grid(evaluator, paced_dataset_extent(g->dataset), spacing);
    paced_evaluate(evaluator, paced_dataset_image_name(g->dataset, index), prediction, logits, label, scores);
    return PACED_OK;
}
