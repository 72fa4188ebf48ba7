/* Windows along an axis.
 *
 * A network is less accurate at the border of its input than in the middle, so a window is weighted by a Gaussian with
 * stddev size / 8: 1 in the middle, about 1/3000 at the ends. Weights are normalised to a sum of 1 per pixel along each
 * axis. The products of both axes then also sum to 1, and no plane of weights is needed. */
#include "src/run/predict/windows.h"

#include <math.h>
#include <stdlib.h>

#include "paced/base.h"

static double bell(int t, int size) {
    double distance = (t + 0.5 - 0.5 * size) / (0.125 * size);
    return exp(-0.5 * distance * distance);
}

static void place(struct windows *w, double overlap) {
    int step = (int)(w->size * (1 - overlap)), spare = w->length - w->size;
    if (step < 1) step = 1;
    w->count = spare > 0 ? (spare + step - 1) / step + 1 : 1;
    w->start = paced_alloc((size_t)w->count, sizeof *w->start);
    if (spare < 0) w->start[0] = -(-spare / 2);
    for (int i = 1; i < w->count; ++i) w->start[i] = (int)((int64_t)i * spare / (w->count - 1));
}

void windows_lay_out(struct windows *w, int length, int size, double overlap) {
    *w = (struct windows){.length = length, .size = size};
    place(w, overlap);
    size_t shares = (size_t)w->count * (size_t)size;
    double *sum = paced_alloc((size_t)length, sizeof *sum);
    w->share = paced_alloc(shares, sizeof *w->share);
    for (size_t k = 0; k < shares; ++k) {
        int t = (int)(k % (size_t)size), at = w->start[k / (size_t)size] + t;
        if (at >= 0 && at < length) sum[at] += bell(t, size);
    }
    for (size_t k = 0; k < shares; ++k) {
        int t = (int)(k % (size_t)size), at = w->start[k / (size_t)size] + t;
        if (at >= 0 && at < length) w->share[k] = (float)(bell(t, size) / sum[at]);
    }
    free(sum);
}

void windows_finish(struct windows *w) {
    free(w->share);
    free(w->start);
    *w = (struct windows){0};
}

int windows_mirror(int i, int length) {
    if (length == 1) return 0;
    int period = 2 * (length - 1), rest = i % period;
    if (rest < 0) rest += period;
    return rest < length ? rest : period - rest;
}
