/* y = a + b, with an optional ReLU, which ends a residual block. Each summand's gradient is dy, or with the ReLU dy
 * where y > 0 and else 0: backward reads y only for this mask. */
#include "src/ops/ops.h"

struct add {
    int relu;
};

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    const struct add *a = node->attributes;
    struct extent x = extent_of(e, node->out);
    const struct paced_buffer *in = paced_exec_value(e, node->in[0]), *y = paced_exec_value(e, node->out);
    return LAUNCH_PIXELS(e, x, PACED_KERNEL_FOR(add, add_fwd, in, y), a->relu, in, paced_exec_value(e, node->in[1]), y);
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    const struct add *a = node->attributes;
    struct extent x = extent_of(e, node->out);
    const struct paced_buffer *dy = paced_exec_grad(e, node->out);
    for (int i = 0; i < node->inputs; ++i) {
        if (!node->in[i]->needs_grad) continue;
        const struct paced_kernel *kernel = PACED_KERNEL_FOR(add, add_bwd, paced_exec_grad(e, node->in[i]), dy);
        PACED_TRY(LAUNCH_PIXELS(e, x, kernel, a->relu, paced_exec_value(e, node->out), dy, GRAD_ARGS(e, node->in[i])));
    }
    return PACED_OK;
}

static const struct paced_op add = {"add", PACED_READS_NOTHING, .forward = forward, .backward = backward},
                             add_relu = {"add_relu", PACED_READS_OUTPUT, .forward = forward, .backward = backward};

struct paced_tensor *paced_add(struct paced_graph *graph, struct paced_tensor *a, struct paced_tensor *b, bool relu) {
    if (!a || !b || paced_graph_error(graph)) return NULL;
    struct paced_tensor *both[] = {a, b};
    struct paced_node *node = paced_graph_add(graph, relu ? &add_relu : &add, NULL, 2, both, a->shape);
    struct add *own = node->attributes = paced_alloc(1, sizeof *own);
    own->relu = relu;
    return node->out;
}
