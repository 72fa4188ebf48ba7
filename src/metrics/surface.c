/* surface: distances between outlines.
 *
 * The distance transform is exact and takes two passes (Meijster, Roerdink and Hesselink, 2000): first g, the distance
 * of each pixel to the nearest outline pixel of its column; then along each row the minimum over i of
 * (x - i)^2 + (r g(i))^2, as the lower envelope of one parabola per column. r is the distance of rows, in units of that
 * of columns; with r = 1 all values are whole numbers. */
#include "src/metrics/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct surface {
    int width, height;
    uint8_t *outline[2];     /* [height][width], outlines of prediction and label */
    int32_t *column;         /* [height][width]: g */
    double *squared;         /* [height][width]: squared distance, in units of the distance of columns */
    double ratio, unit;      /* distance of rows by that of columns; distance of columns */
    int32_t *vertex, *begin; /* [width]: parabolas of the envelope, and the first x of each */
    double *distances;       /* [height * width] */
};

struct surface *surface_create(int width, int height) {
    struct surface *s = paced_alloc(1, sizeof *s);
    size_t pixels = (size_t)width * (size_t)height;
    *s = (struct surface){.width = width, .height = height, .ratio = 1, .unit = 1};
    for (int i = 0; i < 2; ++i) s->outline[i] = paced_alloc(pixels, 1);
    s->column = paced_alloc(pixels, sizeof *s->column);
    s->squared = paced_alloc(pixels, sizeof *s->squared);
    s->vertex = paced_alloc((size_t)width, sizeof *s->vertex);
    s->begin = paced_alloc((size_t)width, sizeof *s->begin);
    s->distances = paced_alloc(pixels, sizeof *s->distances);
    return s;
}

void surface_set_spacing(struct surface *s, const double spacing[2]) {
    s->ratio = spacing[0] / spacing[1];
    s->unit = spacing[1];
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

/* r g(i) */
static double depth(const struct surface *s, const int32_t *g, int i) {
    return s->ratio * (double)g[i];
}

static double parabola(const struct surface *s, const int32_t *g, int x, int vertex) {
    const double across = (double)(x - vertex), down = depth(s, g, vertex);
    return across * across + down * down;
}

/* Last x at which the parabola of `left` is not above that of `right`; left < right. */
static double last_of(const struct surface *s, const int32_t *g, int left, int right) {
    const double from = depth(s, g, left), to = depth(s, g, right);
    return floor(((double)right * right - (double)left * left + to * to - from * from) / (2 * (double)(right - left)));
}

static void measure_row(struct surface *s, const int32_t *g, double *squared) {
    int w = s->width, top = 0;
    s->vertex[0] = 0;
    s->begin[0] = 0;
    for (int x = 1; x < w; ++x) {
        while (top >= 0 && parabola(s, g, s->begin[top], s->vertex[top]) > parabola(s, g, s->begin[top], x)) --top;
        double begin = top < 0 ? 0 : 1 + last_of(s, g, s->vertex[top], x);
        if (begin >= w) continue;
        ++top;
        s->vertex[top] = x;
        s->begin[top] = (int32_t)begin;
    }
    for (int x = w - 1; x >= 0; --x) {
        squared[x] = parabola(s, g, x, s->vertex[top]);
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
        if (s->outline[from][i]) s->distances[count++] = s->unit * sqrt(s->squared[i]);
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
    if (!predicted || !labelled) return (struct paced_metrics){.hd95 = s->unit * hypot(s->width, s->ratio * s->height)};
    size_t all = 0, near = 0;
    double there = compare_one_way(s, 0, tolerance, &all, &near), back = compare_one_way(s, 1, tolerance, &all, &near);
    return (struct paced_metrics){.hd95 = fmax(there, back), .nsd = (double)near / (double)all};
}
