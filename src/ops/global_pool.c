/* Global average pooling, and the broadcast of one pixel over a plane. Each is the transpose of the other, up to a
 * factor:
 *   global_pool  y[n][c] = sum over h, w of x[n][h][w][c] / (h w)    dx[n][h][w][c] = dy[n][c] / (h w)
 *   broadcast    y[n][h][w][c] = x[n][c]                             dx[n][c] = sum over h, w of dy[n][h][w][c] */
#include "src/ops/ops.h"

/* to[n][1][1][c] = beta to + scale times the sum of from[n][h][w][c]. */
static enum paced_err sum(struct paced_exec *e, struct paced_shape plane, float scale, const struct paced_buffer *from,
                          float beta, struct paced_buffer *to) {
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, plane.c), vectors = plane.c / vec, samples = paced_exec_samples(e);
    return PACED_LAUNCH(device, PACED_KERNEL_FOR(global_pool, global_pool_sum, from, to),
                        paced_range_chunks((uint64_t)samples * (uint64_t)vectors), vec, samples, vectors, plane.h,
                        plane.w, scale, from, beta, to);
}

enum paced_err spread_over_pixels(struct paced_exec *e, const struct paced_buffer *from, int plane, float scale,
                                  int pixels, int c, float beta, struct paced_buffer *to) {
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, c), vectors = c / vec;
    return PACED_LAUNCH(device, PACED_KERNEL_FOR(global_pool, global_pool_spread, from, to),
                        paced_range_pixels(pixels, vectors), vec, pixels, vectors, plane, scale, from, beta, to);
}

/* to[n][h][w][c] = beta to + scale from[n][1][1][c]. */
static enum paced_err spread(struct paced_exec *e, const struct paced_tensor *plane, float scale,
                             const struct paced_buffer *from, float beta, struct paced_buffer *to) {
    const struct paced_shape s = plane->shape;
    return spread_over_pixels(e, from, s.h * s.w, scale, pixels_of(e, plane), s.c, beta, to);
}

static float fraction_of(struct paced_shape plane) {
    return 1.0f / (float)(plane.h * plane.w);
}

/* ---- global_pool --------------------------------------------------------------------------------------------- */

static enum paced_err pool_forward(struct paced_exec *e, const struct paced_node *node) {
    const struct paced_tensor *in = node->in[0];
    return sum(e, in->shape, fraction_of(in->shape), paced_exec_value(e, in), 0.0f, paced_exec_value(e, node->out));
}

static enum paced_err pool_backward(struct paced_exec *e, const struct paced_node *node) {
    const struct paced_tensor *in = node->in[0];
    if (!in->needs_grad) return PACED_OK;
    return spread(e, in, fraction_of(in->shape), paced_exec_grad(e, node->out), GRAD_ARGS(e, in));
}

static const struct paced_op global_pool = {"global_pool", PACED_READS_NOTHING, .forward = pool_forward,
                                            .backward = pool_backward};

struct paced_tensor *paced_global_pool(struct paced_graph *graph, struct paced_tensor *x) {
    if (!x || paced_graph_error(graph)) return NULL;
    return paced_graph_add(graph, &global_pool, NULL, 1, &x, (struct paced_shape){1, 1, x->shape.c})->out;
}

/* ---- broadcast ----------------------------------------------------------------------------------------------- */

static enum paced_err broadcast_forward(struct paced_exec *e, const struct paced_node *node) {
    return spread(e, node->out, 1.0f, paced_exec_value(e, node->in[0]), 0.0f, paced_exec_value(e, node->out));
}

static enum paced_err broadcast_backward(struct paced_exec *e, const struct paced_node *node) {
    const struct paced_tensor *in = node->in[0];
    if (!in->needs_grad) return PACED_OK;
    return sum(e, node->out->shape, 1.0f, paced_exec_grad(e, node->out), GRAD_ARGS(e, in));
}

static const struct paced_op broadcast = {"broadcast", PACED_READS_NOTHING, .forward = broadcast_forward,
                                          .backward = broadcast_backward};

struct paced_tensor *paced_broadcast(struct paced_graph *graph, struct paced_tensor *x,
                                     const struct paced_tensor *like) {
    if (!x || !like || paced_graph_error(graph)) return NULL;
    struct paced_shape out = {like->shape.h, like->shape.w, x->shape.c};
    struct paced_node *node = paced_graph_add(graph, &broadcast, NULL, 1, &x, out);
    node->like = like;
    return node->out;
}
