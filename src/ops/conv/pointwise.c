/* 1x1 convolutions to a few filters (a network's last layer, to its classes) as dot products over channels. im2col
 * would gather the input, pad the filters to a whole tile and take several times as long. The gradient of the weights
 * is summed in two fixed steps, like all sums over pixels. */
#include "src/ops/conv/conv.h"

static int pixels_out(const struct paced_exec *e, const struct conv *v) {
    return paced_exec_samples(e) * v->oh * v->ow;
}

static uint64_t workspace_bytes(int tile, const struct conv *v, int samples, uint64_t limit) {
    return sum_scratch_bytes(v->k * v->c);
}

static enum paced_err forward(struct paced_exec *e, int tile, const struct paced_node *node, const struct conv *v,
                              const struct source *x, const struct paced_buffer *w, const struct paced_buffer *bias,
                              bool blocked, float beta, struct paced_buffer *y) {
    int vec = source_vector(paced_exec_device(e), x);
    const struct pointwise shape = {pixels_out(e, v), v->h, v->w, v->k, bias != NULL};
    return PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(pointwise, pointwise_fwd, x->x[0], y),
                        paced_range_pixels(shape.pixels, v->k), vec, PACED_STRUCT(pointwise, &shape), SOURCE_ARGS(x), w,
                        bias ? bias : w, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int tile, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *w, bool blocked, float beta, struct paced_buffer *dx) {
    int vec = paced_device_vector(paced_exec_device(e), v->c), vectors = v->c / vec, pixels = pixels_out(e, v);
    return PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(pointwise, pointwise_bwd_data, dx, dy),
                        paced_range_pixels(pixels, vectors), vec, pixels, vectors, v->k, dy, w, beta, dx);
}

static enum paced_err backward_weights(struct paced_exec *e, int tile, const struct conv *v, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw) {
    int vec = source_vector(paced_exec_device(e), x), vectors = v->c / vec;
    const struct pointwise shape = {pixels_out(e, v), v->h, v->w, v->k, false};
    struct chunks chunks = chunks_of(shape.pixels);
    struct paced_buffer *partial;
    PACED_TRY(paced_exec_workspace(e, 0, sum_scratch_bytes(v->k * v->c), &partial));
    PACED_TRY(PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(pointwise, pointwise_bwd_weights, x->x[0], dy),
                           paced_range_chunks((uint64_t)chunks.count * (uint64_t)vectors), vec,
                           PACED_STRUCT(pointwise, &shape), chunks.count, chunks.pixels, SOURCE_ARGS(x), dy, partial));
    return sum_over_chunks(e, partial, chunks.count, v->k * v->c, dw);
}

const struct conv_algorithm conv_pointwise = {"pointwise",     0, workspace_bytes, forward, backward_data,
                                              backward_weights};
