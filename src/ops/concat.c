/* y[..., 0:ca] = a, y[..., ca:ca+cb] = b, and so on; backward copies the ranges of dy back. One kernel copies a range
 * of channels of one tensor to a range of another. With more inputs than a view has parts, y is stored. */
#include "src/ops/ops.h"

struct range {
    int channels, offset; /* channels of the tensor; the first channel of the range */
};

static enum paced_err copy(struct paced_exec *e, int pixels, int count, struct range source, struct range target,
                           const struct paced_buffer *from, float beta, struct paced_buffer *to) {
    int all = count | source.channels | source.offset | target.channels | target.offset;
    int vec = paced_device_vector(paced_exec_device(e), all), vectors = count / vec;
    return PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(concat, concat_copy, to, from),
                        paced_range_pixels(pixels, vectors), vec, pixels, vectors, source.channels / vec,
                        source.offset / vec, target.channels / vec, target.offset / vec, from, beta, to);
}

static bool view(const struct paced_node *node, struct paced_source *source) {
    source->parts = 0;
    for (int i = 0; i < node->inputs; ++i) {
        const struct paced_source *in = &node->in[i]->source;
        if (source->parts + in->parts > PACED_MAX_PARTS) return false;
        for (int k = 0; k < in->parts; ++k) source->part[source->parts++] = in->part[k];
    }
    return true;
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    int pixels = pixels_of(e, node->out), offset = 0;
    for (int i = 0; i < node->inputs; ++i) {
        int c = node->in[i]->shape.c;
        if (node->in[i]->needs_grad)
            PACED_TRY(copy(e, pixels, c, (struct range){node->out->shape.c, offset}, (struct range){c, 0},
                           paced_exec_grad(e, node->out), GRAD_ARGS(e, node->in[i])));
        offset += c;
    }
    return PACED_OK;
}

static enum paced_err store_all(struct paced_exec *e, const struct paced_node *node) {
    int offset = 0;
    for (int i = 0; i < node->inputs; ++i) {
        PACED_TRY(store_source(e, &node->in[i]->source, node->out, offset));
        offset += node->in[i]->shape.c;
    }
    return PACED_OK;
}

static const struct paced_op concat = {"concat", PACED_READS_NOTHING, store_view,
                                       backward, .reads_views = true, .view = view},
                             wide = {"concat", PACED_READS_NOTHING, store_all, backward, .reads_views = true};

struct paced_tensor *paced_concat_all(struct paced_graph *graph, int count, struct paced_tensor *const *x) {
    if (paced_graph_error(graph)) return NULL;
    struct paced_shape out = {.c = 0};
    for (int i = 0; i < count; ++i) {
        if (!x[i]) return NULL;
        out = (struct paced_shape){x[i]->shape.h, x[i]->shape.w, out.c + x[i]->shape.c};
    }
    return paced_graph_add(graph, count > PACED_MAX_PARTS ? &wide : &concat, NULL, count, x, out)->out;
}

struct paced_tensor *paced_concat(struct paced_graph *graph, struct paced_tensor *a, struct paced_tensor *b) {
    return paced_concat_all(graph, 2, (struct paced_tensor *[]){a, b});
}
