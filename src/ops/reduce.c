/* Sums over pixels, in a fixed order. */
#include "src/ops/ops.h"

enum paced_err sum_over_chunks(struct paced_exec *e, const struct paced_buffer *partial, int chunks, int c,
                               struct paced_buffer *sum) {
    int vec = paced_device_vector(paced_exec_device(e), c), vectors = c / vec;
    return PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL(reduce, sum_finish), paced_range_chunks(vectors), vec,
                        vectors, chunks, partial, sum);
}

enum paced_err sum_over_pixels(struct paced_exec *e, const struct paced_buffer *dy, int pixels, int c,
                               uint64_t scratch_offset, struct paced_buffer *sum) {
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, c), vectors = c / vec;
    struct chunks chunks = chunks_of(pixels);
    struct paced_buffer *partial;
    PACED_TRY(paced_exec_workspace(e, scratch_offset, sum_scratch_bytes(c), &partial));
    PACED_TRY(PACED_LAUNCH(device, PACED_KERNEL_FOR(reduce, sum_partial, dy, NULL),
                           paced_range_chunks((uint64_t)chunks.count * (uint64_t)vectors), vec, pixels, vectors,
                           chunks.count, chunks.pixels, dy, partial));
    return sum_over_chunks(e, partial, chunks.count, c, sum);
}
