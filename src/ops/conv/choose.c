/* The algorithm of a convolution, by shape, direction, precision and device, is the first of these that applies:
 *   1. the environment variable PACED_CONV, for all convolutions that the algorithm supports;
 *   2. the device's tuning, [convolution] SHAPE DIRECTION = ALGORITHM (in mixed precision SHAPE DIRECTION mixed);
 *   3. dot products for 1x1 convolutions to a few filters; F(4x4,3x3) where it multiplies less, which was measured to
 *      be one to five times as fast, for 3 to 512 channels and 7 to 224 pixels a side; F(2x2,3x3) where tiles of a
 *      dilated convolution have few real outputs; on CPUs their tiles are kept in local memory if they fit; in training
 *      by AMX, patches instead where a batch has few tiles. */
#include <stdlib.h>
#include <string.h>

#include "src/ops/conv/conv.h"

static const struct conv_algorithm *const algorithms[] = {&conv_im2col,    &conv_pointwise, &conv_winograd2,
                                                          &conv_winograd4, &conv_kept2,     &conv_kept4};

#define ALGORITHMS "there are im2col, pointwise, winograd2, winograd4, kept2 and kept4"

static const struct conv_algorithm *by_name(const char *name) {
    for (size_t i = 0; name && i < PACED_COUNT(algorithms); ++i)
        if (strcmp(name, algorithms[i]->name) == 0) return algorithms[i];
    return NULL;
}

static bool is_kept(const struct conv_algorithm *algorithm) {
    return algorithm == &conv_kept2 || algorithm == &conv_kept4;
}

/* ---- what applies -------------------------------------------------------------------------------------------- */

/* A use of a convolution: its products, and the workspace that algorithms may take. */
struct scope {
    struct paced_conv_use use;
    enum paced_products products;
    uint64_t limit;
    int batch;
};

static enum paced_err make_scope(struct scope *scope, struct paced_conv_use use, uint64_t limit, int batch) {
    *scope = (struct scope){.use = use, .limit = limit, .batch = batch};
    return conv_products(use.device, use.precision, &scope->products);
}

static bool fits_shape(const struct conv_algorithm *algorithm, const struct conv *v,
                       enum paced_conv_direction direction) {
    if (algorithm == &conv_im2col) return true;
    if (algorithm == &conv_pointwise) return v->size == 1 && v->stride == 1 && v->pad == 0 && v->k < PACED_GEMM_TILE;
    if (is_kept(algorithm) && direction == PACED_CONV_BACKWARD_WEIGHTS) return false;
    return v->size == 3 && v->stride == 1 && v->pad <= 2 * v->dilation;
}

static bool applies(const struct conv_algorithm *algorithm, const struct conv *v, const struct scope *scope) {
    if (!fits_shape(algorithm, v, scope->use.direction)) return false;
    return !is_kept(algorithm) ||
           conv_kept_applies(v, algorithm->m, scope->use.precision, scope->products, scope->use.device, scope->limit);
}

/* In training, a ReLU whose sign flips by rounding in the forward pass changes the whole gradient by 1e-4 to 1e-2
 * (relative). In a large layer some flip with any algorithm. In a small layer, where F(4x4) and a fast product gain
 * little, F(2x2), which is as accurate as a plain sum, and products summed in blocks keep most gradients exact. In
 * mixed precision, whose rounding is coarser, they would gain nothing. */
static bool is_small(struct paced_shape out) {
    enum { FEW_VALUES = 1 << 16 };
    return (int64_t)out.h * out.w * out.c < FEW_VALUES;
}

static bool is_accurate(const struct conv_algorithm *algorithm, const struct conv *v, struct paced_conv_use use) {
    bool exact = algorithm != &conv_winograd4 && !is_kept(algorithm);
    return exact || use.precision == PACED_PRECISION_MIXED || use.direction != PACED_CONV_FORWARD_TRAINING ||
           !is_small((struct paced_shape){v->oh, v->ow, v->k});
}

