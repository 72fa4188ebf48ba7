/* Layers without parameters: relu, add, max_pool, upsample, resize, global_pool, broadcast, fit, concat. Each backward
 * adds dy to the elements that forward read. */
#include <math.h>
#include <string.h>

#include "tests/ref/ref.h"

/* ---- relu: y = max(x, 0) --------------------------------------------------------------------------------------- */

void ref_relu_fwd(size_t count, const float *x, double *y) {
    for (size_t i = 0; i < count; ++i) y[i] = x[i] > 0 ? (double)x[i] : 0;
}

void ref_relu_bwd(size_t count, const float *x, const float *dy, double *dx) {
    for (size_t i = 0; i < count; ++i) dx[i] = x[i] > 0 ? (double)dy[i] : 0;
}

/* ---- add: y = a + b, then max(y, 0) ------------------------------------------------------------------------------ */

void ref_add_fwd(size_t count, bool relu, const float *a, const float *b, double *y) {
    for (size_t i = 0; i < count; ++i) {
        double sum = (double)a[i] + (double)b[i];
        y[i] = relu && sum < 0 ? 0 : sum;
    }
}

void ref_add_bwd(size_t count, bool relu, const float *a, const float *b, const float *dy, double *dx) {
    for (size_t i = 0; i < count; ++i) dx[i] = relu && (double)a[i] + (double)b[i] <= 0 ? 0 : (double)dy[i];
}

/* ---- max_pool: maximum of a window, the first in row order; padding never wins ------------------------------------
 */

struct ref_shape ref_max_pool_shape(const struct ref_pool *v) {
    return (struct ref_shape){v->x.n, (v->x.h + 2 * v->pad - v->kernel) / v->stride + 1,
                              (v->x.w + 2 * v->pad - v->kernel) / v->stride + 1, v->x.c};
}

static size_t winner(const struct ref_pool *v, const float *x, int n, int oy, int ox, int c) {
    size_t best = SIZE_MAX;
    for (int ky = 0; ky < v->kernel; ++ky)
        for (int kx = 0; kx < v->kernel; ++kx) {
            int iy = oy * v->stride - v->pad + ky, ix = ox * v->stride - v->pad + kx;
            if (iy < 0 || iy >= v->x.h || ix < 0 || ix >= v->x.w) continue;
            size_t at = ref_at(v->x, n, iy, ix, c);
            if (best == SIZE_MAX || x[at] > x[best] || isnan(x[at])) best = at;
        }
    return best;
}

#define FOR_ELEMENTS(s)                        \
    for (int n = 0; n < (s).n; ++n)            \
        for (int y_ = 0; y_ < (s).h; ++y_)     \
            for (int x_ = 0; x_ < (s).w; ++x_) \
                for (int c = 0; c < (s).c; ++c)

void ref_max_pool_fwd(const struct ref_pool *v, const float *x, double *y) {
    struct ref_shape out = ref_max_pool_shape(v);
    FOR_ELEMENTS(out) y[ref_at(out, n, y_, x_, c)] = (double)x[winner(v, x, n, y_, x_, c)];
}

void ref_max_pool_bwd(const struct ref_pool *v, const float *x, const float *dy, double *dx) {
    struct ref_shape out = ref_max_pool_shape(v);
    memset(dx, 0, ref_count(v->x) * sizeof *dx);
    FOR_ELEMENTS(out) dx[winner(v, x, n, y_, x_, c)] += (double)dy[ref_at(out, n, y_, x_, c)];
}

/* ---- upsample: y[oy][ox] = x[oy / factor][ox / factor] ------------------------------------------------------------
 */

static struct ref_shape enlarged(struct ref_shape s, int factor) {
    return (struct ref_shape){s.n, s.h * factor, s.w * factor, s.c};
}

void ref_upsample_fwd(struct ref_shape s, int factor, const float *x, double *y) {
    struct ref_shape out = enlarged(s, factor);
    FOR_ELEMENTS(out) y[ref_at(out, n, y_, x_, c)] = (double)x[ref_at(s, n, y_ / factor, x_ / factor, c)];
}

void ref_upsample_bwd(struct ref_shape s, int factor, const float *dy, double *dx) {
    struct ref_shape out = enlarged(s, factor);
    memset(dx, 0, ref_count(s) * sizeof *dx);
    FOR_ELEMENTS(out) dx[ref_at(s, n, y_ / factor, x_ / factor, c)] += (double)dy[ref_at(out, n, y_, x_, c)];
}

/* ---- resize: y[oy][ox] = x[source of oy][source of ox], the source in float32 -------------------------------------
 */

static int nearest(int i, int size, int out) {
    float ratio = (float)size / (float)out;
    int at = (int)floorf((float)i * ratio);
    return at < size ? at : size - 1;
}

