/* ops: the layers of a network. Each call appends one node and returns its output; see graph.h for the rules of
 * building. Names are the reference's state-dict prefixes. Shapes: x is [n][h][w][c]. */
#ifndef PACED_OPS_H
#define PACED_OPS_H

#include "paced/graph.h"

/* y[n][oh][ow][filters], oh = (h + 2 pad - dilation (kernel - 1) - 1) / stride + 1. Parameters "<name>.weight"
 * [filters][c][kernel][kernel] and "<name>.bias" [filters]. Initialised as in PyTorch by default, or kaiming-normal
 * (fan-out, ReLU) if `kaiming`. */
struct paced_conv {
    int filters, kernel, stride, pad, dilation;
    bool bias, kaiming;
};
struct paced_tensor *paced_conv2d(struct paced_graph *graph, const char *name, struct paced_tensor *x,
                                  struct paced_conv conv);

/* The transpose of such a convolution: y[n][oh][ow][filters], oh = (h - 1) stride - 2 pad + kernel + output_pad, with
 * output_pad < stride. Parameters "<name>.weight" [c][filters][kernel][kernel] and "<name>.bias" [filters]. Initialised
 * as in PyTorch by default. */
struct paced_conv_transpose {
    int filters, kernel, stride, pad, output_pad;
    bool bias;
};
struct paced_tensor *paced_conv_transpose2d(struct paced_graph *graph, const char *name, struct paced_tensor *x,
                                            struct paced_conv_transpose conv);

/* Several algorithms compute a convolution. The fastest depends on its shape, its direction and the device, and is
 * measured: a device's tuning names it in [convolution], under a key such as
 * "224x224x64-64 k3 s1 p1 d1 n4 forward" (h x w x c - filters, kernel, stride, pad, dilation, samples). In mixed
 * precision the key ends in " mixed". */
enum paced_conv_direction {
    PACED_CONV_FORWARD,
    PACED_CONV_FORWARD_TRAINING, /* in float32 requires a smaller rounding error than inference: choose.c */
    PACED_CONV_BACKWARD_DATA,
    PACED_CONV_BACKWARD_WEIGHTS,
    PACED_CONV_DIRECTIONS
};
struct paced_conv_use {
    enum paced_conv_direction direction;
    enum paced_precision precision;
    struct paced_device *device;
};

/* The algorithm that PACED_CONV in the environment names for all convolutions, or NULL. */
const char *paced_conv_forced(void);

/* The attributes of a convolution's node; false if it is another operation. */
bool paced_conv_of(const struct paced_node *node, struct paced_conv *conv);
bool paced_conv_transpose_of(const struct paced_node *node, struct paced_conv_transpose *conv);
/* The key of a convolution in the tuning; release with free(). */
char *paced_conv_tuning_key(const struct paced_node *node, int samples, struct paced_conv_use use);
/* PACED_INVALID, naming file and line, if the tuning has an algorithm that does not apply to the network's convolution;
 * or if PACED_CONV names none. */
enum paced_err paced_conv_check_tuning(const struct paced_graph *graph, const struct paced_tuning *tuning,
                                       enum paced_precision precision, int samples);
/* The names of the applicable algorithms, by number from 0 (im2col); NULL beyond the last. PACED_STOPPED if the user
 * stopped the program during a trial of the device. */
enum paced_err paced_conv_algorithm_at(const struct paced_node *node, struct paced_conv_use use, size_t i,
                                       const char **name);

/* Over n, h, w per channel; eps PACED_BATCH_NORM_EPS, momentum 0.1, running variance unbiased; then ReLU if `relu`.
 * Parameters weight, bias, running_mean, running_var, num_batches_tracked, in this order. */
#define PACED_BATCH_NORM_EPS 1e-5f
struct paced_tensor *paced_batch_norm(struct paced_graph *graph, const char *name, struct paced_tensor *x, bool relu);
bool paced_batch_norm_of(const struct paced_node *node, bool *relu); /* false if it is another operation */

struct paced_tensor *paced_relu(struct paced_graph *graph, struct paced_tensor *x);

/* a + b, then ReLU if `relu`; both of the same shape. */
struct paced_tensor *paced_add(struct paced_graph *graph, struct paced_tensor *a, struct paced_tensor *b, bool relu);

/* y[n][(h + 2 pad - kernel) / stride + 1][...][c]; padding never wins; the first of equal values wins. */
struct paced_tensor *paced_max_pool(struct paced_graph *graph, struct paced_tensor *x, int kernel, int stride, int pad);
bool paced_max_pool_of(const struct paced_node *node, int *kernel, int *stride, int *pad);

/* Nearest: y[n][h factor][w factor][c]. */
struct paced_tensor *paced_upsample(struct paced_graph *graph, struct paced_tensor *x, int factor);
bool paced_upsample_of(const struct paced_node *node, int *factor);

/* Nearest, to the height and width of `like`, by PyTorch's index rule: y[oy] = x[min(floor(oy (h / oh)), h - 1)], all
 * in float32. */
struct paced_tensor *paced_resize(struct paced_graph *graph, struct paced_tensor *x, const struct paced_tensor *like);

/* global_pool: the mean over h and w, y[n][1][1][c]. broadcast: x [n][1][1][c] at every pixel of `like`'s height and
 * width. */
struct paced_tensor *paced_global_pool(struct paced_graph *graph, struct paced_tensor *x);
struct paced_tensor *paced_broadcast(struct paced_graph *graph, struct paced_tensor *x,
                                     const struct paced_tensor *like);

/* x padded with zeros or cropped to the height and width of `like`: floor(difference / 2) (toward minus infinity) rows
 * and columns of it at the top and left. */
struct paced_tensor *paced_pad_or_crop(struct paced_graph *graph, struct paced_tensor *x,
                                       const struct paced_tensor *like);

/* Concatenation along the channels, of a and b or of up to PACED_MAX_INPUTS tensors of the same height and width. */
struct paced_tensor *paced_concat(struct paced_graph *graph, struct paced_tensor *a, struct paced_tensor *b);
struct paced_tensor *paced_concat_all(struct paced_graph *graph, int count, struct paced_tensor *const *x);

#endif
