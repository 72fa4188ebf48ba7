/* Predictions and their grades. */
#include "src/run/grader.h"

#include <stdlib.h>

enum { RING = 2 };

struct grader {
    struct paced_device *device;
    int pixels_per_sample, classes;
    struct paced_buffer *prediction;
    struct {
        uint8_t *host;
        struct paced_ticket ticket;
    } ring[RING];
    int started, waited;
};

enum paced_err grader_create(struct grader **out, struct paced_device *device, int batch, int size, int classes) {
    *out = NULL;
    struct grader *g = paced_alloc(1, sizeof *g);
    *g = (struct grader){.device = device, .pixels_per_sample = size * size, .classes = classes};
    size_t bytes = (size_t)batch * (size_t)g->pixels_per_sample;
    for (int i = 0; i < RING; ++i) g->ring[i].host = paced_alloc(bytes, 1);
    enum paced_err err = paced_buffer_create(&g->prediction, device, bytes);
    if (err) {
        grader_destroy(g);
        return err;
    }
    *out = g;
    return PACED_OK;
}

void grader_destroy(struct grader *g) {
    if (!g) return;
    for (int i = 0; i < RING; ++i) {
        paced_ticket_wait(&g->ring[i].ticket);
        free(g->ring[i].host);
    }
    paced_buffer_destroy(g->prediction);
    free(g);
}

enum paced_err grader_start(struct grader *g, const struct paced_buffer *logits, int count) {
    static const struct paced_kernel argmax = {"argmax.cl", "argmax"};
    int pixels = count * g->pixels_per_sample, slot = g->started++ % RING;
    PACED_TRY(PACED_LAUNCH(g->device, &argmax, paced_range_items((uint64_t)pixels), 1, PACED_ARG(pixels),
                           PACED_ARG(g->classes), PACED_ARG(logits), PACED_ARG(g->prediction)));
    return paced_buffer_read_later(g->prediction, g->ring[slot].host, (uint64_t)pixels, &g->ring[slot].ticket);
}

enum paced_err grader_wait(struct grader *g, const uint8_t **prediction) {
    int slot = g->waited++ % RING;
    *prediction = g->ring[slot].host;
    return paced_ticket_wait(&g->ring[slot].ticket);
}

enum paced_err grader_score(struct grader *g, const struct paced_batch *batch, const struct paced_dataset *dataset,
                            struct paced_scores *scores) {
    const uint8_t *prediction;
    PACED_TRY(grader_wait(g, &prediction));
    size_t pixels = (size_t)g->pixels_per_sample;
    for (int i = 0; i < batch->count; ++i)
        paced_scores_add(scores, paced_dataset_image_name(dataset, batch->index[i]), prediction + (size_t)i * pixels,
                         batch->labels + (size_t)i * pixels, pixels);
    return PACED_OK;
}
