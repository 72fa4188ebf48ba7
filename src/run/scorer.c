/* Grader of predictions. */
#include "src/run/scorer.h"

#include <stdlib.h>

enum { RING = 2 };

struct scorer {
    struct paced_device *device;
    int batch, pixels_per_sample, classes;
    struct paced_buffer *prediction;
    struct paced_evaluator *evaluator; /* NULL: pixels are counted only */
    struct {
        uint8_t *host;
        float *logits; /* NULL: not needed */
        struct paced_ticket ticket, logits_ticket;
    } ring[RING];
    unsigned started, waited;
};

enum paced_err scorer_create(struct scorer **out, struct paced_device *device, int batch, int size, int classes) {
    *out = NULL;
    struct scorer *g = paced_alloc(1, sizeof *g);
    *g = (struct scorer){.device = device, .batch = batch, .pixels_per_sample = size * size, .classes = classes};
    size_t bytes = (size_t)batch * (size_t)g->pixels_per_sample;
    for (int i = 0; i < RING; ++i) g->ring[i].host = paced_alloc(bytes, 1);
    enum paced_err err = paced_buffer_create(&g->prediction, device, bytes);
    if (err) {
        scorer_destroy(g);
        return err;
    }
    *out = g;
    return PACED_OK;
}

void scorer_destroy(struct scorer *g) {
    if (!g) return;
    for (int i = 0; i < RING; ++i) {
        paced_ticket_wait(&g->ring[i].ticket);
        paced_ticket_wait(&g->ring[i].logits_ticket);
        free(g->ring[i].host);
        free(g->ring[i].logits);
    }
    paced_buffer_destroy(g->prediction);
    free(g);
}

void scorer_take_evaluator(struct scorer *g, struct paced_evaluator *evaluator) {
    g->evaluator = evaluator;
    if (!paced_evaluator_needs_logits(evaluator)) return;
    size_t values = (size_t)g->batch * (size_t)g->pixels_per_sample * (size_t)g->classes;
    for (int i = 0; i < RING; ++i) g->ring[i].logits = paced_alloc(values, sizeof(float));
}

enum paced_err scorer_start(struct scorer *g, const struct paced_buffer *logits, int count) {
    static const struct paced_kernel argmax = {"argmax.cl", "argmax"};
    int pixels = count * g->pixels_per_sample;
    unsigned slot = g->started++ % RING;
    PACED_TRY(PACED_LAUNCH(g->device, &argmax, paced_range_items((uint64_t)pixels), 1, PACED_ARG(pixels),
                           PACED_ARG(g->classes), PACED_ARG(logits), PACED_ARG(g->prediction)));
    PACED_TRY(paced_buffer_read_later(g->prediction, g->ring[slot].host, (uint64_t)pixels, &g->ring[slot].ticket));
    if (!g->ring[slot].logits) return PACED_OK;
    uint64_t bytes = (uint64_t)pixels * (uint64_t)g->classes * sizeof(float);
    return paced_buffer_read_later(logits, g->ring[slot].logits, bytes, &g->ring[slot].logits_ticket);
}

enum paced_err scorer_score(struct scorer *g, const struct paced_batch *batch, const struct paced_dataset *dataset,
                            struct paced_scores *scores) {
    unsigned slot = g->waited++ % RING;
    PACED_TRY(paced_ticket_wait(&g->ring[slot].ticket));
    PACED_TRY(paced_ticket_wait(&g->ring[slot].logits_ticket));
    size_t pixels = (size_t)g->pixels_per_sample;
    for (int i = 0; i < batch->count; ++i) {
        const char *name = paced_dataset_image_name(dataset, batch->index[i]);
        const uint8_t *label = batch->labels + (size_t)i * pixels;
        uint8_t *predicted = g->ring[slot].host + (size_t)i * pixels;
        const float *logits = g->ring[slot].logits;
        if (logits) logits += (size_t)i * pixels * (size_t)g->classes;
        if (g->evaluator)
            paced_evaluate(g->evaluator, name, predicted, logits, label, scores);
        else
            paced_scores_add(scores, name, predicted, label, pixels);
    }
    return PACED_OK;
}
