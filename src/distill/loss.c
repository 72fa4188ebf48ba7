/* loss: the loss on the device: the uncertainty, if the objective weights pixels by it, then one kernel that computes
 * values and gradients in a single pass.
 *
 * The device sums over chunks of pixels in a fixed order; the host adds the chunks in double precision. A ring of two
 * lets the sums of one step transfer while the next step runs. */
#include <math.h>
#include <stdlib.h>

#include "cl/parameters.h"
#include "paced/distill.h"

enum { RING = 2, MAX_PARTS = 4096, MIN_PART_PIXELS = 64 };

struct pending {
    float *parts;       /* [MAX_PARTS][PACED_SUMS] */
    int count, counted; /* parts; pixels that are not ignored */
    struct paced_ticket ticket;
};

struct paced_loss {
    struct paced_device *device;
    struct paced_objective objective;
    struct paced_extent extent;
    int with_teacher, pixels, classes; /* pixels: of a sample */
    int counted;                       /* pixels of the batch that are not ignored */
    double mu;
    struct paced_buffer *labels, *teacher, *svls, *uncertainty, *admission_score, *parts;
    struct pending ring[RING];
    unsigned written, waited; /* transfers begun and finished so far */
};

static enum paced_err make_buffers(struct paced_loss *l, int batch) {
    uint64_t pixels = (uint64_t)batch * (uint64_t)l->pixels, classes = (uint64_t)l->classes;
    PACED_TRY(paced_buffer_create(&l->labels, l->device, pixels));
    if (l->with_teacher) PACED_TRY(paced_buffer_create(&l->teacher, l->device, pixels * classes * sizeof(float)));
    PACED_TRY(paced_buffer_create(&l->svls, l->device, PACED_MAX_KERNEL * PACED_MAX_KERNEL * sizeof(float)));
    if (l->objective.weighting != PACED_WEIGHT_NONE) {
        PACED_TRY(paced_buffer_create(&l->uncertainty, l->device, pixels * sizeof(float)));
        PACED_TRY(paced_buffer_create(&l->admission_score, l->device, pixels * sizeof(float)));
    }
    return paced_buffer_create(&l->parts, l->device, MAX_PARTS * PACED_SUMS * sizeof(float));
}

enum paced_err paced_loss_create(struct paced_loss **out, struct paced_device *device,
                                 const struct paced_objective *objective, bool teacher, int batch,
                                 struct paced_extent extent, int classes) {
    *out = NULL;
    struct paced_loss *l = paced_alloc(1, sizeof *l);
    *l = (struct paced_loss){.device = device,
                             .objective = *objective,
                             .with_teacher = teacher,
                             .extent = extent,
                             .pixels = (int)paced_extent_pixels(extent),
                             .classes = classes};
    for (int i = 0; i < RING; ++i) l->ring[i].parts = paced_alloc(MAX_PARTS * PACED_SUMS, sizeof(float));
    enum paced_err err = make_buffers(l, batch);
    if (!err) err = paced_loss_set_epoch(l, 1, 1);
    if (err) {
        paced_loss_destroy(l);
        return err;
    }
    *out = l;
    return PACED_OK;
}

void paced_loss_destroy(struct paced_loss *l) {
    if (!l) return;
    for (int i = 0; i < RING; ++i) {
        paced_ticket_wait(&l->ring[i].ticket);
        free(l->ring[i].parts);
    }
    struct paced_buffer *buffers[] = {l->labels, l->teacher, l->svls, l->uncertainty, l->admission_score, l->parts};
    for (size_t i = 0; i < PACED_COUNT(buffers); ++i) paced_buffer_destroy(buffers[i]);
    free(l);
}

enum paced_err paced_loss_set_epoch(struct paced_loss *l, double mu, double sigma) {
    float weights[PACED_MAX_KERNEL * PACED_MAX_KERNEL];
    int side = l->objective.kernel;
    l->mu = mu;
    paced_svls_kernel(weights, side, sigma);
    return paced_buffer_write(l->svls, weights, (uint64_t)side * (uint64_t)side * sizeof *weights);
}

