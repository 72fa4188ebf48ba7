/* Winograd's convolutions with matrices in memory: forward and backward-data; and U of all algorithms. */
#include "winograd.clh"
#define SPACE global
#include "products.clh"

/* Rows from tile g.first on; those beyond the last tile are zero. */
INLINE void input_tile(const int m, struct winograd_tiles g, int h, int w, int padded, int pad, struct part first,
                       struct part second, global float *values)
{
    const int a = m + 2;
    size_t plane = (size_t)g.rows * padded;
    FOR_PIXELS(row, g.rows, g.run) {
        int from = 0;
        global float *to = values + (size_t)row * padded * VEC;
        for (int i = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            if (part.vectors == 0) break;
            struct block pixels = tile_block(m, g, g.first + row, part, h, w, pad);
            FOR_GROUPS(v, count, GROUP, from, from + part.vectors) {
                realv block[GROUP][MOST * MOST], d[MOST];
                LOOP (uint k = 0; k < count; ++k) {
                    struct map map = part_map(part, v + k - from);
                    LOOP (int j = 0; j < a; ++j) {
                        load_column(m, part, map, v + k - from, &pixels, j, d);
                        input_line(m, d, 1, block[k] + j, MOST);
                    }
                }
                LOOP (int i = 0; i < a; ++i)
                    LOOP (uint k = 0; k < count; ++k) {
                        input_line(m, block[k] + i * MOST, 1, d, 1);
                        EACH (int j = 0; j < a; ++j) {
                            size_t at = (i * a + j) * plane + v + k;
                            STOREV(d[j], to, at);
                            PREFETCHV(to, at + AHEAD);
                        }
                    }
            }
            from += part.vectors;
        }
        FOR_CHANNELS_FROM(v, from, padded) {
            for (int i = 0; i < a * a; ++i) STOREV((realv)0, to, i * plane + v);
        }
    }
}

/* Channel vectors from `from` on: `vectors` of the `all` vectors of a pixel; a row of `products` has `padded`. */
INLINE void output_tile(const int m, struct winograd_tiles g, int plane_rows, int from, int vectors, int all,
                        int padded, int has_bias, global const float *products, global const float *bias, float beta,
                        global out_t *y)
{
    const int a = m + 2, h = g.h, w = g.w, dilation = g.dilation;
    size_t plane = (size_t)plane_rows * padded;
    long column = (long)dilation * all, line = column * w;
    FOR_PIXELS(row, g.rows, g.run) {
        int tile = g.first + row, n = tile / g.across / g.down;
        int y0 = tile_start(m, tile / g.across % g.down, h, dilation), x0 = tile_start(m, tile % g.across, w, dilation);
        long corner = (((long)n * h + y0) * w + x0) * all + from;
        FOR_GROUPS(v, count, GROUP, 0, vectors) {
            realv t[GROUP][4 * MOST], d[MOST];
            PASS (int j = 0; j < a; ++j)
                LOOP (uint k = 0; k < count; ++k) {
                    EACH (int i = 0; i < a; ++i) {
                        size_t at = (i * a + j) * plane + (size_t)row * padded + v + k;
                        d[i] = LOADV(products, at);
                        PREFETCHV(products, at + AHEAD);
                    }
                    output_line(m, d, 1, t[k] + j, MOST);
                }
            PASS (int i = 0; i < m; ++i)
                LOOP (uint k = 0; k < count; ++k) {
                    realv add = 0;
                    if (has_bias) add = LOADV(bias, from + v + k);
                    output_line(m, t[k] + i * MOST, 1, d, 1);
                    EACH (int j = 0; j < m; ++j) {
                        if (y0 + i * dilation >= h || x0 + j * dilation >= w) continue;
                        long at = corner + i * line + j * column + v + k;
                        realv value = d[j] + add;
                        if (beta != 0) value += beta * LOAD_OUT(y, at);
                        STREAM_OUT(value, y, at);
                    }
                }
        }
    }
}

/* ---- filters and transposed matrices ---------------------------------------------------------------------------- */

/* Filters: weights[plane][c][k] of `outputs` filters (a multiple of 16) from `from` on. Operands of bfloat16 are pairs
 * of rows, weights[plane][c / 2][k][2]. ROWS: rows of U that are stored together. */
#if PACED_PRODUCTS
#define ROWS 2
#else
#define ROWS 1
#endif

