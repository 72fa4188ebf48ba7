/* conv_transpose2d: y starts as the bias; every pixel x[n][iy][ix][c] adds x w[c][ky][kx][k] to
 * y[n][iy stride - pad + ky][ix stride - pad + kx][k]; what falls outside y is lost.
 *
 * All three directions visit the same triples (input pixel, channel, tap), so that they are transposes of each other by
 * construction. */
#include <string.h>

#include "tests/ref/ref.h"

struct ref_shape ref_conv_transpose2d_shape(const struct ref_conv_transpose *v) {
    return (struct ref_shape){v->x.n, (v->x.h - 1) * v->stride - 2 * v->pad + v->kernel + v->output_pad,
                              (v->x.w - 1) * v->stride - 2 * v->pad + v->kernel + v->output_pad, v->k};
}

/* Position where a channel's tap puts an input pixel: offsets of the first filter. */
struct meeting {
    size_t y, w;
};

static bool meet(const struct ref_conv_transpose *v, int n, int iy, int ix, int c, int tap, struct meeting *at) {
    struct ref_shape out = ref_conv_transpose2d_shape(v);
    int oy = iy * v->stride - v->pad + tap / v->kernel, ox = ix * v->stride - v->pad + tap % v->kernel;
    if (oy < 0 || oy >= out.h || ox < 0 || ox >= out.w) return false;
    at->y = ref_at(out, n, oy, ox, 0);
    at->w = ((size_t)c * (size_t)(v->kernel * v->kernel) + (size_t)tap) * (size_t)v->k;
    return true;
}

#define FOR_INPUTS(s)                          \
    for (int n = 0; n < (s).n; ++n)            \
        for (int iy = 0; iy < (s).h; ++iy)     \
            for (int ix = 0; ix < (s).w; ++ix) \
                for (int c = 0; c < (s).c; ++c)

void ref_conv_transpose2d_fwd(const struct ref_conv_transpose *v, const float *x, const float *w, const float *bias,
                              double *y) {
    size_t k = (size_t)v->k, count = ref_count(ref_conv_transpose2d_shape(v));
    for (size_t i = 0; i < count; ++i) y[i] = bias ? (double)bias[i % k] : 0.0;
    FOR_INPUTS(v->x) {
        double value = (double)x[ref_at(v->x, n, iy, ix, c)];
        struct meeting at;
        for (int tap = 0; tap < v->kernel * v->kernel; ++tap)
            if (meet(v, n, iy, ix, c, tap, &at))
                for (size_t i = 0; i < k; ++i) y[at.y + i] += value * (double)w[at.w + i];
    }
}

void ref_conv_transpose2d_bwd_data(const struct ref_conv_transpose *v, const float *dy, const float *w, double *dx) {
    FOR_INPUTS(v->x) {
        double sum = 0;
        struct meeting at;
        for (int tap = 0; tap < v->kernel * v->kernel; ++tap)
            if (meet(v, n, iy, ix, c, tap, &at))
                for (size_t i = 0; i < (size_t)v->k; ++i) sum += (double)dy[at.y + i] * (double)w[at.w + i];
        dx[ref_at(v->x, n, iy, ix, c)] = sum;
    }
}

void ref_conv_transpose2d_bwd_weights(const struct ref_conv_transpose *v, const float *x, const float *dy, double *dw) {
    memset(dw, 0, (size_t)v->x.c * (size_t)(v->kernel * v->kernel * v->k) * sizeof *dw);
    FOR_INPUTS(v->x) {
        double value = (double)x[ref_at(v->x, n, iy, ix, c)];
        struct meeting at;
        for (int tap = 0; tap < v->kernel * v->kernel; ++tap)
            if (meet(v, n, iy, ix, c, tap, &at))
                for (size_t i = 0; i < (size_t)v->k; ++i) dw[at.w + i] += value * (double)dy[at.y + i];
    }
}

void ref_conv_transpose2d_bwd_bias(const struct ref_conv_transpose *v, const float *dy, double *dbias) {
    size_t k = (size_t)v->k, count = ref_count(ref_conv_transpose2d_shape(v));
    memset(dbias, 0, k * sizeof *dbias);
    for (size_t i = 0; i < count; ++i) dbias[i % k] += (double)dy[i];
}