/* The gradient is divided by the number of pixels that count, so it must be known before the loss runs. */
static uint64_t count_labels(struct paced_loss *l, const uint8_t *labels, int count) {
    size_t pixels = (size_t)count * (size_t)l->pixels;
    l->counted = (int)paced_counted(labels, pixels);
    return pixels;
}

enum paced_err paced_loss_write_labels(struct paced_loss *l, const uint8_t *labels, int count) {
    return paced_buffer_write(l->labels, labels, count_labels(l, labels, count));
}

enum paced_err paced_loss_write_labels_later(struct paced_loss *l, const uint8_t *labels, int count) {
    return paced_buffer_write_later(l->labels, labels, count_labels(l, labels, count));
}

struct paced_buffer *paced_loss_teacher(struct paced_loss *l) {
    return l->teacher;
}

struct paced_buffer *paced_loss_uncertainty(struct paced_loss *l) {
    return l->uncertainty;
}

/* ---- uncertainty --------------------------------------------------------------------------------------------- */

/* True if a pixel's admission score is its uncertainty (see uncertainty.cl). */
static bool scores_by_uncertainty(const struct paced_objective *o) {
    return o->weighting == PACED_WEIGHT_FUSED || o->hard_first || o->by_quantile;
}

/* Constants of uncertainty.cl. */
static const struct paced_define of_uncertainty[] = {
    PACED_DEFINE(PACED_WEIGHT_TRUE_CLASS), PACED_DEFINE(PACED_WEIGHT_CLASS_MEAN),
    PACED_DEFINE(PACED_WEIGHT_FUSED),      PACED_DEFINE(PACED_FUSE_PRODUCT),
    PACED_DEFINE(PACED_FUSE_MEAN),         PACED_DEFINE(PACED_FUSE_MAX),
    PACED_DEFINE(PACED_FUSE_WEIGHTED),     PACED_DEFINE(PACED_FUSE_PREDICTION),
    PACED_DEFINE(PACED_IGNORED),           {NULL, 0},
};

enum paced_err paced_loss_measure(struct paced_loss *l, int count, int fuse) {
    static const struct paced_kernel uncertainty = {"uncertainty.cl", "uncertainty", of_uncertainty};
    static const struct paced_kernel image_mean = {"uncertainty.cl", "image_mean", of_uncertainty};
    const struct paced_objective *o = &l->objective;
    const struct uncertainty parameters = {.pixels = count * l->pixels,
                                           .h = l->extent.height,
                                           .w = l->extent.width,
                                           .classes = l->classes,
                                           .weighting = (int)o->weighting,
                                           .by_max = o->prediction == PACED_PREDICTION_MAX,
                                           .fuse = fuse < 0 ? o->fuse : fuse,
                                           .beta = o->beta,
                                           .tau = o->tau,
                                           .side = o->boundary == PACED_BOUNDARY_SVLS ? o->kernel : 0,
                                           .hard_first = o->hard_first,
                                           .by_u = scores_by_uncertainty(o),
                                           .has_teacher = l->with_teacher};
    PACED_TRY(PACED_LAUNCH(l->device, &uncertainty, paced_range_items((uint64_t)parameters.pixels), 1,
                           PACED_STRUCT(uncertainty, &parameters), l->with_teacher ? l->teacher : l->parts, l->labels,
                           l->svls, l->uncertainty, l->admission_score));
    if (o->weighting != PACED_WEIGHT_IMAGE_MAX) return PACED_OK;
    struct paced_buffer *both[] = {l->uncertainty, l->admission_score};
    for (int i = 0; i < 2; ++i)
        PACED_TRY(PACED_LAUNCH(l->device, &image_mean, paced_range_chunks((uint64_t)count), 1, count, l->pixels,
                               l->labels, both[i]));
    return PACED_OK;
}

/* The largest admission score of an admitted pixel. */
static float limit_of(const struct paced_loss *l) {
    if (scores_by_uncertainty(&l->objective)) return (float)l->mu;
    return -(float)(1 - l->mu);
}

