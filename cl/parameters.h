/* Parameters that the host passes to kernels as structs, by value. The host includes this file, and the loader prepends
 * it to every kernel file. All fields have 4 bytes, so that both sides agree on the layout. */
#ifndef PACED_CL_PARAMETERS_H
#define PACED_CL_PARAMETERS_H

#ifndef __OPENCL_C_VERSION__
_Static_assert(sizeof(int) == 4 && sizeof(float) == 4, "the sizes of OpenCL C");
#endif

/* A part of a source (struct paced_part in graph.h): a stored tensor of h x w pixels. */
struct part_layout {
    int h, w, channels, factor, top, left, mapped, relu;
};
struct source_layout {
    struct part_layout part[2]; /* a single part is followed by one without channels */
};

/* A gather of size x size pixels of h x w pixels for each of oh x ow pixels. `zero_insertion`: one less zeros are
 * inserted between the pixels of the source. */
struct im2col {
    int h, w, oh, ow, size, stride, pad, dilation, zero_insertion;
};

struct max_pool {
    int h, w, oh, ow, size, stride, pad;
};

struct pointwise {
    int pixels, h, w, filters, has_bias;
};

/* Tiles from `first` on, `rows` of all `tiles`, `down` x `across` in a sample of h x w outputs; a work-item takes a run
 * of `run` tiles. */
struct winograd_tiles {
    int tiles, first, rows, run, down, across, h, w, dilation;
};

/* Tiles in local memory: winograd_tiles.rows of them, of a source of h x w pixels. line: channels of U; depth: those of
 * V, which holds a slice of them at a time; plane: operands of a plane of V; block: operands of a block of U; outputs:
 * of a block, of all `padded` ones; sums_plane: floats of a plane of sums. `parts` work-groups take the same tiles. */
struct winograd_kept {
    int h, w, pad, line, depth, plane, block, outputs, padded, filters, sums_plane, parts, has_bias;
};

/* counted: number of pixels that are not ignored. */
struct loss {
    int pixels, counted, part_pixels, h, w, classes, with_gradient, with_teacher, with_weight;
    float c0, c1, k0, k1, limit, low_weight, temperature;
    int target;
    float smoothing;
    int side;
};

/* side 0: no boundary uncertainty. has_teacher may be 0 if only the boundary is needed. */
struct uncertainty {
    int pixels, h, w, classes, weighting, by_max, fuse;
    float beta, tau;
    int side, hard_first, by_u, has_teacher;
};

/* `keep` multiplies the weights: 1 - lr weight_decay for adamw, else 1. */
struct adam {
    float beta1, beta2, one_minus_beta1, one_minus_beta2, step_size, root, decay, keep;
};

#endif
