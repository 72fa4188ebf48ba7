/* The layer conv2d: y = x * w + bias (cross-correlation, zero padding). The arithmetic is in the algorithms.
 *
 * An algorithm is chosen by shape and direction, from the first of these that applies:
 *   1. the environment variable PACED_CONV (im2col, pointwise, winograd2 or winograd4), for all convolutions that the
 *      algorithm supports;
 *   2. the device's tuning, [convolution] SHAPE DIRECTION = ALGORITHM, in mixed precision SHAPE DIRECTION mixed first;
 *   3. dot products for 1x1 convolutions to a few filters; F(4x4,3x3) where it multiplies less, which was measured to
 *      be one to five times as fast, for 3 to 512 channels and 7 to 224 pixels a side; F(2x2,3x3) where tiles of a
 *      dilated convolution have few real outputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/ops/conv/conv.h"

static const struct conv_algorithm *const algorithms[] = {&conv_im2col, &conv_pointwise, &conv_winograd2,
                                                          &conv_winograd4};

#define ALGORITHMS "there are im2col, pointwise, winograd2 and winograd4"

static const struct conv_algorithm *by_name(const char *name) {
    for (size_t i = 0; name && i < PACED_COUNT(algorithms); ++i)
        if (strcmp(name, algorithms[i]->name) == 0) return algorithms[i];
    return NULL;
}

static bool applies(const struct conv_algorithm *algorithm, const struct conv *v) {
    if (algorithm == &conv_im2col) return true;
    if (algorithm == &conv_pointwise) return v->size == 1 && v->stride == 1 && v->pad == 0 && v->k < PACED_GEMM_TILE;
    return v->size == 3 && v->stride == 1 && v->pad <= 2 * v->dilation;
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
    return use.precision == PACED_PRECISION_MIXED || use.direction != PACED_CONV_FORWARD_TRAINING ||
           algorithm != &conv_winograd4 || !is_small((struct paced_shape){v->oh, v->ow, v->k});
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

static const struct conv_algorithm *by_shape(const struct conv *v, struct paced_conv_use use) {
    enum paced_conv_direction direction = use.direction;
    if (applies(&conv_pointwise, v)) return &conv_pointwise;
    /* All taps of an image's three channels fill less than two tiles of one product; Winograd would pad each plane. */
    bool forward = direction == PACED_CONV_FORWARD || direction == PACED_CONV_FORWARD_TRAINING;
    if (!applies(&conv_winograd4, v) || (forward && v->c < 8)) return &conv_im2col;
    const struct conv_algorithm *fewest = winograd_by_products(v, direction == PACED_CONV_BACKWARD_DATA);
    if (!fewest) return &conv_im2col;
    return is_accurate(fewest, v, use) ? fewest : &conv_winograd2;
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
    if (!name && use.precision == PACED_PRECISION_MIXED)
        return by_tuning(tuning, v, n, (struct paced_conv_use){use.direction, PACED_PRECISION_FLOAT32}, out);
    if (!name || (*out && applies(*out, v) && is_accurate(*out, v, use))) return PACED_OK;
    return paced_tuning_refuse(tuning, "convolution", key,
                               *out ? "does not apply to this convolution, or is too inaccurate; remove the line"
                                    : "no such algorithm; " ALGORITHMS);
}

const char *paced_conv_forced(void) {
    const char *name = getenv("PACED_CONV");
    return name && *name ? name : NULL;
}

/* ---- choosing ------------------------------------------------------------------------------------------------ */

enum paced_err conv_choose(struct paced_exec *e, const struct conv *v, enum paced_conv_direction direction,
                           const struct conv_algorithm **out) {
    *out = by_name(paced_conv_forced());
    if (*out && applies(*out, v)) return PACED_OK;
    const struct paced_conv_use use = {direction, paced_exec_precision(e)};
    PACED_TRY(by_tuning(paced_device_tuning(paced_exec_device(e)), v, paced_exec_samples(e), use, out));
    if (!*out) *out = by_shape(v, use);
    return PACED_OK;
}

