/* ref: reference results of every operation, as plain loops without a device.
 *
 * Names are those of the operations and kernels. Tensors are NHWC; inputs are float32, as on the device, sums and
 * results double. Convolution weights are [k][kernel][kernel][c], as on the device. Gradients overwrite. */
#ifndef PACED_TESTS_REF_H
#define PACED_TESTS_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ref_shape {
    int n, h, w, c;
};

static inline size_t ref_count(struct ref_shape s) {
    return (size_t)s.n * (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

static inline size_t ref_at(struct ref_shape s, int n, int y, int x, int c) {
    return (((size_t)n * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x) * (size_t)s.c + (size_t)c;
}

/* ---- conv2d: x [n][h][w][c], y [n][oh][ow][k]; bias may be NULL ------------------------------------------------ */

struct ref_conv {
    struct ref_shape x;
    int k, kernel, stride, pad, dilation;
};
struct ref_shape ref_conv2d_shape(const struct ref_conv *conv);
void ref_conv2d_fwd(const struct ref_conv *conv, const float *x, const float *w, const float *bias, double *y);
void ref_conv2d_bwd_data(const struct ref_conv *conv, const float *dy, const float *w, double *dx);
void ref_conv2d_bwd_weights(const struct ref_conv *conv, const float *x, const float *dy, double *dw);
void ref_conv2d_bwd_bias(const struct ref_conv *conv, const float *dy, double *dbias);

/* ---- conv_transpose2d: weights [c][kernel][kernel][k]; bias may be NULL ---------------------------------------- */

struct ref_conv_transpose {
    struct ref_shape x;
    int k, kernel, stride, pad, output_pad;
};
struct ref_shape ref_conv_transpose2d_shape(const struct ref_conv_transpose *conv);
void ref_conv_transpose2d_fwd(const struct ref_conv_transpose *conv, const float *x, const float *w, const float *bias,
                              double *y);
void ref_conv_transpose2d_bwd_data(const struct ref_conv_transpose *conv, const float *dy, const float *w, double *dx);
void ref_conv_transpose2d_bwd_weights(const struct ref_conv_transpose *conv, const float *x, const float *dy,
                                      double *dw);
void ref_conv_transpose2d_bwd_bias(const struct ref_conv_transpose *conv, const float *dy, double *dbias);

/* ---- batch_norm: per channel over n, h, w; eps 1e-5, momentum 0.1; then ReLU if requested ---------------------- */

struct ref_norm {
    struct ref_shape x;
    bool relu;
    const float *weight, *bias;
};
/* Biased variance, as used by the normalisation. */
void ref_batch_norm_statistics(struct ref_shape shape, const float *x, double *mean, double *var);
/* Running statistics after one batch with these mean and var. */
void ref_batch_norm_running(struct ref_shape shape, const double *mean, const double *var, const float *mean_before,
                            const float *var_before, double *mean_after, double *var_after);
void ref_batch_norm_fwd(const struct ref_norm *norm, const float *x, const double *mean, const double *var, double *y);
/* Backward of a forward with the statistics of the batch. */
void ref_batch_norm_bwd(const struct ref_norm *norm, const float *x, const float *dy, const double *mean,
                        const double *var, double *dx, double *dweight, double *dbias);

/* ---- layers without parameters -------------------------------------------------------------------------------- */

void ref_relu_fwd(size_t count, const float *x, double *y);
void ref_relu_bwd(size_t count, const float *x, const float *dy, double *dx);

/* max(a + b, 0) if `relu`, else a + b; the gradient is that of either summand. */
void ref_add_fwd(size_t count, bool relu, const float *a, const float *b, double *y);
void ref_add_bwd(size_t count, bool relu, const float *a, const float *b, const float *dy, double *dx);

struct ref_pool {
    struct ref_shape x;
    int kernel, stride, pad;
};
struct ref_shape ref_max_pool_shape(const struct ref_pool *pool);
void ref_max_pool_fwd(const struct ref_pool *pool, const float *x, double *y);
void ref_max_pool_bwd(const struct ref_pool *pool, const float *x, const float *dy, double *dx);

void ref_upsample_fwd(struct ref_shape x_shape, int factor, const float *x, double *y);
void ref_upsample_bwd(struct ref_shape x_shape, int factor, const float *dy, double *dx);

/* Nearest to h x w by PyTorch's rule. */
void ref_resize_fwd(struct ref_shape x_shape, int h, int w, const float *x, double *y);
void ref_resize_bwd(struct ref_shape x_shape, int h, int w, const float *dy, double *dx);

/* x has the shape `plane`, y one pixel per sample; broadcast is the reverse. */
void ref_global_pool_fwd(struct ref_shape plane, const float *x, double *y);
void ref_global_pool_bwd(struct ref_shape plane, const float *dy, double *dx);
void ref_broadcast_fwd(struct ref_shape plane, const float *x, double *y);
void ref_broadcast_bwd(struct ref_shape plane, const float *dy, double *dx);

/* x of x_shape, padded or cropped to h x w. */
void ref_fit_fwd(struct ref_shape x_shape, int h, int w, const float *x, double *y);
void ref_fit_bwd(struct ref_shape x_shape, int h, int w, const float *dy, double *dx);

/* Concatenates `pixels` pixels of a_channels and b_channels. */
void ref_concat_fwd(size_t pixels, int a_channels, int b_channels, const float *a, const float *b, double *y);
void ref_concat_bwd(size_t pixels, int a_channels, int b_channels, const float *dy, double *da, double *db);

/* ---- loss and metrics ------------------------------------------------------------------------------------------ */

/* Mean over pixels; the gradient goes into ds, unless NULL. */
double ref_softmax_cross_entropy(size_t pixels, int classes, const float *s, const uint8_t *labels, double *ds);
void ref_argmax(size_t pixels, int classes, const float *s, uint8_t *prediction);

/* ---- uncertainty and the distilling loss ------------------------------------------------------------------------ */

/* Choices are numbered as the enums in paced/config.h. */
struct ref_uncertainty {
    int n, h, w, classes;
    int prediction, boundary, fuse;
    double tau, beta, sigma;
    int kernel;
};
void ref_svls_kernel(int side, double sigma, double *weights);
/* One-hot labels [n][h][w] smoothed with the kernel, replicate padding: soft[n][h][w][classes]. Ignored neighbours have
 * no weight; the weights of the others are divided by their sum. */
void ref_svls_label(const struct ref_uncertainty *r, const uint8_t *labels, double *soft);
/* u[n][h][w] from teacher logits t [n][h][w][classes]; not reversed; NaN for ignored pixels. */
void ref_uncertainty(const struct ref_uncertainty *r, const float *t, const uint8_t *labels, double *u);

/* ce CE + kld KLD of one pixel against a soft target; t may be NULL (no KLD). */
struct ref_mixture {
    int classes;
    double ce, kld, temperature;
};
double ref_distill_pixel(const struct ref_mixture *mixture, const double *s, const float *t, const double *target);

/* ---- optimisers: one step, in place ----------------------------------------------------------------------------- */

/* t counts from 1. decoupled: AdamW. */
void ref_adam(size_t count, double *w, const double *grad, double *m, double *v, int t, double lr, double weight_decay,
              bool decoupled);
void ref_sgd(size_t count, double *w, const double *grad, double *moment, double momentum, double lr,
             double weight_decay);

/* Scales `grad` down to an L2 norm of at most max_norm (0: unchanged), as PyTorch's clip_grad_norm_ does. */
void ref_clip(size_t count, double *grad, double max_norm);

/* ---- matrix products -------------------------------------------------------------------------------------------- */

/* c[b] = a[b] b[b] + beta c_before[b], row-major: a [m][k], b [k][n]. */
void ref_gemm(int batch, int m, int n, int k, const float *a, const float *b, double beta, const float *before,
              double *c);

#endif
