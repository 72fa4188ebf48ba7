/* The layer conv2d: y = x * w + bias (cross-correlation, zero padding). The arithmetic is in the algorithms. */
#include <math.h>

#include "src/ops/conv/conv.h"

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

bool paced_conv_of(const struct paced_node *node, struct paced_conv *conv) {
    if (node->op != &conv2d) return false;
    const struct conv *v = node->attributes;
    *conv = (struct paced_conv){v->k, v->size, v->stride, v->pad, v->dilation, v->bias, false};
    return true;
}

enum paced_err paced_conv_check_tuning(const struct paced_graph *graph, const struct paced_tuning *tuning,
                                       enum paced_precision precision, int samples) {
    struct paced_conv conv;
    PACED_TRY(conv_check_forced());
    for (size_t i = 0; i < paced_graph_node_count(graph); ++i) {
        const struct paced_node *node = paced_graph_node(graph, i);
        if (paced_conv_of(node, &conv)) PACED_TRY(conv_check_tuning(node->attributes, tuning, precision, samples));
    }
    return PACED_OK;
}
