/* Private to Winograd's convolutions: geometry, and the steps on the device. */
#ifndef PACED_OPS_CONV_WINOGRAD_H
#define PACED_OPS_CONV_WINOGRAD_H

#include "src/ops/conv/conv.h"

/* A convolution from source to target in tiles of m x m outputs. */
struct winograd {
    int m, samples;
    int h, w, c;   /* source */
    int oh, ow, k; /* target */
    int pad, dilation;
    bool blocked;                 /* sums in blocks */
    int max_outputs;              /* of a block */
    enum paced_products products; /* bfloat16 if not PACED_PRODUCTS_FLOAT: c and k are multiples of 16 */
};

struct winograd winograd_forward(const struct conv *v, int m, int samples);
struct winograd winograd_backward(const struct conv *v, int m, int samples);

int winograd_planes(const struct winograd *w);
int winograd_tile_count(const struct winograd *w);

/* All tiles but the first `first` ones, `rows` of which a launch takes in runs of `run`. */
struct winograd_tiles winograd_tiles_from(const struct winograd *w, int first, int rows, uint32_t run);

/* Elements of a line of channels. */
int winograd_line(const struct winograd *w);

/* Bytes of a matrix in all planes, above any device's alignment of sub-buffers; of operands, or of float sums. */
uint64_t winograd_operand_bytes(const struct winograd *w, int rows, int columns);
uint64_t winograd_sum_bytes(const struct winograd *w, int rows, int columns);

/* Outputs are taken in blocks of whole GEMM tiles, all of about equal size. `real` of a block's outputs exist. */
struct block {
    int from, outputs, real;
};
int winograd_outputs(const struct winograd *w); /* of a block, except the last */
int winograd_blocks(const struct winograd *w);
struct block winograd_block(const struct winograd *w, int index);

/* ---- steps (winograd.cl, winograd_weights.cl) ------------------------------------------------------------------- */

struct chunk {
    int first, rows; /* tiles; rows: whole GEMM tiles */
};

/* V of a chunk. With products of bfloat16 it is an operand of backward-weights. */
enum paced_err winograd_input(struct paced_exec *exec, const struct winograd *w, struct chunk chunk,
                              const struct source *source, struct paced_buffer *values);

/* U of one block from the weights [k][3][3][c]: of forward, or (reversed) of backward-data. */
enum paced_err winograd_filter(struct paced_exec *exec, const struct winograd *w, bool reversed, struct block block,
                               const struct paced_buffer *filter, struct paced_buffer *u);

/* target = beta target + bias + A^T M A of a chunk and a block. */
enum paced_err winograd_output(struct paced_exec *exec, const struct winograd *w, struct chunk chunk,
                               struct block block, const struct paced_buffer *products, const struct paced_buffer *bias,
                               float beta, struct paced_buffer *target);

/* V'(dy)^T of a chunk and a block, and dw of a block from the sums over all chunks. */
enum paced_err winograd_gradient(struct paced_exec *exec, const struct winograd *w, struct chunk chunk,
                                 struct block block, const struct paced_buffer *dy, struct paced_buffer *transposed);
enum paced_err winograd_taps(struct paced_exec *exec, const struct winograd *w, struct block block,
                             const struct paced_buffer *products, struct paced_buffer *dw);

#endif