/* Stores vector v of rows `row` (a multiple of ROWS) to row + ROWS - 1 of all planes; a row has `vectors`. */
INLINE void store_rows(const int m, realv g[ROWS][MOST * MOST], size_t plane, size_t row, int vectors, int v,
                       global operand *weights)
{
    const int a = m + 2;
    EACH (int i = 0; i < a; ++i)
        EACH (int j = 0; j < a; ++j) {
            global operand *to = weights + (i * a + j) * plane + row * vectors * VEC;
#if PACED_PRODUCTS
            store_pair(g[0][i * MOST + j], g[1][i * MOST + j], to, v);
#else
            STREAMV(g[0][i * MOST + j], to, v);
#endif
        }
}

INLINE void filter_block(const int m, realv *g)
{
    EACH (int j = 0; j < 3; ++j) filter_line(m, g + j, MOST);
    EACH (int i = 0; i < m + 2; ++i) filter_line(m, g + i * MOST, 1);
}

/* From w[k][tap][c]. VEC 16: a work-item takes 16 channels of 16 filters, all filters real; else one element. Zero
 * beyond the last channel or filter. */
INLINE void filter_tile(const int m, int from, int outputs, int filters, int channels, int padded,
                        global const float *w, global operand *weights)
{
    uint id = get_global_id(0);
    size_t plane = (size_t)padded * outputs;
#if VEC == 16
    int across = outputs / 16;
    if (id >= (uint)(across * (padded / 16))) return;
    int k0 = id % across * 16, c0 = id / across * 16;
    realv block[9][16];
    PASS (int tap = 0; tap < 9; ++tap) {
        EACH (int i = 0; i < 16; ++i) {
            block[tap][i] = 0;
            if (c0 < channels) block[tap][i] = LOADV(w + ((size_t)(from + k0 + i) * 9 + tap) * channels + c0, 0);
        }
        turn(block[tap]);
    }
    LOOP (int c = 0; c < 16; c += ROWS) {
        realv g[ROWS][MOST * MOST];
        EACH (int r = 0; r < ROWS; ++r) {
            EACH (int tap = 0; tap < 9; ++tap) g[r][tap / 3 * MOST + tap % 3] = block[tap][c + r];
            filter_block(m, g[r]);
        }
        store_rows(m, g, plane, c0 + c, across, k0 / 16, weights);
    }
#elif VEC == 1 && !PACED_PRODUCTS
    if (id >= (uint)(padded * outputs)) return;
    int k = from + id % outputs, c = id / outputs;
    bool real = k < filters && c < channels;
    realv g[1][MOST * MOST];
    EACH (int tap = 0; tap < 9; ++tap)
        g[0][tap / 3 * MOST + tap % 3] = real ? w[((size_t)k * 9 + tap) * channels + c] : 0;
    filter_block(m, g[0]);
    store_rows(m, g, plane, c, outputs, id % outputs, weights);
#endif
}

/* weights[plane][k][c] of `outputs` channel vectors from `from` on, with reversed taps. */
INLINE void filter_reversed(const int m, int from, int outputs, int filters, int vectors, int padded,
                            global const float *w, global operand *weights)
{
    PIXEL_BELOW(pair, padded / ROWS);
    uint k = pair * ROWS;
    FOR_CHANNELS(v, outputs) {
        realv g[ROWS][MOST * MOST];
        EACH (int r = 0; r < ROWS; ++r) {
            bool real = k + r < (uint)filters && from + v < (uint)vectors;
            EACH (int tap = 0; tap < 9; ++tap) {
                g[r][tap / 3 * MOST + tap % 3] = 0;
                if (real)
                    g[r][tap / 3 * MOST + tap % 3] = LOADV(w, ((size_t)(k + r) * 9 + 8 - tap) * vectors + from + v);
            }
            filter_block(m, g[r]);
        }
        store_rows(m, g, (size_t)padded * outputs * VEC, k, outputs, v, weights);
    }
}

KERNELS(input, (struct winograd_tiles g, int h, int w, int padded, int pad, SOURCE_PARAMS, global float *values),
        SOURCE_PARTS; input_tile(m, g, h, w, padded, pad, first, second, values))
KERNELS(output, (struct winograd_tiles g, int plane_rows, int from, int vectors, int all, int padded, int has_bias,
                 global const float *products, global const float *bias, float beta, global out_t *y),
        output_tile(m, g, plane_rows, from, vectors, all, padded, has_bias, products, bias, beta, y))
KERNELS(filter, (int from, int outputs, int filters, int channels, int padded, global const float *w,
                 global operand *weights),
        filter_tile(m, from, outputs, filters, channels, padded, w, weights))
KERNELS(reversed, (int from, int outputs, int filters, int vectors, int padded, global const float *w,
                   global operand *weights),
        filter_reversed(m, from, outputs, filters, vectors, padded, w, weights))