bool conv_forward_is_blocked(const struct paced_exec *e, struct paced_shape out) {
    return paced_exec_precision(e) == PACED_PRECISION_FLOAT32 && paced_exec_is_training(e) && is_small(out);
}

/* ---- by shape ------------------------------------------------------------------------------------------------ */

/* NULL if no Winograd algorithm multiplies less than a plain sum; a tile counts in full even if few of its outputs are
 * real. Small tiles are for dilated convolutions: in dense ones they multiply less only at two pixels a side. */
static const struct conv_algorithm *winograd_by_products(const struct conv *v, bool backward_data) {
    int64_t plain = backward_data ? 9LL * v->h * v->w : 9LL * v->oh * v->ow;
    int64_t two = conv_winograd_products(v, 2, backward_data), four = conv_winograd_products(v, 4, backward_data);
    if (v->dilation > 1 && two < four) return two < plain ? &conv_winograd2 : NULL;
    return four < plain ? &conv_winograd4 : NULL;
}

static const struct conv_algorithm *kept_if_possible(const struct conv_algorithm *planes, const struct conv *v,
                                                     const struct scope *scope) {
    const struct conv_algorithm *kept = planes == &conv_winograd4 ? &conv_kept4 : &conv_kept2;
    return applies(kept, v, scope) && is_accurate(kept, v, scope->use) ? kept : planes;
}

/* True if a batch has too few tiles for the traffic of U, which is four times the weights in F(4x4) and which a
 * training step transforms anew (backward-weights: the sums, which are as large). In return, multiplications are saved,
 * in proportion to the tiles; channels cancel out. With products in tiles of registers (AMX) patches took 0.4 to 1 of
 * the time with 64 tiles, and with 196 tiles 0.8 forward, 1 to 1.2 backward, for 256 to 1024 channels. Products in
 * pairs are too slow for that, and prediction keeps U. */
static bool has_too_few_tiles(const struct conv_algorithm *planes, const struct conv *v, const struct scope *scope) {
    enum { FEW_TILES = 128, FEW_FORWARD = 256 };
    enum paced_conv_direction direction = scope->use.direction;
    if (scope->products != PACED_PRODUCTS_TILES || direction == PACED_CONV_FORWARD) return false;
    int64_t products = conv_winograd_products(v, planes->m, direction == PACED_CONV_BACKWARD_DATA);
    int64_t tiles = scope->batch * products / ((planes->m + 2) * (planes->m + 2));
    return tiles < (direction == PACED_CONV_FORWARD_TRAINING ? FEW_FORWARD : FEW_TILES);
}

static const struct conv_algorithm *by_shape(const struct conv *v, const struct scope *scope) {
    enum paced_conv_direction direction = scope->use.direction;
    if (applies(&conv_pointwise, v, scope)) return &conv_pointwise;
    /* All taps of an image's three channels fill less than two tiles of one product; Winograd would pad each plane. */
    bool forward = direction == PACED_CONV_FORWARD || direction == PACED_CONV_FORWARD_TRAINING;
    if (!applies(&conv_winograd4, v, scope) || (forward && v->c < 8)) return &conv_im2col;
    const struct conv_algorithm *fewest = winograd_by_products(v, direction == PACED_CONV_BACKWARD_DATA);
    if (!fewest || has_too_few_tiles(fewest, v, scope)) return &conv_im2col;
    return kept_if_possible(is_accurate(fewest, v, scope->use) ? fewest : &conv_winograd2, v, scope);
}

/* ---- by tuning ----------------------------------------------------------------------------------------------- */

static void write_key(char *out, size_t size, const struct conv *v, int n, struct paced_conv_use use) {
    static const char *const names[] = {[PACED_CONV_FORWARD] = "forward",
                                        [PACED_CONV_FORWARD_TRAINING] = "forward-training",
                                        [PACED_CONV_BACKWARD_DATA] = "backward-data",
                                        [PACED_CONV_BACKWARD_WEIGHTS] = "backward-weights"};
    snprintf(out, size, "%dx%dx%d-%d k%d s%d p%d d%d n%d %s%s", v->h, v->w, v->c, v->k, v->size, v->stride, v->pad,
             v->dilation, n, names[use.direction], use.precision == PACED_PRECISION_MIXED ? " mixed" : "");
}

