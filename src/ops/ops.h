/* Private to the ops room: what several operations share. */
#ifndef PACED_OPS_OPS_H
#define PACED_OPS_OPS_H

#include "paced/ops.h"

/* Pixels of a tensor in the running pass: n h w. */
static inline int pixels_of(const struct paced_exec *exec, const struct paced_tensor *t) {
    return paced_exec_samples(exec) * t->shape.h * t->shape.w;
}

/* Sums over pixels are taken in two fixed steps, so that they are the same in every run: a partial result per chunk of
 * pixels, then one walk over the chunks. */
struct chunks {
    int count, pixels; /* of each chunk; the last may be smaller */
};
enum { MAX_CHUNKS = 256, MIN_CHUNK_PIXELS = 256 };

static inline struct chunks chunks_of(int pixels) {
    int size = (pixels + MAX_CHUNKS - 1) / MAX_CHUNKS;
    if (size < MIN_CHUNK_PIXELS) size = MIN_CHUNK_PIXELS;
    return (struct chunks){(pixels + size - 1) / size, size};
}

/* dbias[c] = sum over pixels of dy[pixel][c] (reduce.cl); scratch: MAX_CHUNKS * c floats of the workspace from `offset`
 * on. */
enum paced_err sum_over_pixels(struct paced_exec *exec, const struct paced_buffer *dy, int pixels, int c,
                               uint64_t scratch_offset, struct paced_buffer *sum);
static inline uint64_t sum_scratch_bytes(int c) {
    return (uint64_t)MAX_CHUNKS * (uint64_t)c * 4;
}

/* to[pixel][c] = beta to + scale from[pixel / plane][c] (plane.cl): a pixel for every plane of so many. */
enum paced_err spread_over_pixels(struct paced_exec *exec, const struct paced_buffer *from, int plane, float scale,
                                  int pixels, int c, float beta, struct paced_buffer *to);

#endif