static float low_weight_of(const struct paced_loss *l) {
    if (!l->objective.soft) return 0;
    return l->mu + 0.1 < 1 ? (float)(l->mu + 0.1) : 1;
}

enum paced_err paced_loss_read_weights(struct paced_loss *l, int count, float *weights) {
    size_t pixels = (size_t)count * (size_t)l->pixels;
    float limit = limit_of(l), low = low_weight_of(l);
    PACED_TRY(paced_buffer_read(l->admission_score, weights, pixels * sizeof *weights));
    for (size_t i = 0; i < pixels; ++i) weights[i] = weights[i] <= limit ? 1 : isinf(weights[i]) ? 0 : low;
    return PACED_OK;
}

/* ---- the loss ------------------------------------------------------------------------------------------------ */

static int part_pixels(int pixels) {
    int size = (pixels + MAX_PARTS - 1) / MAX_PARTS;
    return size < MIN_PART_PIXELS ? MIN_PART_PIXELS : size;
}

static int part_count(int pixels) {
    return (pixels + part_pixels(pixels) - 1) / part_pixels(pixels);
}

enum paced_err paced_loss_run(struct paced_loss *l, const struct paced_buffer *logits, int count,
                              struct paced_buffer *dlogits) {
    static const struct paced_define constants[] = {
        PACED_DEFINE(PACED_TARGET_HARD), PACED_DEFINE(PACED_TARGET_UNIFORM), PACED_DEFINE(PACED_IGNORED), {NULL, 0}};
    static const struct paced_kernel loss_pixels = {"loss.cl", "loss_pixels", constants};
    const struct paced_objective *o = &l->objective;
    int pixels = count * l->pixels;
    const struct loss parameters = {.pixels = pixels,
                                    .counted = l->counted,
                                    .part_pixels = part_pixels(pixels),
                                    .h = l->extent.height,
                                    .w = l->extent.width,
                                    .classes = l->classes,
                                    .with_gradient = dlogits != NULL,
                                    .with_teacher = l->with_teacher,
                                    .with_weight = o->weighting != PACED_WEIGHT_NONE,
                                    .c0 = o->c0,
                                    .c1 = o->c1,
                                    .k0 = o->k0,
                                    .k1 = o->k1,
                                    .limit = limit_of(l),
                                    .low_weight = low_weight_of(l),
                                    .temperature = o->temperature,
                                    .target = o->target,
                                    .smoothing = o->smoothing,
                                    .side = o->kernel};
    if (parameters.with_weight) PACED_TRY(paced_loss_measure(l, count, -1));
    const struct paced_buffer *unused = l->parts;
    return PACED_LAUNCH(l->device, &loss_pixels, paced_range_chunks((uint64_t)part_count(pixels)),
                        paced_device_vector(l->device, 16), PACED_STRUCT(loss, &parameters), logits,
                        l->with_teacher ? l->teacher : unused, l->labels, l->svls,
                        parameters.with_weight ? l->admission_score : unused, dlogits ? dlogits : l->parts, l->parts);
}

enum paced_err paced_loss_read_later(struct paced_loss *l, int count) {
    struct pending *slot = &l->ring[l->written++ % RING];
    slot->counted = l->counted;
    slot->count = part_count(count * l->pixels);
    return paced_buffer_read_later(l->parts, slot->parts, (uint64_t)slot->count * PACED_SUMS * sizeof(float),
                                   &slot->ticket);
}

enum paced_err paced_loss_wait(struct paced_loss *l, struct paced_loss_sums *sums) {
    struct pending *slot = &l->ring[l->waited++ % RING];
    PACED_TRY(paced_ticket_wait(&slot->ticket));
    *sums = (struct paced_loss_sums){.pixels = slot->counted};
    for (int i = 0; i < slot->count; ++i)
        for (int k = 0; k < PACED_SUMS; ++k) sums->of[k] += (double)slot->parts[i * PACED_SUMS + k];
    return PACED_OK;
}