/* *out is NULL if the tuning has no line for this convolution. */
static enum paced_err by_tuning(const struct paced_tuning *tuning, const struct conv *v, int n,
                                struct paced_conv_use use, const struct conv_algorithm **out) {
    char key[128];
    write_key(key, sizeof key, v, n, use);
    const char *name = paced_tuning_get(tuning, "convolution", key);
    *out = by_name(name);
    if (!name || (*out && fits_shape(*out, v, use.direction) && is_accurate(*out, v, use))) return PACED_OK;
    return paced_tuning_refuse(tuning, "convolution", key,
                               *out ? "does not apply to this convolution, or is too inaccurate; remove the line"
                                    : "no such algorithm; " ALGORITHMS);
}

const char *paced_conv_forced(void) {
    const char *name = getenv("PACED_CONV");
    return name && *name ? name : NULL;
}

/* ---- choosing ------------------------------------------------------------------------------------------------ */

/* An algorithm of the tuning that needs more memory than there is gives way to the one by shape. */
enum paced_err conv_choose(struct paced_exec *e, const struct conv *v, enum paced_conv_direction direction,
                           const struct conv_algorithm **out) {
    struct paced_device *device = paced_exec_device(e);
    struct scope scope;
    PACED_TRY(make_scope(&scope, (struct paced_conv_use){direction, paced_exec_precision(e), device},
                         paced_exec_workspace_limit(e), paced_exec_batch(e)));
    *out = by_name(paced_conv_forced());
    if (*out && applies(*out, v, &scope)) return PACED_OK;
    PACED_TRY(by_tuning(paced_device_tuning(device), v, paced_exec_samples(e), scope.use, out));
    if (!*out || !applies(*out, v, &scope)) *out = by_shape(v, &scope);
    return PACED_OK;
}

/* A plan must have room for every algorithm, since it does not know the tuning. */
uint64_t conv_workspace_bytes(const struct conv *v, int samples, uint64_t limit) {
    uint64_t most = 0;
    for (size_t i = 0; i < PACED_COUNT(algorithms); ++i) {
        if (!fits_shape(algorithms[i], v, PACED_CONV_FORWARD)) continue;
        uint64_t bytes = algorithms[i]->workspace_bytes(algorithms[i]->m, v, samples, limit);
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* ---- for tuning ---------------------------------------------------------------------------------------------- */

char *paced_conv_tuning_key(const struct paced_node *node, int n, struct paced_conv_use use) {
    char key[128];
    write_key(key, sizeof key, node->attributes, n, use);
    return paced_strdup(key);
}

enum paced_err paced_conv_algorithm_at(const struct paced_node *node, struct paced_conv_use use, size_t i,
                                       const char **name) {
    const struct conv *v = node->attributes;
    struct scope scope;
    *name = NULL;
    PACED_TRY(make_scope(&scope, use, PACED_WORKSPACE_BYTES, 1));
    for (size_t a = 0; a < PACED_COUNT(algorithms) && !*name; ++a)
        if (applies(algorithms[a], v, &scope) && is_accurate(algorithms[a], v, use) && i-- == 0)
            *name = algorithms[a]->name;
    return PACED_OK;
}

enum paced_err conv_check_forced(void) {
    const char *forced = paced_conv_forced();
    if (!forced || by_name(forced)) return PACED_OK;
    return paced_error(PACED_INVALID, "PACED_CONV=%s: no such algorithm; " ALGORITHMS, forced);
}

enum paced_err conv_check_tuning(const struct conv *v, const struct paced_tuning *tuning,
                                 enum paced_precision precision, int samples) {
    const struct conv_algorithm *algorithm;
    for (int d = 0; d < PACED_CONV_DIRECTIONS; ++d)
        PACED_TRY(by_tuning(tuning, v, samples, (struct paced_conv_use){(enum paced_conv_direction)d, precision, NULL},
                            &algorithm));
    return PACED_OK;
}
