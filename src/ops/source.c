/* Sources on the device: the kernel arguments of operations that read views. */
#include "src/ops/ops.h"

static struct source_part part_of(const struct paced_exec *e, const struct paced_part *p) {
    const struct paced_buffer *x = paced_exec_value(e, p->stored);
    return (struct source_part){
        x,      p->map ? paced_exec_value(e, p->map) : x, p->stored->shape, p->factor, p->top, p->left, p->map != NULL,
        p->relu};
}

/* A part without channels. Its pointers must be valid but are not read. */
static struct source_part nothing(const struct paced_buffer *buffer) {
    return (struct source_part){.x = buffer, .map = buffer, .factor = 1};
}

struct source source_of(const struct paced_exec *e, const struct paced_source *source) {
    struct source s = {{part_of(e, &source->part[0])}};
    s.part[1] = source->parts > 1 ? part_of(e, &source->part[1]) : nothing(s.part[0].x);
    return s;
}

struct source source_of_buffer(const struct paced_buffer *buffer, struct paced_shape shape) {
    return (struct source){{{.x = buffer, .map = buffer, .shape = shape, .factor = 1}, nothing(buffer)}};
}

int source_vector(const struct paced_device *device, const struct source *source) {
    return paced_device_vector(device, source->part[0].shape.c | source->part[1].shape.c);
}

bool source_is_plain(const struct source *source) {
    const struct source_part *p = &source->part[0];
    return source->part[1].shape.c == 0 && p->factor == 1 && p->top == 0 && p->left == 0 && !p->mapped;
}

enum paced_err store_source(struct paced_exec *e, const struct paced_source *found, const struct paced_tensor *out,
                            int offset) {
    static const struct paced_kernel source_store = {"source.cl", "source_store"};
    struct source source = source_of(e, found);
    int c = source.part[0].shape.c + source.part[1].shape.c, pixels = pixels_of(e, out);
    int vec = paced_device_vector(paced_exec_device(e),
                                  source.part[0].shape.c | source.part[1].shape.c | out->shape.c | offset);
    return PACED_LAUNCH(paced_exec_device(e), &source_store, paced_range_pixels((uint64_t)pixels, (uint32_t)(c / vec)),
                        vec, PACED_ARG(pixels), PACED_ARG(out->shape.h), PACED_ARG(out->shape.w),
                        PACED_ARG(out->shape.c / vec), PACED_ARG(offset / vec), PACED_ARG_SOURCE(&source, vec),
                        PACED_ARG(paced_exec_value(e, out)));
}

enum paced_err store_view(struct paced_exec *e, const struct paced_node *node) {
    if (node->out->view) return PACED_OK;
    struct paced_source found;
    node->op->view(node, &found);
    return store_source(e, &found, node->out, 0);
}