/* A plan must have room for every algorithm, since it does not know the tuning. */
uint64_t conv_workspace_bytes(const struct conv *v, int samples, uint64_t limit) {
    uint64_t most = 0;
    for (size_t i = 0; i < PACED_COUNT(algorithms); ++i) {
        uint64_t bytes =
            applies(algorithms[i], v) ? algorithms[i]->workspace_bytes(algorithms[i]->m, v, samples, limit) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* ---- the layer ----------------------------------------------------------------------------------------------- */

enum { WEIGHT, BIAS };

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    const struct conv *conv = node->attributes;
    const struct source x = source_of(e, &node->in[0]->source);
    const struct conv_algorithm *algorithm;
    PACED_TRY(
        conv_choose(e, conv, paced_exec_is_training(e) ? PACED_CONV_FORWARD_TRAINING : PACED_CONV_FORWARD, &algorithm));
    return algorithm->forward(e, algorithm->m, node, conv, &x, paced_exec_param(e, node->params[WEIGHT]),
                              conv->bias ? paced_exec_param(e, node->params[BIAS]) : NULL,
                              conv_forward_is_blocked(e, node->out->shape), 0.0f, paced_exec_value(e, node->out));
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    const struct conv *conv = node->attributes;
    const struct paced_tensor *in = node->in[0];
    const struct source x = source_of(e, &in->source);
    const struct paced_buffer *dy = paced_exec_grad(e, node->out);
    const struct conv_algorithm *algorithm;
    if (conv->bias)
        PACED_TRY(
            sum_over_pixels(e, dy, pixels_of(e, node->out), conv->k, 0, paced_exec_param_grad(e, node->params[BIAS])));
    PACED_TRY(conv_choose(e, conv, PACED_CONV_BACKWARD_WEIGHTS, &algorithm));
    PACED_TRY(
        algorithm->backward_weights(e, algorithm->m, conv, &x, dy, paced_exec_param_grad(e, node->params[WEIGHT])));
    if (!in->needs_grad) return PACED_OK;
    PACED_TRY(conv_choose(e, conv, PACED_CONV_BACKWARD_DATA, &algorithm));
    return algorithm->backward_data(e, algorithm->m, conv, dy, paced_exec_param(e, node->params[WEIGHT]), false,
                                    GRAD_ARGS(e, in));
}

static uint64_t workspace(const struct paced_node *node, int batch, uint64_t limit) {
    return conv_workspace_bytes(node->attributes, batch, limit);
}

static const struct paced_op conv2d = {"conv2d", PACED_READS_INPUT,   forward,
                                       backward, .reads_views = true, .workspace = workspace};

/* Initialisation: PyTorch's default, uniform within 1 / sqrt(fan_in) for weights and bias; or (kaiming) that of
 * torchvision's residual networks, normal with standard deviation sqrt(2 / fan_out). */
static void add_params(struct paced_graph *graph, struct paced_node *node, const struct conv *a, bool kaiming) {
    int dims[] = {a->k, a->c, a->size, a->size};
    float bound = 1.0f / sqrtf((float)(a->c * a->size * a->size));
    float deviation = sqrtf(2.0f / (float)(a->k * a->size * a->size));
    node->params[WEIGHT] =
        paced_graph_param(graph, node->name, "weight", PACED_PARAM_TRAINED, PACED_LAYOUT_KRSC, 4, dims,
                          kaiming ? PACED_INIT_NORMAL : PACED_INIT_UNIFORM, kaiming ? deviation : bound);
    if (a->bias)
        node->params[BIAS] = paced_graph_param(graph, node->name, "bias", PACED_PARAM_TRAINED, PACED_LAYOUT_PLAIN, 1,
                                               dims, PACED_INIT_UNIFORM, bound);
}

struct paced_tensor *paced_conv2d(struct paced_graph *graph, const char *name, struct paced_tensor *x,
                                  struct paced_conv conv) {
    if (!x || paced_graph_error(graph)) return NULL;
    int reach = conv.dilation * (conv.kernel - 1) + 1;
    if (x->shape.h + 2 * conv.pad < reach || x->shape.w + 2 * conv.pad < reach) {
        paced_graph_fail(graph,
                         paced_error(PACED_INVALID, "%s cannot convolve %dx%d pixels with a %d wide kernel; %s", name,
                                     x->shape.h, x->shape.w, reach, paced_advice(PACED_CAUSE_IMAGE_TOO_SMALL)));
        return NULL;
    }
    struct paced_shape out = {(x->shape.h + 2 * conv.pad - reach) / conv.stride + 1,
                              (x->shape.w + 2 * conv.pad - reach) / conv.stride + 1, conv.filters};
    struct paced_node *node = paced_graph_add(graph, &conv2d, name, 1, &x, out);
    struct conv *a = node->attributes = paced_alloc(1, sizeof *a);
    *a = (struct conv){x->shape.h,  x->shape.w,  x->shape.c, out.h,         out.w,    out.c,
                       conv.kernel, conv.stride, conv.pad,   conv.dilation, conv.bias};
    add_params(graph, node, a, conv.kaiming);
    node->workspace_bytes = sum_scratch_bytes(a->k);
    node->macs = paced_shape_count(out) * (uint64_t)(a->c * a->size * a->size);
    return node->out;
}

/* ---- for tuning ---------------------------------------------------------------------------------------------- */

bool paced_conv_of(const struct paced_node *node, struct paced_conv *conv) {
    if (node->op != &conv2d) return false;
    const struct conv *v = node->attributes;
    *conv = (struct paced_conv){v->k, v->size, v->stride, v->pad, v->dilation, v->bias, false};
    return true;
}

char *paced_conv_tuning_key(const struct paced_node *node, int n, struct paced_conv_use use) {
    char key[128];
    write_key(key, sizeof key, node->attributes, n, use);
    return paced_strdup(key);
}

const char *paced_conv_algorithm_at(const struct paced_node *node, struct paced_conv_use use, size_t i) {
    for (size_t a = 0; a < PACED_COUNT(algorithms); ++a)
        if (applies(algorithms[a], node->attributes) && is_accurate(algorithms[a], node->attributes, use) && i-- == 0)
            return algorithms[a]->name;
    return NULL;
}

enum paced_err paced_conv_check_tuning(const struct paced_graph *graph, const struct paced_tuning *tuning,
                                       enum paced_precision precision, int samples) {
    struct paced_conv conv;
    const struct conv_algorithm *algorithm;
    const char *forced = paced_conv_forced();
    if (forced && !by_name(forced))
        return paced_error(PACED_INVALID, "PACED_CONV=%s: no such algorithm; " ALGORITHMS, forced);
    for (size_t i = 0; i < paced_graph_node_count(graph); ++i) {
        const struct paced_node *node = paced_graph_node(graph, i);
        for (int d = 0; paced_conv_of(node, &conv) && d < PACED_CONV_DIRECTIONS; ++d)
            PACED_TRY(by_tuning(tuning, node->attributes, samples,
                                (struct paced_conv_use){(enum paced_conv_direction)d, precision}, &algorithm));
    }
    return PACED_OK;
}
