/* Sources on the device: the kernel arguments of operations that read views. */
#include "src/ops/ops.h"

/* Sets a part; `shape` without channels if there is none, whose pointer x must be valid but is not read. */
static void set_part(struct source *s, int i, const struct paced_buffer *x, struct paced_shape shape) {
    s->x[i] = x;
    s->map[i] = NULL;
    s->layout.part[i] = (struct part_layout){.h = shape.h, .w = shape.w, .channels = shape.c, .factor = 1};
}

struct source source_of_buffer(const struct paced_buffer *buffer, struct paced_shape shape) {
    struct source s;
    set_part(&s, 0, buffer, shape);
    set_part(&s, 1, buffer, (struct paced_shape){0});
    return s;
}

struct source source_of(const struct paced_exec *e, const struct paced_source *source) {
    const struct paced_part *p = source->part;
    struct source s = source_of_buffer(paced_exec_value(e, p->stored), p->stored->shape);
    for (int i = 0; i < source->parts; ++i, ++p) {
        set_part(&s, i, paced_exec_value(e, p->stored), p->stored->shape);
        struct part_layout *layout = &s.layout.part[i];
        layout->factor = p->factor;
        layout->top = p->top;
        layout->left = p->left;
        layout->relu = p->relu;
        layout->mapped = p->map != NULL;
        if (p->map) s.map[i] = paced_exec_value(e, p->map);
    }
    return s;
}

static int either_channels(const struct source *s) {
    return s->layout.part[0].channels | s->layout.part[1].channels;
}

int source_vector(const struct paced_device *device, const struct source *source) {
    return paced_device_vector(device, either_channels(source));
}

bool source_is_plain(const struct source *source) {
    const struct part_layout *p = source->layout.part;
    return p[1].channels == 0 && p->factor == 1 && p->top == 0 && p->left == 0 && !p->mapped;
}

enum paced_err store_source(struct paced_exec *e, const struct paced_source *found, const struct paced_tensor *out,
                            int offset) {
    struct source source = source_of(e, found);
    int c = source.layout.part[0].channels + source.layout.part[1].channels, pixels = pixels_of(e, out);
    int vec = paced_device_vector(paced_exec_device(e), either_channels(&source) | out->shape.c | offset);
    struct paced_buffer *y = paced_exec_value(e, out);
    return PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(source, source_store, source.x[0], y),
                        paced_range_pixels((uint64_t)pixels, (uint32_t)(c / vec)), vec, pixels, out->shape.h,
                        out->shape.w, out->shape.c / vec, offset / vec, SOURCE_ARGS(&source), y);
}

enum paced_err store_view(struct paced_exec *e, const struct paced_node *node) {
    if (node->out->view) return PACED_OK;
    struct paced_source found;
    node->op->view(node, &found);
    return store_source(e, &found, node->out, 0);
}
