/* y = max(x, 0); dx = dy where y > 0. Not used after batch normalisation, which has its own ReLU. */
#include "src/ops/ops.h"

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    static const struct paced_kernel relu_fwd = {"relu.cl", "relu_fwd"};
    const struct paced_shape s = node->out->shape;
    int vec = paced_device_vector(paced_exec_device(e), s.c), vectors = s.c / vec, pixels = pixels_of(e, node->out);
    return PACED_LAUNCH(paced_exec_device(e), &relu_fwd, paced_range_pixels((uint64_t)pixels, (uint32_t)vectors), vec,
                        pixels, vectors, paced_exec_value(e, node->in[0]), paced_exec_value(e, node->out));
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    static const struct paced_kernel relu_bwd = {"relu.cl", "relu_bwd"};
    if (!node->in[0]->needs_grad) return PACED_OK;
    const struct paced_shape s = node->out->shape;
    int vec = paced_device_vector(paced_exec_device(e), s.c), vectors = s.c / vec, pixels = pixels_of(e, node->out);
    return PACED_LAUNCH(paced_exec_device(e), &relu_bwd, paced_range_pixels((uint64_t)pixels, (uint32_t)vectors), vec,
                        pixels, vectors, paced_exec_value(e, node->out), paced_exec_grad(e, node->out),
                        paced_exec_grad_beta(e, node->in[0]), paced_exec_grad(e, node->in[0]));
}

static const struct paced_op relu = {"relu", PACED_READS_OUTPUT, .forward = forward, .backward = backward};

struct paced_tensor *paced_relu(struct paced_graph *graph, struct paced_tensor *x) {
    if (!x || paced_graph_error(graph)) return NULL;
    return paced_graph_add(graph, &relu, NULL, 1, &x, x->shape)->out;
}