void ref_resize_fwd(struct ref_shape s, int h, int w, const float *x, double *y) {
    struct ref_shape out = {s.n, h, w, s.c};
    FOR_ELEMENTS(out)
    y[ref_at(out, n, y_, x_, c)] = (double)x[ref_at(s, n, nearest(y_, s.h, h), nearest(x_, s.w, w), c)];
}

void ref_resize_bwd(struct ref_shape s, int h, int w, const float *dy, double *dx) {
    struct ref_shape out = {s.n, h, w, s.c};
    memset(dx, 0, ref_count(s) * sizeof *dx);
    FOR_ELEMENTS(out)
    dx[ref_at(s, n, nearest(y_, s.h, h), nearest(x_, s.w, w), c)] += (double)dy[ref_at(out, n, y_, x_, c)];
}

/* ---- global_pool: y[n] = mean of x over a plane; broadcast: y[pixel] = x[n] ---------------------------------------
 */

static struct ref_shape pixel_of(struct ref_shape plane) {
    return (struct ref_shape){plane.n, 1, 1, plane.c};
}

static void sum_planes(struct ref_shape plane, double scale, const float *from, double *to) {
    memset(to, 0, ref_count(pixel_of(plane)) * sizeof *to);
    FOR_ELEMENTS(plane) to[ref_at(pixel_of(plane), n, 0, 0, c)] += scale * (double)from[ref_at(plane, n, y_, x_, c)];
}

static void spread_planes(struct ref_shape plane, double scale, const float *from, double *to) {
    FOR_ELEMENTS(plane) to[ref_at(plane, n, y_, x_, c)] = scale * (double)from[ref_at(pixel_of(plane), n, 0, 0, c)];
}

void ref_global_pool_fwd(struct ref_shape plane, const float *x, double *y) {
    sum_planes(plane, 1.0 / (plane.h * plane.w), x, y);
}

void ref_global_pool_bwd(struct ref_shape plane, const float *dy, double *dx) {
    spread_planes(plane, 1.0 / (plane.h * plane.w), dy, dx);
}

void ref_broadcast_fwd(struct ref_shape plane, const float *x, double *y) {
    spread_planes(plane, 1, x, y);
}

void ref_broadcast_bwd(struct ref_shape plane, const float *dy, double *dx) {
    sum_planes(plane, 1, dy, dx);
}

/* ---- fit: y[oy][ox] = x[oy - top][ox - left], zero outside; top = floor((h - x.h) / 2) -----------------------------
 */

static bool source(struct ref_shape s, int h, int w, int oy, int ox, int *iy, int *ix) {
    *iy = oy - (int)floor((h - s.h) / 2.0);
    *ix = ox - (int)floor((w - s.w) / 2.0);
    return *iy >= 0 && *iy < s.h && *ix >= 0 && *ix < s.w;
}

void ref_fit_fwd(struct ref_shape s, int h, int w, const float *x, double *y) {
    struct ref_shape out = {s.n, h, w, s.c};
    int iy, ix;
    FOR_ELEMENTS(out)
    y[ref_at(out, n, y_, x_, c)] = source(s, h, w, y_, x_, &iy, &ix) ? (double)x[ref_at(s, n, iy, ix, c)] : 0;
}

void ref_fit_bwd(struct ref_shape s, int h, int w, const float *dy, double *dx) {
    struct ref_shape out = {s.n, h, w, s.c};
    int iy, ix;
    memset(dx, 0, ref_count(s) * sizeof *dx);
    FOR_ELEMENTS(out)
    if (source(s, h, w, y_, x_, &iy, &ix)) dx[ref_at(s, n, iy, ix, c)] += (double)dy[ref_at(out, n, y_, x_, c)];
}

/* ---- concat: y[pixel] = a[pixel], then b[pixel] --------------------------------------------------------------------
 */

void ref_concat_fwd(size_t pixels, int a_channels, int b_channels, const float *a, const float *b, double *y) {
    for (size_t p = 0; p < pixels; ++p) {
        for (int c = 0; c < a_channels; ++c) *y++ = (double)a[p * (size_t)a_channels + (size_t)c];
        for (int c = 0; c < b_channels; ++c) *y++ = (double)b[p * (size_t)b_channels + (size_t)c];
    }
}

void ref_concat_bwd(size_t pixels, int a_channels, int b_channels, const float *dy, double *da, double *db) {
    for (size_t p = 0; p < pixels; ++p) {
        for (int c = 0; c < a_channels; ++c) *da++ = (double)*dy++;
        for (int c = 0; c < b_channels; ++c) *db++ = (double)*dy++;
    }
}
