/* surface: distances between outlines.
 *
 * The distance transform is exact and takes two integer passes (Meijster, Roerdink and Hesselink, 2000): first g, the
 * distance of each pixel to the nearest outline pixel of its column; then along each row the minimum over i of
 * (x - i)^2 + g(i)^2, as the lower envelope of one parabola per column. */
#include "src/metrics/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct surface {
    int width, height;
    uint8_t *outline[2];     /* [height][width], outlines of prediction and label */
    int32_t *column;         /* [height][width]: g */
    int64_t *squared;        /* [height][width]: squared distance */
    int32_t *vertex, *begin; /* [width]: parabolas of the envelope, and the first x of each */
    double *distances;       /* [height * width] */
};

struct surface *surface_create(int width, int height) {
    struct surface *s = paced_alloc(1, sizeof *s);
    size_t pixels = (size_t)width * (size_t)height;
    *s = (struct surface){.width = width, .height = height};
    for (int i = 0; i < 2; ++i) s->outline[i] = paced_alloc(pixels, 1);
    s->column = paced_alloc(pixels, sizeof *s->column);
    s->squared = paced_alloc(pixels, sizeof *s->squared);
    s->vertex = paced_alloc((size_t)width, sizeof *s->vertex);
    s->begin = paced_alloc((size_t)width, sizeof *s->begin);
    s->distances = paced_alloc(pixels, sizeof *s->distances);
    return s;
}

void surface_destroy(struct surface *s) {
    if (!s) return;
    void *memory[] = {s->outline[0], s->outline[1], s->column, s->squared, s->vertex, s->begin, s->distances, s};
    for (size_t i = 0; i < PACED_COUNT(memory); ++i) free(memory[i]);
}

/* ---- outlines ------------------------------------------------------------------------------------------------ */

/* Marks the outline of a class; returns false if there is none. */
static bool find_outline(const struct surface *s, const uint8_t *map, uint8_t class_index, uint8_t *outline) {
    int w = s->width, h = s->height;
    bool any = false;
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x, ++map, ++outline) {
            *outline = 0;
            if (*map != class_index) continue;
            bool inside = y > 0 && map[-w] == class_index && y < h - 1 && map[w] == class_index && x > 0 &&
                          map[-1] == class_index && x < w - 1 && map[1] == class_index;
            *outline = !inside;
            any |= !inside;
        }
    return any;
}

/* ---- the distance transform ---------------------------------------------------------------------------------- */

static void measure_columns(struct surface *s, const uint8_t *outline) {
    int w = s->width, h = s->height, far = w + h; /* greater than any distance within the image */
    for (int x = 0; x < w; ++x) {
        int g = far;
        for (int y = 0; y < h; ++y) {
            g = outline[(size_t)y * (size_t)w + (size_t)x] ? 0 : g < far ? g + 1 : far;
            s->column[(size_t)y * (size_t)w + (size_t)x] = g;
        }
        g = far;
        for (int y = h - 1; y >= 0; --y) {
            int32_t *here = &s->column[(size_t)y * (size_t)w + (size_t)x];
            g = *here == 0 ? 0 : g < far ? g + 1 : far;
            if (g < *here) *here = g;
        }
    }
}

static int64_t parabola(const int32_t *g, int x, int vertex) {
    return (int64_t)(x - vertex) * (x - vertex) + (int64_t)g[vertex] * g[vertex];
}

/* Last x at which the parabola of `left` is not above that of `right`; left < right. */
static int64_t last_of(const int32_t *g, int left, int right) {
    int64_t rise =
        (int64_t)right * right - (int64_t)left * left + (int64_t)g[right] * g[right] - (int64_t)g[left] * g[left];
    int64_t run = 2 * (int64_t)(right - left);
    return rise >= 0 ? rise / run : -((-rise + run - 1) / run); /* rounded down */
}

static void measure_row(struct surface *s, const int32_t *g, int64_t *squared) {
    int w = s->width, top = 0;
    s->vertex[0] = 0;
    s->begin[0] = 0;
    for (int x = 1; x < w; ++x) {
        while (top >= 0 && parabola(g, s->begin[top], s->vertex[top]) > parabola(g, s->begin[top], x)) --top;
        int64_t begin = top < 0 ? 0 : 1 + last_of(g, s->vertex[top], x);
        if (begin >= w) continue;
        ++top;
        s->vertex[top] = x;
        s->begin[top] = (int32_t)begin;
    }
    for (int x = w - 1; x >= 0; --x) {
        squared[x] = parabola(g, x, s->vertex[top]);
        if (x == s->begin[top] && top > 0) --top;
    }
}

static void measure_distances(struct surface *s, const uint8_t *outline) {
    measure_columns(s, outline);
    for (int y = 0; y < s->height; ++y) {
        size_t row = (size_t)y * (size_t)s->width;
        measure_row(s, s->column + row, s->squared + row);
    }
}

/* ---- metrics ------------------------------------------------------------------------------------------------- */

/* 95th percentile of the distances from outline `from` to the other one. Adds the number of distances to *all, and of
 * those within the tolerance to *near. */
static double compare_one_way(struct surface *s, int from, double tolerance, size_t *all, size_t *near) {
    size_t pixels = (size_t)s->width * (size_t)s->height, count = 0;
    measure_distances(s, s->outline[!from]);
    for (size_t i = 0; i < pixels; ++i)
        if (s->outline[from][i]) s->distances[count++] = sqrt((double)s->squared[i]);
    statistics_sort(s->distances, count);
    for (size_t i = 0; i < count; ++i) *near += s->distances[i] <= tolerance;
    *all += count;
    return statistics_quantile(s->distances, count, 0.95);
}

struct paced_metrics surface_compare(struct surface *s, const uint8_t *prediction, const uint8_t *label,
                                     uint8_t class_index, double tolerance) {
    bool predicted = find_outline(s, prediction, class_index, s->outline[0]);
    bool labelled = find_outline(s, label, class_index, s->outline[1]);
    if (!predicted && !labelled) return (struct paced_metrics){.hd95 = 0, .nsd = 1};
    if (!predicted || !labelled) return (struct paced_metrics){.hd95 = hypot(s->width, s->height)};
    size_t all = 0, near = 0;
    double there = compare_one_way(s, 0, tolerance, &all, &near), back = compare_one_way(s, 1, tolerance, &all, &near);
    return (struct paced_metrics){.hd95 = fmax(there, back), .nsd = (double)near / (double)all};
}
