/* batch_norm: y = (x - mean) / sqrt(var + eps) weight + bias per channel (Ioffe and Szegedy, 2015), then max(y, 0)
 * if requested. Backward, with xhat = (x - mean) / sqrt(var + eps), dz = dy where y > 0 (ReLU), P = n h w:
 *   dbias = sum dz, dweight = sum dz xhat, dx = weight / sqrt(var + eps) (dz - dbias / P - xhat dweight / P) */
#include <math.h>
#include <string.h>

#include "tests/ref/ref.h"

static const double EPS = 1e-5, MOMENTUM = 0.1;

static size_t pixel_count(struct ref_shape s) {
    return (size_t)s.n * (size_t)s.h * (size_t)s.w;
}

void ref_batch_norm_statistics(struct ref_shape s, const float *x, double *mean, double *var) {
    size_t pixels = pixel_count(s), channels = (size_t)s.c;
    for (size_t c = 0; c < channels; ++c) {
        double sum = 0, squares = 0;
        for (size_t p = 0; p < pixels; ++p) sum += (double)x[p * channels + c];
        mean[c] = sum / (double)pixels;
        for (size_t p = 0; p < pixels; ++p) {
            double d = (double)x[p * channels + c] - mean[c];
            squares += d * d;
        }
        var[c] = squares / (double)pixels;
    }
}

void ref_batch_norm_running(struct ref_shape s, const double *mean, const double *var, const float *mean_before,
                            const float *var_before, double *mean_after, double *var_after) {
    double pixels = (double)pixel_count(s);
    for (int c = 0; c < s.c; ++c) {
        mean_after[c] = (1 - MOMENTUM) * (double)mean_before[c] + MOMENTUM * mean[c];
        var_after[c] = (1 - MOMENTUM) * (double)var_before[c] + MOMENTUM * var[c] * pixels / (pixels - 1);
    }
}

static double normal(const float *x, size_t i, double mean, double var) {
    return ((double)x[i] - mean) / sqrt(var + EPS);
}

void ref_batch_norm_fwd(const struct ref_norm *v, const float *x, const double *mean, const double *var, double *y) {
    size_t count = ref_count(v->x);
    for (size_t i = 0; i < count; ++i) {
        size_t c = i % (size_t)v->x.c;
        double value = normal(x, i, mean[c], var[c]) * (double)v->weight[c] + (double)v->bias[c];
        y[i] = v->relu && value < 0 ? 0 : value;
    }
}

static double unmasked(const struct ref_norm *v, double xhat, size_t c, double dy) {
    return !v->relu || xhat * (double)v->weight[c] + (double)v->bias[c] > 0 ? dy : 0;
}

void ref_batch_norm_bwd(const struct ref_norm *v, const float *x, const float *dy, const double *mean,
                        const double *var, double *dx, double *dweight, double *dbias) {
    size_t count = ref_count(v->x), channels = (size_t)v->x.c;
    double pixels = (double)pixel_count(v->x);
    memset(dweight, 0, channels * sizeof *dweight);
    memset(dbias, 0, channels * sizeof *dbias);
    for (size_t i = 0; i < count; ++i) {
        size_t c = i % channels;
        double xhat = normal(x, i, mean[c], var[c]), dz = unmasked(v, xhat, c, (double)dy[i]);
        dbias[c] += dz;
        dweight[c] += dz * xhat;
    }
    for (size_t i = 0; i < count; ++i) {
        size_t c = i % channels;
        double xhat = normal(x, i, mean[c], var[c]), dz = unmasked(v, xhat, c, (double)dy[i]);
        dx[i] = (double)v->weight[c] / sqrt(var[c] + EPS) * (dz - (dbias[c] + xhat * dweight[c]) / pixels);
    }
}
