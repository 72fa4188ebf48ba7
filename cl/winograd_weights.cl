/* Winograd's convolutions with matrices in memory, backward to the weights: a product over tiles for each plane,
 *   products[plane][k][c] = sum over tiles of gradients[plane][k][tile] values[plane][tile][c].
 * Values in float are those of winograd.cl, in bfloat16 pairs of tiles, values[plane][tile / 2][c][2]. */
#include "winograd.clh"
#define SPACE global
#include "products.clh"

#if PACED_PRODUCTS

/* values of two tiles of a pair of rows. */
INLINE void input_pairs(const int m, struct winograd_tiles g, int h, int w, int line, int pad, struct part first,
                        struct part second, global operand *values)
{
    const int a = m + 2;
    size_t plane = (size_t)g.rows * line * VEC;
    FOR_PIXELS(pair, g.rows / 2, g.run) {
        global operand *to = values + (size_t)pair * 2 * line * VEC;
        int from = 0;
        for (int i = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            if (part.vectors == 0) break;
            struct block pixels[2];
            for (int r = 0; r < 2; ++r) pixels[r] = tile_block(m, g, g.first + pair * 2 + r, part, h, w, pad);
            LOOP (int c = 0; c < part.vectors; ++c) {
                realv block[2][MOST * MOST], even[MOST], odd[MOST];
                struct map map = part_map(part, c);
                LOOP (int r = 0; r < 2; ++r)
                    LOOP (int j = 0; j < a; ++j) {
                        load_column(m, part, map, c, &pixels[r], j, even);
                        input_line(m, even, 1, block[r] + j, MOST);
                    }
                LOOP (int i = 0; i < a; ++i) {
                    input_line(m, block[0] + i * MOST, 1, even, 1);
                    input_line(m, block[1] + i * MOST, 1, odd, 1);
                    EACH (int j = 0; j < a; ++j) store_pair(even[j], odd[j], to + (i * a + j) * plane, from + c);
                }
            }
            from += part.vectors;
        }
        for (int c = from; c < line; ++c)
            for (int p = 0; p < a * a; ++p) store_pair(0, 0, to + p * plane, c);
    }
}

KERNELS(pairs, (struct winograd_tiles g, int h, int w, int line, int pad, SOURCE_PARAMS, global operand *values),
        SOURCE_PARTS; input_pairs(m, g, h, w, line, pad, first, second, values))
#endif

/* transposed[plane][k][tile] of `outputs` filters (a multiple of 16) from `from` on. VEC 16: a work-item takes 16 tiles
 * and 16 filters, all filters real; else one element. Zero beyond the last tile or filter. */
