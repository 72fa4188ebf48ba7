/* Nearest upsampling by a whole factor: y[oy][ox] = x[oy / factor][ox / factor]; dx sums its factor x factor pixels. */
#include "src/ops/ops.h"

struct upsample {
    int factor;
};

/* Magnification applies before the shift of a part, so a shifted part cannot be upsampled. */
static bool view(const struct paced_node *node, struct paced_source *source) {
    const struct upsample *a = node->attributes;
    *source = node->in[0]->source;
    for (int i = 0; i < source->parts; ++i) {
        struct paced_part *p = &source->part[i];
        if (p->top != 0 || p->left != 0) return false;
        p->factor *= a->factor;
    }
    return true;
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    if (!node->in[0]->needs_grad) return PACED_OK;
    const struct upsample *a = node->attributes;
    const struct paced_shape in = node->in[0]->shape;
    struct extent x = extent_of(e, node->in[0]);
    return LAUNCH_PIXELS(e, x, KERNEL_BWD(e, node, upsample, upsample_bwd), in.h, in.w, a->factor,
                         paced_exec_grad(e, node->out), GRAD_ARGS(e, node->in[0]));
}

static const struct paced_op upsample = {"upsample", PACED_READS_NOTHING, store_view,
                                         backward,   .reads_views = true, .view = view};

bool paced_upsample_of(const struct paced_node *node, int *factor) {
    if (node->op != &upsample) return false;
    *factor = ((const struct upsample *)node->attributes)->factor;
    return true;
}

struct paced_tensor *paced_upsample(struct paced_graph *graph, struct paced_tensor *x, int factor) {
    if (!x || paced_graph_error(graph)) return NULL;
    struct paced_shape out = {x->shape.h * factor, x->shape.w * factor, x->shape.c};
    struct paced_node *node = paced_graph_add(graph, &upsample, NULL, 1, &x, out);
    struct upsample *a = node->attributes = paced_alloc(1, sizeof *a);
    a->factor = factor;
    return node->out;
}
