/* Scorer of predictions. */
#include "src/run/scorer.h"

#include <stdlib.h>
#include <string.h>

enum { RING = 2 };

struct scorer {
    struct paced_device *device;
    int batch, pixels_per_sample, classes;
    struct paced_buffer *prediction;
    struct paced_evaluator *evaluator; /* NULL: pixels are counted only */
    struct grids *grids;               /* of the evaluator */
    struct {
        uint8_t *host;
        float *logits; /* NULL: not needed */
        struct paced_ticket ticket, logits_ticket;
    } ring[RING];
    unsigned started, waited;
    uint64_t *blank; /* hashes of the names of images without a pixel that counts, which were reported */
    size_t blank_count;
};

enum paced_err scorer_create(struct scorer **out, struct paced_device *device, int batch, struct paced_extent extent,
                             int classes) {
    *out = NULL;
    struct scorer *s = paced_alloc(1, sizeof *s);
    *s = (struct scorer){
        .device = device, .batch = batch, .pixels_per_sample = (int)paced_extent_pixels(extent), .classes = classes};
    size_t bytes = (size_t)batch * (size_t)s->pixels_per_sample;
    for (int i = 0; i < RING; ++i) s->ring[i].host = paced_alloc(bytes, 1);
    enum paced_err err = paced_buffer_create(&s->prediction, device, bytes);
    if (err) {
        scorer_destroy(s);
        return err;
    }
    *out = s;
    return PACED_OK;
}

void scorer_destroy(struct scorer *s) {
    if (!s) return;
    for (int i = 0; i < RING; ++i) {
        paced_ticket_wait(&s->ring[i].ticket);
        paced_ticket_wait(&s->ring[i].logits_ticket);
        free(s->ring[i].host);
        free(s->ring[i].logits);
    }
    paced_buffer_destroy(s->prediction);
    free(s->blank);
    free(s);
}

void scorer_take_evaluator(struct scorer *s, struct paced_evaluator *evaluator, struct grids *grids) {
    s->grids = grids;
    s->evaluator = evaluator;
    if (!paced_evaluator_needs_logits(evaluator)) return;
    size_t values = (size_t)s->batch * (size_t)s->pixels_per_sample * (size_t)s->classes;
    for (int i = 0; i < RING; ++i) s->ring[i].logits = paced_alloc(values, sizeof(float));
}

enum paced_err scorer_start(struct scorer *s, const struct paced_buffer *logits, int count) {
    static const struct paced_kernel argmax = {"argmax.cl", "argmax"};
    int pixels = count * s->pixels_per_sample;
    unsigned slot = s->started++ % RING;
    PACED_TRY(PACED_LAUNCH(s->device, &argmax, paced_range_items((uint64_t)pixels), 1, pixels, s->classes, logits,
                           s->prediction));
    PACED_TRY(paced_buffer_read_later(s->prediction, s->ring[slot].host, (uint64_t)pixels, &s->ring[slot].ticket));
    if (!s->ring[slot].logits) return PACED_OK;
    uint64_t bytes = (uint64_t)pixels * (uint64_t)s->classes * sizeof(float);
    return paced_buffer_read_later(logits, s->ring[slot].logits, bytes, &s->ring[slot].logits_ticket);
}

/* Reports an image without a pixel that counts, once in all passes. */
static void report_blank(struct scorer *s, const char *name) {
    uint64_t hash = paced_hash(PACED_HASH_START, name, strlen(name));
    for (size_t i = 0; i < s->blank_count; ++i)
        if (s->blank[i] == hash) return;
    s->blank = paced_grow(s->blank, s->blank_count + 1, sizeof *s->blank);
    s->blank[s->blank_count++] = hash;
    paced_log(PACED_LOG_WARN, "%s: the mask ignores every pixel; the image is left out of all scores", name);
}

enum paced_err scorer_score(struct scorer *s, const struct paced_batch *batch, const struct paced_dataset *dataset,
                            struct paced_scores *scores) {
    unsigned slot = s->waited++ % RING;
    PACED_TRY(paced_ticket_wait(&s->ring[slot].ticket));
    PACED_TRY(paced_ticket_wait(&s->ring[slot].logits_ticket));
    size_t pixels = (size_t)s->pixels_per_sample;
    for (int i = 0; i < batch->count; ++i) {
        const char *name = paced_dataset_image_name(dataset, batch->index[i]);
        const uint8_t *label = batch->labels + (size_t)i * pixels;
        uint8_t *predicted = s->ring[slot].host + (size_t)i * pixels;
        const float *logits = s->ring[slot].logits;
        if (logits) logits += (size_t)i * pixels * (size_t)s->classes;
        if (s->evaluator)
            PACED_TRY(grids_evaluate(s->grids, s->evaluator, batch->index[i], predicted, logits, label, scores));
        else
            paced_scores_add(scores, name, predicted, label, pixels);
        if (!paced_scores_has_pixels(scores, paced_scores_count(scores) - 1)) report_blank(s, name);
    }
    return PACED_OK;
}
