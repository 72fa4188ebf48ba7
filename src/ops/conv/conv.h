/* Private to the convolutions: one layer's geometry, and the interface of an algorithm. */
#ifndef PACED_OPS_CONV_H
#define PACED_OPS_CONV_H

#include "src/ops/ops.h"

struct conv {
    int h, w, c;   /* of an input sample */
    int oh, ow, k; /* of an output sample; k filters */
    int size, stride, pad, dilation;
    bool bias;
};

/* An algorithm for convolutions. Forward and backward_data overwrite or add (beta); backward_weights overwrites
 * dw[k][size][size][c]. Each may use the workspace up to workspace_bytes, which stays within `limit` where possible.
 * `node` may cache the transformed weights of forward. `blocked`: long sums use paced_gemm_blocked. */
struct conv_algorithm {
    const char *name;
    int m; /* outputs of a tile's side, which each function is given */
    uint64_t (*workspace_bytes)(int m, const struct conv *conv, int samples, uint64_t limit);
    enum paced_err (*forward)(struct paced_exec *exec, int m, const struct paced_node *node, const struct conv *conv,
                              const struct source *x, const struct paced_buffer *w, const struct paced_buffer *bias,
                              bool blocked, float beta, struct paced_buffer *y);
    enum paced_err (*backward_data)(struct paced_exec *exec, int m, const struct conv *conv,
                                    const struct paced_buffer *dy, const struct paced_buffer *w, bool blocked,
                                    float beta, struct paced_buffer *dx);
    enum paced_err (*backward_weights)(struct paced_exec *exec, int m, const struct conv *conv, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw);
};

extern const struct conv_algorithm conv_im2col;                    /* any */
extern const struct conv_algorithm conv_pointwise;                 /* 1x1, stride 1, no padding, few filters */
extern const struct conv_algorithm conv_winograd2, conv_winograd4; /* 3x3, stride 1 */
extern const struct conv_algorithm conv_kept2, conv_kept4;         /* the same, forward and backward_data */

/* True if kept tiles of m outputs a side are possible: a CPU, whole vectors of channels, enough local memory, and a
 * workspace of at most `limit` bytes for U. */
bool conv_kept_applies(const struct conv *conv, int m, enum paced_precision precision, enum paced_products products,
                       const struct paced_device *device, uint64_t limit);

/* The products of a convolution's kernels: of bfloat16 in mixed precision if the device has them. PACED_STOPPED if the
 * user stopped the program during the device's trial. */
enum paced_err conv_products(struct paced_device *device, enum paced_precision precision,
                             enum paced_products *products);

/* The format of the operands of those products. */
static inline enum paced_format conv_operand_format(enum paced_products products) {
    return products ? PACED_BFLOAT16 : PACED_FLOAT32;
}

/* The vector width of the kernels that transpose: 16 if both sizes are multiples of 16 and the device handles vectors
 * of 16 well, else 1. */
static inline int conv_turning_vector(const struct paced_device *device, int rows, int columns) {
    bool whole = rows % 16 == 0 && columns % 16 == 0;
    return whole && paced_device_vector(device, 16) == 16 ? 16 : 1;
}

/* Multiplications of conv_winograd<m> per pair of channels and sample; a plain sum takes 9 per output. */
int64_t conv_winograd_products(const struct conv *conv, int m, bool backward_data);

/* The algorithm for the current pass. PACED_INVALID if the device's tuning names one that does not apply. */
enum paced_err conv_choose(struct paced_exec *exec, const struct conv *conv, enum paced_conv_direction direction,
                           const struct conv_algorithm **algorithm);

/* PACED_INVALID if PACED_CONV names no algorithm, or if the tuning has one that does not apply. */
enum paced_err conv_check_forced(void);
enum paced_err conv_check_tuning(const struct conv *conv, const struct paced_tuning *tuning,
                                 enum paced_precision precision, int samples);

/* True if a layer with this output must sum in blocks in the current forward pass (choose.c). */
bool conv_forward_is_blocked(const struct paced_exec *exec, struct paced_shape out);

uint64_t conv_workspace_bytes(const struct conv *conv, int samples, uint64_t limit); /* enough for every algorithm */

#endif
