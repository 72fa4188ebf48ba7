/* One image and its prediction. */
#include "src/run/example.h"

#include <math.h>
#include <stdlib.h>

#include "src/run/logits.h"

struct example example_create(struct paced_extent extent, int classes) {
    struct example e = {.extent = extent, .classes = classes};
    size_t pixels = paced_extent_pixels(extent), channels = classes > 3 ? (size_t)classes : 3;
    e.rgb = paced_alloc(pixels, 3);
    e.label = paced_alloc(pixels, 1);
    e.prediction = paced_alloc(pixels, 1);
    e.logits = paced_alloc(pixels * channels, sizeof *e.logits); /* holds the input first, then the logits */
    e.uncertainty = paced_alloc(pixels, sizeof *e.uncertainty);
    return e;
}

void example_finish(struct example *e) {
    free(e->rgb);
    free(e->label);
    free(e->prediction);
    free(e->logits);
    free(e->uncertainty);
    *e = (struct example){0};
}

/* Returns the class of the largest logit z, and its uncertainty, 1 - 1 / sum_c exp(logits_c - z). */
static uint8_t judge(const float *logits, int classes, float *uncertainty) {
    int best = logits_likeliest(logits, classes);
    float sum = 0;
    for (int c = 0; c < classes; ++c) sum += expf(logits[c] - logits[best]);
    *uncertainty = 1 - 1 / sum;
    return (uint8_t)best;
}

enum paced_err example_load(struct example *e, struct paced_dataset *dataset, size_t index) {
    return paced_dataset_load(dataset, index, e->rgb, e->label);
}

enum paced_err example_run(struct example *e, struct network *network) {
    size_t pixels = paced_extent_pixels(e->extent), classes = (size_t)e->classes;
    for (size_t i = 0; i < 3 * pixels; ++i) e->logits[i] = paced_unit(e->rgb[i]);
    PACED_TRY(paced_buffer_write(paced_exec_input(network->exec), e->logits, 3 * pixels * sizeof *e->logits));
    PACED_TRY(paced_exec_forward(network->exec, 1, false));
    PACED_TRY(paced_buffer_read(paced_exec_output(network->exec), e->logits, pixels * classes * sizeof *e->logits));
    for (size_t i = 0; i < pixels; ++i)
        e->prediction[i] = judge(e->logits + i * classes, e->classes, &e->uncertainty[i]);
    return PACED_OK;
}

bool label_has_foreground(const uint8_t *label, size_t pixels) {
    for (size_t i = 0; i < pixels; ++i)
        if (label[i] != 0 && label[i] != PACED_IGNORED) return true;
    return false;
}
