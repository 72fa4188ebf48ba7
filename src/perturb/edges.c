/* edges: outlines and distances as OpenCV computes them, because the reference shades its drops with these two. */
#include "src/perturb/edges.h"

#include "src/perturb/filter.h"

#include <math.h>
#include <stdlib.h>

/* ---- outlines ------------------------------------------------------------------------------------------------- */

/* The gradient dx, dy and strength = |dx| + |dy|, each [size + 2][size + 2] with a border of zeros. */
struct gradient {
    size_t pitch;
    int *dx, *dy, *strength;
};

static void gradient_find(struct gradient *g, const uint8_t *grey, int size) {
    const size_t n = (size_t)size, pitch = n + 2;
    float *values = paced_alloc(n * n, sizeof *values);
    for (size_t i = 0; i < n * n; ++i) values[i] = grey[i];
    float *padded = paced_pad(values, size, 1, 1, PACED_BORDER_NEAREST);
    *g = (struct gradient){pitch, paced_alloc(pitch * pitch, sizeof(int)), paced_alloc(pitch * pitch, sizeof(int)),
                           paced_alloc(pitch * pitch, sizeof(int))};
    for (size_t y = 1; y <= n; ++y)
        for (size_t x = 1; x <= n; ++x) {
            const size_t i = y * pitch + x;
            const float *up = padded + i - pitch, *at = padded + i, *down = padded + i + pitch;
            g->dx[i] = (int)(up[1] - up[-1] + 2 * (at[1] - at[-1]) + down[1] - down[-1]);
            g->dy[i] = (int)(down[-1] - up[-1] + 2 * (down[0] - up[0]) + down[1] - up[1]);
            g->strength[i] = abs(g->dx[i]) + abs(g->dy[i]);
        }
    free(padded);
    free(values);
}

static void gradient_free(struct gradient *g) {
    free(g->dx);
    free(g->dy);
    free(g->strength);
}

/* True if the gradient's strength at i is a local maximum along its direction, quantised to four. On an axis, the first
 * of two equal pixels counts. */
static bool is_ridge(const struct gradient *g, size_t i) {
    const int dx = g->dx[i], dy = g->dy[i];
    const int *s = g->strength + i;
    const double slope = tan(M_PI / 8), across = abs(dx), along = abs(dy);
    if (along < across * slope) return s[0] > s[-1] && s[0] >= s[1];
    if (across < along * slope) return s[0] > *(s - g->pitch) && s[0] >= s[g->pitch];
    const ptrdiff_t diagonal = (ptrdiff_t)g->pitch + ((dx ^ dy) < 0 ? -1 : 1);
    return s[0] > s[-diagonal] && s[0] > s[diagonal];
}

enum { NOTHING, FAINT, EDGE };

void paced_edges(const uint8_t *grey, int size, int low, int high, uint8_t *edge) {
    struct gradient g;
    gradient_find(&g, grey, size);
    const size_t n = (size_t)size, pitch = g.pitch;
    uint8_t *state = paced_alloc(pitch * pitch, 1);
    size_t *todo = paced_alloc(n * n, sizeof *todo), count = 0; /* edges whose neighbours are not checked yet */
    for (size_t y = 1; y <= n; ++y)
        for (size_t x = 1; x <= n; ++x) {
            const size_t i = y * pitch + x;
            if (g.strength[i] <= low || !is_ridge(&g, i)) continue;
            state[i] = g.strength[i] > high ? EDGE : FAINT;
            if (state[i] == EDGE) todo[count++] = i;
        }
    while (count > 0) {
        const size_t corner = todo[--count] - pitch - 1;
        for (size_t k = 0; k < 9; ++k) {
            const size_t i = corner + k / 3 * pitch + k % 3;
            if (state[i] != FAINT) continue;
            state[i] = EDGE;
            todo[count++] = i;
        }
    }
    for (size_t i = 0; i < n * n; ++i) edge[i] = state[(i / n + 1) * pitch + i % n + 1] == EDGE;
    free(todo);
    free(state);
    gradient_free(&g);
}

/* ---- distance ------------------------------------------------------------------------------------------------- */

/* The distance of (y, x) through the neighbours that the scan visited before: above and left of it for direction 1,
 * below and right of it for -1. */
static float by_neighbours(const float *distance, int size, int y, int x, int direction) {
    static const struct {
        int dy, dx;
        float length;
    } steps[] = {{0, -1, 1},        {-1, 0, 1},       {-1, -1, 1.4F},    {-1, 1, 1.4F},
                 {-1, -2, 2.1969F}, {-1, 2, 2.1969F}, {-2, -1, 2.1969F}, {-2, 1, 2.1969F}};
    float nearest = INFINITY;
    for (size_t k = 0; k < PACED_COUNT(steps); ++k) {
        const int row = y + direction * steps[k].dy, column = x + direction * steps[k].dx;
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        nearest = fminf(nearest, distance[row * size + column] + steps[k].length);
    }
    return nearest;
}

void paced_distance(const uint8_t *edge, int size, float max, float *distance) {
    const int count = size * size;
    for (int i = 0; i < count; ++i) distance[i] = edge[i] ? 0 : max;
    for (int i = 0; i < count; ++i)
        distance[i] = fminf(distance[i], by_neighbours(distance, size, i / size, i % size, 1));
    for (int i = count - 1; i >= 0; --i)
        distance[i] = fminf(distance[i], by_neighbours(distance, size, i / size, i % size, -1));
}
