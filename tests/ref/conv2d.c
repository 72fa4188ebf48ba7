/* conv2d: y[n][oy][ox][k] = bias[k] + sum over ky, kx, c of x[n][iy][ix][c] w[k][ky][kx][c], with
 * iy = oy stride - pad + ky dilation (ix alike); pixels outside x are zero.
 *
 * All three directions visit the same triples (output pixel, filter, tap), so that they are transposes of each other by
 * construction. */
#include <string.h>

#include "tests/ref/ref.h"

struct ref_shape ref_conv2d_shape(const struct ref_conv *v) {
    int reach = v->dilation * (v->kernel - 1) + 1;
    return (struct ref_shape){v->x.n, (v->x.h + 2 * v->pad - reach) / v->stride + 1,
                              (v->x.w + 2 * v->pad - reach) / v->stride + 1, v->k};
}

/* Position where a filter's tap meets x for one output pixel: offsets of the first channel. */
struct meeting {
    size_t x, w;
};

static bool meet(const struct ref_conv *v, int n, int oy, int ox, int k, int tap, struct meeting *at) {
    int ky = tap / v->kernel, kx = tap % v->kernel;
    int iy = oy * v->stride - v->pad + ky * v->dilation, ix = ox * v->stride - v->pad + kx * v->dilation;
    if (iy < 0 || iy >= v->x.h || ix < 0 || ix >= v->x.w) return false;
    at->x = ref_at(v->x, n, iy, ix, 0);
    at->w = ((size_t)k * (size_t)(v->kernel * v->kernel) + (size_t)tap) * (size_t)v->x.c;
    return true;
}

#define FOR_OUTPUTS(s)                         \
    for (int n = 0; n < (s).n; ++n)            \
        for (int oy = 0; oy < (s).h; ++oy)     \
            for (int ox = 0; ox < (s).w; ++ox) \
                for (int k = 0; k < (s).c; ++k)

void ref_conv2d_fwd(const struct ref_conv *v, const float *x, const float *w, const float *bias, double *y) {
    struct ref_shape out = ref_conv2d_shape(v);
    FOR_OUTPUTS(out) {
        double sum = bias ? (double)bias[k] : 0.0;
        struct meeting at;
        for (int tap = 0; tap < v->kernel * v->kernel; ++tap)
            if (meet(v, n, oy, ox, k, tap, &at))
                for (int c = 0; c < v->x.c; ++c) sum += (double)x[at.x + (size_t)c] * (double)w[at.w + (size_t)c];
        y[ref_at(out, n, oy, ox, k)] = sum;
    }
}

void ref_conv2d_bwd_data(const struct ref_conv *v, const float *dy, const float *w, double *dx) {
    struct ref_shape out = ref_conv2d_shape(v);
    memset(dx, 0, ref_count(v->x) * sizeof *dx);
    FOR_OUTPUTS(out) {
        double grad = (double)dy[ref_at(out, n, oy, ox, k)];
        struct meeting at;
        for (int tap = 0; tap < v->kernel * v->kernel; ++tap)
            if (meet(v, n, oy, ox, k, tap, &at))
                for (int c = 0; c < v->x.c; ++c) dx[at.x + (size_t)c] += grad * (double)w[at.w + (size_t)c];
    }
}

void ref_conv2d_bwd_weights(const struct ref_conv *v, const float *x, const float *dy, double *dw) {
    struct ref_shape out = ref_conv2d_shape(v);
    memset(dw, 0, (size_t)v->k * (size_t)(v->kernel * v->kernel * v->x.c) * sizeof *dw);
    FOR_OUTPUTS(out) {
        double grad = (double)dy[ref_at(out, n, oy, ox, k)];
        struct meeting at;
        for (int tap = 0; tap < v->kernel * v->kernel; ++tap)
            if (meet(v, n, oy, ox, k, tap, &at))
                for (int c = 0; c < v->x.c; ++c) dw[at.w + (size_t)c] += grad * (double)x[at.x + (size_t)c];
    }
}

void ref_conv2d_bwd_bias(const struct ref_conv *v, const float *dy, double *dbias) {
    struct ref_shape out = ref_conv2d_shape(v);
    memset(dbias, 0, (size_t)v->k * sizeof *dbias);
    FOR_OUTPUTS(out) dbias[k] += (double)dy[ref_at(out, n, oy, ox, k)];
}
