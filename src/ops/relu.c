/* y = max(x, 0); dx = dy where y > 0. Not used after batch normalisation, which has its own ReLU. */
#include "src/ops/ops.h"

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    struct extent x = extent_of(e, node->out);
    const struct paced_buffer *in = paced_exec_value(e, node->in[0]), *y = paced_exec_value(e, node->out);
    return LAUNCH_PIXELS(e, x, PACED_KERNEL_FOR(relu, relu_fwd, in, y), in, y);
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    if (!node->in[0]->needs_grad) return PACED_OK;
    struct extent x = extent_of(e, node->out);
    return LAUNCH_PIXELS(e, x, KERNEL_BWD(e, node, relu, relu_bwd), paced_exec_value(e, node->out),
                         paced_exec_grad(e, node->out), GRAD_ARGS(e, node->in[0]));
}

static const struct paced_op relu = {"relu", PACED_READS_OUTPUT, .forward = forward, .backward = backward};

struct paced_tensor *paced_relu(struct paced_graph *graph, struct paced_tensor *x) {
    if (!x || paced_graph_error(graph)) return NULL;
    return paced_graph_add(graph, &relu, NULL, 1, &x, x->shape)->out;
}