INLINE void transposed_tile(const int m, struct winograd_tiles g, int from, int outputs, int filters,
                            global const out_t *dy, global operand *transposed)
{
    const int a = m + 2, rows = g.rows, h = g.h, w = g.w, dilation = g.dilation;
    uint id = get_global_id(0);
    size_t plane = (size_t)outputs * rows;
#if VEC == 16
    if (id >= (uint)(outputs / 16 * (rows / 16))) return;
    int k0 = id % (outputs / 16) * 16, row0 = id / (outputs / 16) * 16;
    realv block[4 * 4][16];
    for (int r = 0; r < 16; ++r) {
        int tile = g.first + row0 + r, n = tile / g.across / g.down, y0 = 0, x0 = 0;
        if (tile < g.tiles) {
            y0 = tile_start(m, tile / g.across % g.down, h, dilation);
            x0 = tile_start(m, tile % g.across, w, dilation);
        }
        global const out_t *corner = dy + (((size_t)n * h + y0) * w + x0) * filters + from + k0;
        EACH (int i = 0; i < m; ++i)
            EACH (int j = 0; j < m; ++j) {
                block[i * m + j][r] = 0;
                if (tile >= g.tiles || y0 + i * dilation >= h || x0 + j * dilation >= w) continue;
                global const out_t *pixel = corner + ((size_t)i * w + j) * dilation * filters;
                block[i * m + j][r] = LOAD_OUT(pixel, 0);
                PREFETCHV(pixel, 1); /* for the next work-item */
            }
    }
    for (int i = 0; i < m * m; ++i) turn(block[i]);
    for (int k1 = 0; k1 < 16; k1 += GROUP) {
        realv t[GROUP][MOST * 4], d[MOST];
        LOOP (int k = 0; k < GROUP; ++k)
            EACH (int j = 0; j < m; ++j) grad_line(m, block[j] + k1 + k, m * 16, t[k] + j, m);
        LOOP (int i = 0; i < a; ++i)
            LOOP (int k = 0; k < GROUP; ++k) {
                global operand *to = transposed + i * a * plane + (size_t)(k0 + k1 + k) * rows + row0;
                grad_line(m, t[k] + i * m, 1, d, 1);
                EACH (int j = 0; j < a; ++j) {
                    STORE_OPERANDS(d[j], to + j * plane, 0);
                    PREFETCHV(to + j * plane + GROUP * rows, 0);
                }
            }
    }
#elif VEC == 1 && !PACED_PRODUCTS
    if (id >= (uint)(outputs * rows)) return;
    int k = from + id / rows, tile = g.first + id % rows, n = tile / g.across / g.down, y0 = 0, x0 = 0;
    if (tile < g.tiles) {
        y0 = tile_start(m, tile / g.across % g.down, h, dilation);
        x0 = tile_start(m, tile % g.across, w, dilation);
    }
    realv t[MOST * MOST];
    EACH (int i = 0; i < m; ++i)
        EACH (int j = 0; j < m; ++j) {
            int y = y0 + i * dilation, x = x0 + j * dilation;
            bool real = tile < g.tiles && k < filters && y < h && x < w;
            t[i * MOST + j] = real ? LOAD_OUT(dy, (((size_t)n * h + y) * w + x) * filters + k) : 0;
        }
    EACH (int j = 0; j < m; ++j) grad_line(m, t + j, MOST, t + j, MOST);
    EACH (int i = 0; i < a; ++i) {
        grad_line(m, t + i * MOST, 1, t + i * MOST, 1);
        EACH (int j = 0; j < a; ++j) transposed[(i * a + j) * plane + id] = t[i * MOST + j];
    }
#endif
}

/* dw[from + k][tap][c] of `rows` filters; a plane of `products` has plane_rows of `padded` vectors. */
INLINE void taps_tile(const int m, int from, int rows, int plane_rows, int vectors, int padded,
                      global const float *products, global float *dw)
{
    const int a = m + 2;
    PIXEL_BELOW(k, rows);
    size_t plane = (size_t)plane_rows * padded;
    FOR_GROUPS(v, count, GROUP, 0, vectors) {
        realv t[GROUP][3 * MOST], d[MOST];
        PASS (int j = 0; j < a; ++j)
            LOOP (uint q = 0; q < count; ++q) {
                EACH (int i = 0; i < a; ++i) {
                    size_t at = (i * a + j) * plane + (size_t)k * padded + v + q;
                    d[i] = LOADV(products, at);
                    PREFETCHV(products, at + AHEAD);
                }
                taps_line(m, d, 1, t[q] + j, MOST);
            }
        PASS (int i = 0; i < 3; ++i)
            LOOP (uint q = 0; q < count; ++q) {
                taps_line(m, t[q] + i * MOST, 1, d, 1);
                EACH (int j = 0; j < 3; ++j)
                    STOREV(d[j], dw, ((size_t)(from + k) * 9 + i * 3 + j) * vectors + v + q);
            }
    }
}

KERNELS(transposed, (struct winograd_tiles g, int from, int outputs, int filters, global const out_t *dy,
                     global operand *transposed),
        transposed_tile(m, g, from, outputs, filters, dy, transposed))
KERNELS(taps, (int from, int rows, int plane_rows, int vectors, int padded, global const float *products,
               global float *dw),
        taps_tile(m, from, rows, plane_rows, vectors, padded, products, dw))
