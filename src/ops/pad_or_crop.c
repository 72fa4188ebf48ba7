/* Padding with zeros or cropping to another height and width: y[oy][ox] = x[oy - top][ox - left], zero outside x.
 * Backward is the same with -top and -left. */
#include "src/ops/ops.h"

struct pad_or_crop {
    int top, left;
};

static bool view(const struct paced_node *node, struct paced_source *source) {
    const struct pad_or_crop *a = node->attributes;
    *source = node->in[0]->source;
    for (int i = 0; i < source->parts; ++i) {
        struct paced_part *p = &source->part[i];
        if (p->top != 0 || p->left != 0) return false; /* cropped pixels would reappear */
        p->top = a->top;
        p->left = a->left;
    }
    return true;
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    const struct pad_or_crop *a = node->attributes;
    const struct paced_shape s = node->out->shape, t = node->in[0]->shape;
    if (!node->in[0]->needs_grad) return PACED_OK;
    struct extent x = extent_of(e, node->in[0]);
    return LAUNCH_PIXELS(e, x, KERNEL_BWD(e, node, pad_or_crop, pad_or_crop), s.h, s.w, t.h, t.w, -a->top, -a->left,
                         paced_exec_grad(e, node->out), GRAD_ARGS(e, node->in[0]));
}

static const struct paced_op pad_or_crop = {"pad_or_crop", PACED_READS_NOTHING, store_view,
                                            backward,      .reads_views = true, .view = view};

static int floor_half(int difference) {
    return (difference - (difference < 0 && difference % 2 != 0)) / 2;
}

struct paced_tensor *paced_pad_or_crop(struct paced_graph *graph, struct paced_tensor *x,
                                       const struct paced_tensor *like) {
    if (!x || !like || paced_graph_error(graph)) return NULL;
    int dh = like->shape.h - x->shape.h, dw = like->shape.w - x->shape.w;
    if (dh == 0 && dw == 0 && !paced_graph_pads_or_crops_all(graph)) return x;
    struct paced_shape out = {like->shape.h, like->shape.w, x->shape.c};
    struct paced_node *node = paced_graph_add(graph, &pad_or_crop, NULL, 1, &x, out);
    struct pad_or_crop *a = node->attributes = paced_alloc(1, sizeof *a);
    *a = (struct pad_or_crop){floor_half(dh), floor_half(dw)};
    node->like = like;
    return node->out;
}
