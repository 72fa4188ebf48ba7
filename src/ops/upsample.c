/* Nearest upsampling by a whole factor: y[oy][ox] = x[oy / factor][ox / factor]; dx sums its factor x factor pixels. */
#include "src/ops/ops.h"

struct upsample {
    int factor;
};

static enum paced_err run(struct paced_exec *e, const struct paced_node *node, const struct paced_kernel *kernel,
                          const struct paced_tensor *over, const struct paced_buffer *from, float beta,
                          struct paced_buffer *to) {
    const struct upsample *a = node->attributes;
    const struct paced_shape in = node->in[0]->shape;
    int vec = paced_device_vector(paced_exec_device(e), in.c), vectors = in.c / vec, pixels = pixels_of(e, over);
    return PACED_LAUNCH(paced_exec_device(e), kernel, paced_range_pixels((uint64_t)pixels, (uint32_t)vectors), vec,
                        PACED_ARG(pixels), PACED_ARG(vectors), PACED_ARG(in.h), PACED_ARG(in.w), PACED_ARG(a->factor),
                        PACED_ARG(from), PACED_ARG(beta), PACED_ARG(to));
}

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    static const struct paced_kernel upsample_fwd = {"upsample.cl", "upsample_fwd"};
    return run(e, node, &upsample_fwd, node->out, paced_exec_value(e, node->in[0]), 0.0f,
               paced_exec_value(e, node->out));
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    static const struct paced_kernel upsample_bwd = {"upsample.cl", "upsample_bwd"};
    if (!node->in[0]->needs_grad) return PACED_OK;
    return run(e, node, &upsample_bwd, node->in[0], paced_exec_grad(e, node->out), paced_exec_grad_beta(e, node->in[0]),
               paced_exec_grad(e, node->in[0]));
}

static const struct paced_op upsample = {"upsample", PACED_READS_NOTHING, forward, backward};

struct paced_tensor *paced_upsample(struct paced_graph *graph, struct paced_tensor *x, int factor) {
    if (!x || paced_graph_error(graph)) return NULL;
    struct paced_shape out = {x->shape.h * factor, x->shape.w * factor, x->shape.c};
    struct paced_node *node = paced_graph_add(graph, &upsample, NULL, 1, &x, out);
    struct upsample *a = node->attributes = paced_alloc(1, sizeof *a);
    a->factor = factor;
    return node->out;
}
