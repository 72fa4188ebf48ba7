/* Private to the ops module: helpers that several operations share. */
#ifndef PACED_OPS_OPS_H
#define PACED_OPS_OPS_H

#include "cl/parameters.h"
#include "paced/ops.h"

/* Pixels of a tensor in the current pass: n h w. */
static inline int pixels_of(const struct paced_exec *exec, const struct paced_tensor *t) {
    return paced_exec_samples(exec) * t->shape.h * t->shape.w;
}

/* The pixels of a tensor in the current pass, their channel vectors, and the width of a vector. */
struct extent {
    int pixels, vectors, vec;
};
static inline struct extent extent_of(const struct paced_exec *exec, const struct paced_tensor *t) {
    int vec = paced_device_vector(paced_exec_device(exec), t->shape.c);
    return (struct extent){pixels_of(exec, t), t->shape.c / vec, vec};
}
/* Launches a kernel over an extent's pixels, whose first arguments are pixels and vectors. */
#define LAUNCH_PIXELS(exec, x, kernel, ...)                                                                         \
    PACED_LAUNCH(paced_exec_device(exec), kernel, paced_range_pixels((x).pixels, (x).vectors), (x).vec, (x).pixels, \
                 (x).vectors, __VA_ARGS__)

/* beta and the gradient, for a kernel that adds to it or overwrites it. */
#define GRAD_ARGS(exec, t) paced_exec_grad_beta(exec, t), paced_exec_grad(exec, t)

/* A kernel that computes the gradient of a node's input from that of its output. */
#define KERNEL_BWD(exec, node, file, name) \
    PACED_KERNEL_FOR(file, name, paced_exec_grad(exec, (node)->in[0]), paced_exec_grad(exec, (node)->out))

/* A source on the device, as kernels take it (SOURCE_PARAMS in common.clh). */
struct source {
    const struct paced_buffer *x[PACED_MAX_PARTS], *map[PACED_MAX_PARTS]; /* x of one format; map: NULL if none */
    struct source_layout layout;
};
struct source source_of(const struct paced_exec *exec, const struct paced_source *source);
struct source source_of_buffer(const struct paced_buffer *buffer, struct paced_shape shape);
/* The widest vector that divides the channels of both parts. */
int source_vector(const struct paced_device *device, const struct source *source);
bool source_is_plain(const struct source *source); /* one stored tensor, unchanged */
#define SOURCE_ARGS(source) \
    PACED_STRUCT(source_layout, &(source)->layout), (source)->x[0], (source)->map[0], (source)->x[1], (source)->map[1]

/* Stores the values of a source in a range of `out`'s channels, from `offset` on. */
enum paced_err store_source(struct paced_exec *exec, const struct paced_source *source, const struct paced_tensor *out,
                            int offset);
/* Stores the output of a node whose operation has `view`, unless the output is a view. */
enum paced_err store_view(struct paced_exec *exec, const struct paced_node *node);

/* Chunks of a sum over pixels. The sum has two fixed steps, so that it is the same in every run: a partial result per
 * chunk of pixels, then one loop over the chunks. */
struct chunks {
    int count, pixels; /* of each chunk; the last may be smaller */
};
enum { MAX_CHUNKS = 256, MIN_CHUNK_PIXELS = 256 };

static inline struct chunks chunks_of(int pixels) {
    int size = (pixels + MAX_CHUNKS - 1) / MAX_CHUNKS;
    if (size < MIN_CHUNK_PIXELS) size = MIN_CHUNK_PIXELS;
    return (struct chunks){(pixels + size - 1) / size, size};
}

/* sum[c] = sum over pixels of dy[pixel][c] (reduce.cl); scratch: MAX_CHUNKS * c floats of the workspace from
 * scratch_offset (bytes) on. */
enum paced_err sum_over_pixels(struct paced_exec *exec, const struct paced_buffer *dy, int pixels, int c,
                               uint64_t scratch_offset, struct paced_buffer *sum);
/* sum[c] = the sum of partial[chunks][c]. */
enum paced_err sum_over_chunks(struct paced_exec *exec, const struct paced_buffer *partial, int chunks, int c,
                               struct paced_buffer *sum);
static inline uint64_t sum_scratch_bytes(int c) {
    return (uint64_t)MAX_CHUNKS * (uint64_t)c * 4;
}

/* to[pixel][c] = beta to + scale from[pixel / plane][c] (global_pool.cl); plane: pixels that share one row of `from`.
 */
enum paced_err spread_over_pixels(struct paced_exec *exec, const struct paced_buffer *from, int plane, float scale,
                                  int pixels, int c, float beta, struct paced_buffer *to);

#endif
