/* components: flood fill with a queue of the pixels to visit. */
#include "src/metrics/parts.h"

#include <stdlib.h>
#include <string.h>

struct box {
    int left, top, right, bottom; /* right and bottom are inclusive */
};

struct components {
    int width, height;
    uint32_t *mark;  /* [height][width]: component number from 1; 0: not visited */
    uint32_t *queue; /* [height * width] */
    uint8_t *shape;  /* [height + 2][width + 2]: one component, cropped to its box plus a margin of one pixel */
};

struct components *components_create(int width, int height) {
    struct components *c = paced_alloc(1, sizeof *c);
    size_t pixels = (size_t)width * (size_t)height;
    *c = (struct components){.width = width, .height = height};
    c->mark = paced_alloc(pixels, sizeof *c->mark);
    c->queue = paced_alloc(((size_t)width + 2) * ((size_t)height + 2), sizeof *c->queue);
    c->shape = paced_alloc(((size_t)width + 2) * ((size_t)height + 2), 1);
    return c;
}

void components_destroy(struct components *c) {
    if (!c) return;
    free(c->mark);
    free(c->queue);
    free(c->shape);
    free(c);
}

/* Marks the component that contains `start`; returns its number of pixels. */
static size_t mark_component(struct components *c, const uint8_t *map, uint32_t start, uint32_t number,
                             struct box *box) {
    size_t done = 0, found = 0;
    *box = (struct box){c->width, c->height, -1, -1};
    c->mark[start] = number;
    c->queue[found++] = start;
    while (done < found) {
        int x = (int)(c->queue[done] % (uint32_t)c->width), y = (int)(c->queue[done] / (uint32_t)c->width);
        ++done;
        if (x < box->left) box->left = x;
        if (x > box->right) box->right = x;
        if (y < box->top) box->top = y;
        if (y > box->bottom) box->bottom = y;
        for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < c->height; ++v)
            for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < c->width; ++u) {
                uint32_t next = (uint32_t)v * (uint32_t)c->width + (uint32_t)u;
                if (map[next] != map[start] || c->mark[next]) continue;
                c->mark[next] = number;
                c->queue[found++] = next;
            }
    }
    return found;
}

/* ---- the largest of each class ------------------------------------------------------------------------------- */

void components_keep_largest(struct components *c, uint8_t *map, int classes) {
    uint32_t pixels = (uint32_t)c->width * (uint32_t)c->height, number = 0, best[256] = {0};
    size_t largest[256] = {0};
    struct box box;
    memset(c->mark, 0, pixels * sizeof *c->mark);
    for (uint32_t i = 0; i < pixels; ++i) {
        if (map[i] == 0 || map[i] >= classes || c->mark[i]) continue;
        size_t size = mark_component(c, map, i, ++number, &box);
        if (size <= largest[map[i]]) continue;
        largest[map[i]] = size;
        best[map[i]] = number;
    }
    for (uint32_t i = 0; i < pixels; ++i)
        if (c->mark[i] != best[map[i]]) map[i] = 0;
}

/* ---- the largest outline ------------------------------------------------------------------------------------- */

enum { OUTSIDE, WITHIN };

/* Fills the component: shape is OUTSIDE where a path of 4-neighbours leads to the margin, and WITHIN elsewhere. */
static void fill_shape(struct components *c, uint32_t number, const struct box *box) {
    int w = box->right - box->left + 3, h = box->bottom - box->top + 3;
    size_t done = 0, found = 0;
    memset(c->shape, WITHIN, (size_t)w * (size_t)h);
    c->shape[0] = OUTSIDE;
    c->queue[found++] = 0;
    while (done < found) {
        int x = (int)(c->queue[done] % (uint32_t)w), y = (int)(c->queue[done] / (uint32_t)w);
        const int next[4][2] = {{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}};
        ++done;
        for (int k = 0; k < 4; ++k) {
            int u = next[k][0], v = next[k][1];
            if (u < 0 || v < 0 || u >= w || v >= h || c->shape[v * w + u] == OUTSIDE) continue;
            bool margin = u == 0 || v == 0 || u == w - 1 || v == h - 1;
            size_t pixel = (size_t)(box->top + v - 1) * (size_t)c->width + (size_t)(box->left + u - 1);
            if (!margin && c->mark[pixel] == number) continue;
            c->shape[v * w + u] = OUTSIDE;
            c->queue[found++] = (uint32_t)(v * w + u);
        }
    }
}

/* Twice the area of the polygon through the centres of the border pixels. Each square between four pixel centres counts
 * fully if all four are in the shape, half if three are. */
static size_t double_area(const struct components *c, const struct box *box) {
    int w = box->right - box->left + 3, h = box->bottom - box->top + 3;
    size_t area = 0;
    for (int y = 0; y + 1 < h; ++y)
        for (int x = 0; x + 1 < w; ++x) {
            const uint8_t *corner = c->shape + y * w + x;
            int held = corner[0] + corner[1] + corner[w] + corner[w + 1];
            area += held == 4 ? 2 : held == 3;
        }
    return area;
}

static void write_shape(const struct components *c, uint8_t *map, const struct box *box) {
    int w = box->right - box->left + 3;
    memset(map, 0, (size_t)c->width * (size_t)c->height);
    for (int y = box->top; y <= box->bottom; ++y)
        memcpy(map + (size_t)y * (size_t)c->width + box->left, c->shape + (y - box->top + 1) * w + 1,
               (size_t)(box->right - box->left + 1));
}

void components_keep_outline(struct components *c, uint8_t *map) {
    uint32_t pixels = (uint32_t)c->width * (uint32_t)c->height, number = 0, best = 0;
    size_t largest = 0;
    struct box box, best_box = {0};
    memset(c->mark, 0, pixels * sizeof *c->mark);
    for (uint32_t i = 0; i < pixels; ++i) map[i] = map[i] != 0;
    for (uint32_t i = 0; i < pixels; ++i) {
        if (map[i] == 0 || c->mark[i]) continue;
        mark_component(c, map, i, ++number, &box);
        fill_shape(c, number, &box);
        size_t area = double_area(c, &box);
        if (area < largest) continue;
        best = number;
        best_box = box;
        largest = area;
    }
    if (!best) return;
    fill_shape(c, best, &best_box);
    write_shape(c, map, &best_box);
}
