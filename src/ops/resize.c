/* Nearest resizing to any size, with PyTorch's index rule: y[oy][ox] = x[min(floor(oy (h / oh)), h - 1)][...], all in
 * float32 (exact arithmetic gives other pixels, for example from 200 to 48). Backward gathers: the outputs of one input
 * pixel are a rectangle, found by the same rule, so no two work-items write to the same place. */
#include "src/ops/ops.h"

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    const struct paced_shape in = node->in[0]->shape, out = node->out->shape;
    float ratio_y = (float)in.h / (float)out.h, ratio_x = (float)in.w / (float)out.w;
    struct extent x = extent_of(e, node->out);
    const struct paced_buffer *from = paced_exec_value(e, node->in[0]), *y = paced_exec_value(e, node->out);
    return LAUNCH_PIXELS(e, x, PACED_KERNEL_FOR(resize, resize_fwd, from, y), in.h, in.w, out.h, out.w, ratio_y,
                         ratio_x, from, y);
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    if (!node->in[0]->needs_grad) return PACED_OK;
    const struct paced_shape in = node->in[0]->shape, out = node->out->shape;
    float ratio_y = (float)in.h / (float)out.h, ratio_x = (float)in.w / (float)out.w;
    struct extent x = extent_of(e, node->in[0]);
    return LAUNCH_PIXELS(e, x, KERNEL_BWD(e, node, resize, resize_bwd), in.h, in.w, out.h, out.w, ratio_y, ratio_x,
                         paced_exec_grad(e, node->out), GRAD_ARGS(e, node->in[0]));
}

static const struct paced_op resize = {"resize", PACED_READS_NOTHING, .forward = forward, .backward = backward};

struct paced_tensor *paced_resize(struct paced_graph *graph, struct paced_tensor *x, const struct paced_tensor *like) {
    if (!x || !like || paced_graph_error(graph)) return NULL;
    struct paced_shape out = {like->shape.h, like->shape.w, x->shape.c};
    struct paced_node *node = paced_graph_add(graph, &resize, NULL, 1, &x, out);
    node->like = like;
    return node->out;
}
