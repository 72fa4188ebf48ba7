/* The loss on the device: one kernel gives each pixel's value and gradient in a single pass.
 *
 * Sums are taken per chunk of pixels on the device (fixed order) and joined on the host in double precision. They are
 * fetched without stopping the device: a ring of two lets one step's sums travel while the next step runs. */
#include <stdlib.h>

#include "paced/distill.h"

enum { RING = 2, MAX_PARTS = 4096, MIN_PART_PIXELS = 64, COLUMNS = 2 };

struct pending {
    float *parts; /* [MAX_PARTS][COLUMNS] */
    int count;
    struct paced_ticket ticket;
};

struct paced_loss {
    struct paced_device *device;
    int pixels_per_sample, classes;
    struct paced_buffer *labels, *parts;
    struct pending ring[RING];
    int written, waited; /* reads begun and finished so far */
};

enum paced_err paced_loss_create(struct paced_loss **out, struct paced_device *device, int batch, int size,
                                 int classes) {
    *out = NULL;
    struct paced_loss *loss = paced_alloc(1, sizeof *loss);
    *loss = (struct paced_loss){.device = device, .pixels_per_sample = size * size, .classes = classes};
    for (int i = 0; i < RING; ++i) loss->ring[i].parts = paced_alloc(MAX_PARTS * COLUMNS, sizeof(float));
    enum paced_err err =
        paced_buffer_create(&loss->labels, device, (uint64_t)batch * (uint64_t)loss->pixels_per_sample);
    if (!err) err = paced_buffer_create(&loss->parts, device, MAX_PARTS * COLUMNS * sizeof(float));
    if (err) {
        paced_loss_destroy(loss);
        return err;
    }
    *out = loss;
    return PACED_OK;
}

void paced_loss_destroy(struct paced_loss *loss) {
    if (!loss) return;
    for (int i = 0; i < RING; ++i) {
        paced_ticket_wait(&loss->ring[i].ticket);
        free(loss->ring[i].parts);
    }
    paced_buffer_destroy(loss->labels);
    paced_buffer_destroy(loss->parts);
    free(loss);
}

struct paced_buffer *paced_loss_labels(struct paced_loss *loss) {
    return loss->labels;
}

static int part_pixels(int pixels) {
    int size = (pixels + MAX_PARTS - 1) / MAX_PARTS;
    return size < MIN_PART_PIXELS ? MIN_PART_PIXELS : size;
}

static int part_count(int pixels) {
    return (pixels + part_pixels(pixels) - 1) / part_pixels(pixels);
}

enum paced_err paced_loss_run(struct paced_loss *loss, const struct paced_buffer *logits, int count,
                              struct paced_buffer *dlogits) {
    static const struct paced_kernel loss_pixels = {"loss.cl", "loss_pixels"};
    int pixels = count * loss->pixels_per_sample, with_gradient = dlogits != NULL;
    return PACED_LAUNCH(loss->device, &loss_pixels, paced_range_chunks((uint64_t)part_count(pixels)), 1,
                        PACED_ARG(pixels), PACED_ARG(part_pixels(pixels)), PACED_ARG(loss->classes),
                        PACED_ARG(with_gradient), PACED_ARG(logits), PACED_ARG(loss->labels),
                        PACED_ARG(with_gradient ? dlogits : loss->parts), PACED_ARG(loss->parts));
}

enum paced_err paced_loss_read_later(struct paced_loss *loss, int count) {
    struct pending *slot = &loss->ring[loss->written++ % RING];
    slot->count = part_count(count * loss->pixels_per_sample);
    return paced_buffer_read_later(loss->parts, slot->parts, (uint64_t)slot->count * COLUMNS * sizeof(float),
                                   &slot->ticket);
}

enum paced_err paced_loss_wait(struct paced_loss *loss, struct paced_loss_sums *sums) {
    struct pending *slot = &loss->ring[loss->waited++ % RING];
    PACED_TRY(paced_ticket_wait(&slot->ticket));
    *sums = (struct paced_loss_sums){0};
    for (int i = 0; i < slot->count; ++i) {
        sums->loss += (double)slot->parts[i * COLUMNS];
        sums->ce += (double)slot->parts[i * COLUMNS + 1];
    }
    return PACED_OK;
}
