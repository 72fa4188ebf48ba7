/* y = max over kernel x kernel windows. Forward saves the position of the maximum in its window (one byte), and
 * backward needs nothing else: each input pixel gathers dy from the windows whose maximum it is. As in PyTorch, the
 * first of equal values wins, and NaN wins over all. */
#include "src/ops/ops.h"

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    struct source source = source_of(e, &node->in[0]->source);
    int vec = source_vector(paced_exec_device(e), &source), pixels = pixels_of(e, node->out);
    struct paced_buffer *y = paced_exec_value(e, node->out);
    return PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(max_pool, max_pool_fwd, source.x[0], y),
                        paced_range_pixels((uint64_t)pixels, (uint32_t)(node->out->shape.c / vec)), vec,
                        PACED_STRUCT(max_pool, node->attributes), pixels, SOURCE_ARGS(&source), y,
                        paced_exec_value(e, node->saved));
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    if (!node->in[0]->needs_grad) return PACED_OK;
    int c = node->out->shape.c, pixels = pixels_of(e, node->in[0]);
    int vec = paced_device_vector(paced_exec_device(e), c), vectors = c / vec;
    return PACED_LAUNCH(paced_exec_device(e), KERNEL_BWD(e, node, max_pool, max_pool_bwd),
                        paced_range_pixels(pixels, vectors), vec, PACED_STRUCT(max_pool, node->attributes), pixels,
                        vectors, paced_exec_grad(e, node->out), paced_exec_value(e, node->saved),
                        GRAD_ARGS(e, node->in[0]));
}

static const struct paced_op max_pool = {"max_pool", PACED_READS_NOTHING, forward, backward, .reads_views = true};

bool paced_max_pool_of(const struct paced_node *node, int *kernel, int *stride, int *pad) {
    if (node->op != &max_pool) return false;
    const struct max_pool *a = node->attributes;
    *kernel = a->size;
    *stride = a->stride;
    *pad = a->pad;
    return true;
}

struct paced_tensor *paced_max_pool(struct paced_graph *graph, struct paced_tensor *x, int kernel, int stride,
                                    int pad) {
    if (!x || paced_graph_error(graph)) return NULL;
    struct paced_shape out = {(x->shape.h + 2 * pad - kernel) / stride + 1,
                              (x->shape.w + 2 * pad - kernel) / stride + 1, x->shape.c};
    if (x->shape.h + 2 * pad < kernel || x->shape.w + 2 * pad < kernel) {
        paced_graph_fail(graph, paced_error(PACED_INVALID,
                                            "the image is too small for this network (%dx%d pixels are left to pool "
                                            "by %d after %s); %s",
                                            x->shape.h, x->shape.w, kernel, x->name,
                                            paced_advice(PACED_CAUSE_IMAGE_TOO_SMALL)));
        return NULL;
    }
    struct paced_node *node = paced_graph_add(graph, &max_pool, NULL, 1, &x, out);
    struct max_pool *a = node->attributes = paced_alloc(1, sizeof *a);
    *a = (struct max_pool){x->shape.h, x->shape.w, out.h, out.w, kernel, stride, pad};
    paced_graph_saved(graph, node, out, 1, true);
    return node->out;
}
