/* The layer conv_transpose2d: y is the transpose of a convolution, applied to x.
 *
 * The transposed convolution maps y to x: its input has y's size and channels, its filters are x's channels, its
 * weights [c][kernel][kernel][filters] are the layer's own. Each direction is one of that convolution's,
 *   forward            its backward, data
 *   backward, data     its forward
 *   backward, weights  its backward, weights, with dy as its input and x as its output's gradient,
 * computed by an algorithm. A bias is written to y first, and the products are added to it. */
#include <math.h>

#include "src/ops/conv/conv.h"

enum { WEIGHT, BIAS };

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    const struct conv *conv = node->attributes;
    struct paced_buffer *y = paced_exec_value(e, node->out);
    int pixels = pixels_of(e, node->out);
    const struct paced_param *bias = node->params[BIAS];
    if (bias) PACED_TRY(spread_over_pixels(e, paced_exec_param(e, bias), pixels, 1.0f, pixels, conv->c, 0.0f, y));
    /* The forward pass of training needs an accurate algorithm (see conv.c) in either direction. */
    const struct conv_algorithm *algorithm;
    PACED_TRY(conv_choose(e, conv, paced_exec_is_training(e) ? PACED_CONV_FORWARD_TRAINING : PACED_CONV_BACKWARD_DATA,
                          &algorithm));
    return algorithm->backward_data(e, algorithm->m, conv, paced_exec_value(e, node->in[0]),
                                    paced_exec_param(e, node->params[WEIGHT]),
                                    conv_forward_is_blocked(e, node->out->shape), bias ? 1.0f : 0.0f, y);
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    const struct conv *conv = node->attributes;
    const struct paced_tensor *in = node->in[0];
    const struct paced_buffer *dy = paced_exec_grad(e, node->out);
    if (node->params[BIAS])
        PACED_TRY(
            sum_over_pixels(e, dy, pixels_of(e, node->out), conv->c, 0, paced_exec_param_grad(e, node->params[BIAS])));
    const struct source through = source_of_buffer(dy, node->out->shape);
    const struct conv_algorithm *algorithm;
    PACED_TRY(conv_choose(e, conv, PACED_CONV_BACKWARD_WEIGHTS, &algorithm));
    PACED_TRY(algorithm->backward_weights(e, algorithm->m, conv, &through, paced_exec_value(e, in),
                                          paced_exec_param_grad(e, node->params[WEIGHT])));
    if (!in->needs_grad) return PACED_OK;
    PACED_TRY(conv_choose(e, conv, PACED_CONV_FORWARD, &algorithm));
    return algorithm->forward(e, algorithm->m, node, conv, &through, paced_exec_param(e, node->params[WEIGHT]), NULL,
                              false, GRAD_ARGS(e, in));
}

static uint64_t workspace(const struct paced_node *node, int batch, uint64_t limit) {
    return conv_workspace_bytes(node->attributes, batch, limit);
}

static const struct paced_op conv_transpose2d = {"conv_transpose2d", PACED_READS_INPUT, forward, backward,
                                                 .workspace = workspace};

/* Initialisation: PyTorch's default, uniform within 1 / sqrt(fan_in) for weights and bias; fan_in = filters kernel^2.
 */
static void add_params(struct paced_graph *graph, struct paced_node *node, const struct conv *conv, bool bias) {
    int dims[] = {conv->k, conv->c, conv->size, conv->size};
    float bound = 1.0f / sqrtf((float)(conv->c * conv->size * conv->size));
    node->params[WEIGHT] = paced_graph_param(graph, node->name, "weight", PACED_PARAM_TRAINED, PACED_LAYOUT_KRSC, 4,
                                             dims, PACED_INIT_UNIFORM, bound);
    if (bias)
        node->params[BIAS] = paced_graph_param(graph, node->name, "bias", PACED_PARAM_TRAINED, PACED_LAYOUT_PLAIN, 1,
                                               &conv->c, PACED_INIT_UNIFORM, bound);
}

bool paced_conv_transpose_of(const struct paced_node *node, struct paced_conv_transpose *conv) {
    if (node->op != &conv_transpose2d) return false;
    const struct conv *v = node->attributes;
    int output_pad = v->h - ((v->oh - 1) * v->stride - 2 * v->pad + v->size);
    *conv = (struct paced_conv_transpose){v->c, v->size, v->stride, v->pad, output_pad, node->params[BIAS] != NULL};
    return true;
}

static int enlarged(int side, const struct paced_conv_transpose *t) {
    return (side - 1) * t->stride - 2 * t->pad + t->kernel + t->output_pad;
}

struct paced_tensor *paced_conv_transpose2d(struct paced_graph *graph, const char *name, struct paced_tensor *x,
                                            struct paced_conv_transpose t) {
    if (!x || paced_graph_error(graph)) return NULL;
    struct paced_shape out = {enlarged(x->shape.h, &t), enlarged(x->shape.w, &t), t.filters};
    if (out.h < 1 || out.w < 1) {
        paced_graph_fail(graph, paced_error(PACED_INVALID, "the padding of %s leaves nothing of %dx%d pixels; %s", name,
                                            x->shape.h, x->shape.w, paced_advice(PACED_CAUSE_IMAGE_TOO_SMALL)));
        return NULL;
    }
    struct paced_node *node = paced_graph_add(graph, &conv_transpose2d, name, 1, &x, out);
    struct conv *conv = node->attributes = paced_alloc(1, sizeof *conv);
    *conv = (struct conv){out.h, out.w, out.c, x->shape.h, x->shape.w, x->shape.c, t.kernel, t.stride, t.pad, 1, false};
    add_params(graph, node, conv, t.bias);
    node->workspace_bytes = sum_scratch_bytes(out.c);
    node->macs = paced_shape_count(x->shape) * (uint64_t)(out.c * t.kernel * t.kernel);
    return node->out;
}
