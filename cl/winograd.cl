/* The transforms of Winograd's minimal filtering for 3x3 convolutions of stride 1. m = 4 or 2 outputs a side are
 * computed from a block of a = m + 2 inputs a side, by a * a matrix products between the transforms: a "plane" is one
 * element of the block, and the matrices of all planes are contiguous.
 *
 *   input   values[plane][tile][channel]   = (B^T d B)[plane],   d: the a x a pixels around a tile
 *   filter  weights[plane][c][k]           = (G g G^T)[plane],   g: 3 x 3 taps
 *   output  tile's m x m pixels            = A^T M A
 *   transposed  transposed[plane][k][tile]         = (A dy A^T)[plane]   (transposed, for the gradient of the weights)
 *   taps    dw[k][3][3][c]                 = G^T M G
 *
 * The matrices are those of the Cook-Toom algorithm at the points 0, +-1 and infinity (m = 2) and 0, +-P, +-Q and
 * infinity (m = 4). With P = 1 and Q = 2, the usual choice, the rounding error is 4.8 times that of a plain sum; with
 * 5/8 and 3/2 it is 2.1 times, and all coefficients except G's are exact. G carries the normalisation:
 * G0 = 1 / P^2 Q^2, GP = 1 / 2 P^2 (P^2 - Q^2), GQ = 1 / 2 Q^2 (Q^2 - P^2).
 *
 * A dilated convolution is dilation^2 dense ones: one for each remainder of the rows and of the columns. Along an axis
 * all tiles of remainder 0 come first, then those of 1, and so on.
 *
 * Channels are padded with zeros to whole lines of the matrix product. m is a constant where these functions are
 * inlined. A block is transformed column by column, then row by row. On a CPU these loops must not be unrolled: that
 * gives seven times the code and no speed. */
#define MOST 6 /* a, at most */

/* GROUP: channel vectors that a work-item transforms together. The size of a plane is often a multiple of a page, so
 * that one vector of all planes falls into one set of the first-level cache, which has eight lines. Therefore the loop
 * over the lines of a block contains the loop over the group: its vectors fall into different sets.
 * AHEAD: distance of a prefetched vector of the planes.
 * PASS: loop over lines of a block. A GPU has no private arrays that are indexed by variables. */
#ifdef PACED_GPU
#define GROUP 1
#define PASS EACH
#else
#define GROUP 4
#define PASS LOOP
#endif
#define AHEAD 8

#define P (5.0f / 8)
#define Q (3.0f / 2)
#define P2 (25.0f / 64)
#define Q2 (9.0f / 4)
#define P3 (125.0f / 512)
#define Q3 (27.0f / 8)
#define P2Q2 (225.0f / 256)
#define P2_AND_Q2 (169.0f / 64) /* their sum */
#define G0 (256.0f / 225)
#define GP (-2048.0f / 2975)
#define GQ (128.0f / 1071)

/* ---- one line of a block -------------------------------------------------------------------------------------- *
 * From d, whose elements are s apart, to t, whose elements are ts apart. t may be d, but the compiler then keeps the
 * elements in memory instead of registers. */

INLINE void input_line(const int m, const realv *d, const int s, realv *t, const int ts)
{
    realv d0 = d[0], d1 = d[s], d2 = d[2 * s], d3 = d[3 * s];
    if (m == 2) {
        t[0] = d0 - d2;
        t[ts] = d1 + d2;
        t[2 * ts] = d2 - d1;
        t[3 * ts] = d1 - d3;
        return;
    }
    realv d4 = d[4 * s], d5 = d[5 * s];
    realv even_p = d4 - Q2 * d2, odd_p = P * (d3 - Q2 * d1), even_q = d4 - P2 * d2, odd_q = Q * (d3 - P2 * d1);
    t[0] = P2Q2 * d0 - P2_AND_Q2 * d2 + d4;
    t[ts] = even_p + odd_p;
    t[2 * ts] = even_p - odd_p;
    t[3 * ts] = even_q + odd_q;
    t[4 * ts] = even_q - odd_q;
    t[5 * ts] = P2Q2 * d1 - P2_AND_Q2 * d3 + d5;
}

/* In place. */
INLINE void filter_line(const int m, realv *g, const int s)
{
    realv g0 = g[0], g1 = g[s], g2 = g[2 * s];
    if (m == 2) {
        realv outer = 0.5f * (g0 + g2), middle = 0.5f * g1;
        g[s] = outer + middle;
        g[2 * s] = outer - middle;
        g[3 * s] = g2;
        return;
    }
    realv even_p = GP * g0 + GP * P2 * g2, odd_p = GP * P * g1, even_q = GQ * g0 + GQ * Q2 * g2, odd_q = GQ * Q * g1;
    g[0] = G0 * g0;
    g[s] = even_p + odd_p;
    g[2 * s] = even_p - odd_p;
    g[3 * s] = even_q + odd_q;
    g[4 * s] = even_q - odd_q;
    g[5 * s] = g2;
}

INLINE void output_line(const int m, const realv *d, const int s, realv *t, const int ts)
{
    realv d0 = d[0], d1 = d[s], d2 = d[2 * s], d3 = d[3 * s];
    realv sum_p = d1 + d2, difference_p = d1 - d2;
    if (m == 2) {
        t[0] = d0 + sum_p;
        t[ts] = difference_p - d3;
        return;
    }
    realv d4 = d[4 * s], d5 = d[5 * s];
    realv sum_q = d3 + d4, difference_q = d3 - d4;
    t[0] = d0 + (sum_p + sum_q);
    t[ts] = P * difference_p + Q * difference_q;
    t[2 * ts] = P2 * sum_p + Q2 * sum_q;
    t[3 * ts] = P3 * difference_p + Q3 * difference_q + d5;
}

INLINE void grad_line(const int m, const realv *d, const int s, realv *t, const int ts)
{
    realv d0 = d[0], d1 = d[s];
    t[0] = d0;
    if (m == 2) {
        t[ts] = d0 + d1;
        t[2 * ts] = d0 - d1;
        t[3 * ts] = -d1;
        return;
    }
    realv d2 = d[2 * s], d3 = d[3 * s];
    realv even_p = d0 + P2 * d2, odd_p = P * d1 + P3 * d3, even_q = d0 + Q2 * d2, odd_q = Q * d1 + Q3 * d3;
    t[ts] = even_p + odd_p;
    t[2 * ts] = even_p - odd_p;
    t[3 * ts] = even_q + odd_q;
    t[4 * ts] = even_q - odd_q;
    t[5 * ts] = d3;
}

INLINE void taps_line(const int m, const realv *d, const int s, realv *t, const int ts)
{
    realv d0 = d[0], d3 = d[3 * s];
    realv sum_p = d[s] + d[2 * s], difference_p = d[s] - d[2 * s];
    if (m == 2) {
        t[0] = d0 + 0.5f * sum_p;
        t[ts] = 0.5f * difference_p;
        t[2 * ts] = 0.5f * sum_p + d3;
        return;
    }
    realv d4 = d[4 * s], d5 = d[5 * s];
    realv sum_q = d3 + d4, difference_q = d3 - d4;
    t[0] = G0 * d0 + GP * sum_p + GQ * sum_q;
    t[ts] = GP * P * difference_p + GQ * Q * difference_q;
    t[2 * ts] = GP * P2 * sum_p + GQ * Q2 * sum_q + d5;
}

/* ---- positions of tiles ---------------------------------------------------------------------------------------- */

/* The first row (or column) of tile `tile` along an axis of `length` outputs. The first length % dilation remainders
 * have one output more than the others. */
INLINE int tile_start(const int m, int tile, int length, int dilation)
{
    if (dilation == 1) return tile * m;
    int outputs = length / dilation, longer = length % dilation, many = (outputs + m) / m, few = (outputs + m - 1) / m;
    if (tile < longer * many) return tile / many + tile % many * m * dilation;
    tile -= longer * many; /* such tiles exist only if `few` is not 0 */
    return longer + tile / few + tile % few * m * dilation;
}

/* ---- forward and backward-data -------------------------------------------------------------------------------- */

/* The pixels of a tile in a part: offsets of rows and columns in channel vectors, negative where they are zeros.
 * next: the distance of the next tile in the row. */
struct block {
    long line[MOST], column[MOST], next;
};

INLINE struct block part_block(const int m, struct part part, int n, int y0, int x0, int h, int w, int dilation)
{
    struct block b;
    for (int k = 0; k < m + 2; ++k) {
        int y = n < 0 ? -1 : part_row(part, n, y0 + k * dilation, h), x = part_column(part, x0 + k * dilation, w);
        b.line[k] = (long)y * part.w * part.vectors;
        b.column[k] = (long)x * part.vectors;
    }
    b.next = m * dilation / part.factor * part.vectors;
    return b;
}

/* Column j of channel vector c. */
INLINE void load_column(const int m, struct part part, struct map map, uint c, const struct block *b, int j, realv *d)
{
    long column = b->column[j];
    EACH (int i = 0; i < m + 2; ++i) {
        d[i] = 0;
        if (b->line[i] < 0 || column < 0) continue;
        long at = b->line[i] + column + c;
        d[i] = part_value(part, map, LOAD_IN(part.x, at));
        if (j >= 2) PREFETCHV(part.x, at + b->next); /* the next tile has read the others */
    }
}

/* Tile from_tile + row counts over samples, tile rows and tile columns. Rows beyond the last tile are zero. */
INLINE void input_tile(const int m, struct winograd_tiles g, int h, int w, int padded, int pad, struct part first,
                       struct part second, global float *values)
{
    const int a = m + 2, dilation = g.dilation;
    size_t plane = (size_t)g.rows * padded;
    FOR_PIXELS(row, g.rows, g.run) {
        int tile = g.first + row, from = 0, n = tile < g.tiles ? tile / g.across / g.down : -1;
        int y0 = 0, x0 = 0;
        if (tile < g.tiles) {
            y0 = tile_start(m, tile / g.across % g.down, g.h, dilation) - pad;
            x0 = tile_start(m, tile % g.across, g.w, dilation) - pad;
        }
        global float *to = values + (size_t)row * padded * VEC;
        for (int i = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            if (part.vectors == 0) break;
            struct block pixels = part_block(m, part, n, y0, x0, h, w, dilation);
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

#if VEC == 16
/* Transposes 16 x 16 elements: four rounds of interleaving row i with row i + 8. */
INLINE void turn(realv *r)
{
    for (int round = 0; round < 4; ++round) {
        realv t[16];
        EACH (int i = 0; i < 8; ++i) {
            realv a = r[i], b = r[i + 8];
            t[2 * i] = (realv)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7,
                               b.s7);
            t[2 * i + 1] = (realv)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se,
                                   a.sf, b.sf);
        }
        EACH (int i = 0; i < 16; ++i) r[i] = t[i];
    }
}
#endif

/* weights[plane][c][k] of `outputs` filters (a multiple of 16) from `from` on, from w[k][tap][c]. VEC 16: a work-item
 * takes 16 channels of 16 filters, all filters real; else one element. Zero beyond the last channel or filter. */
INLINE void filter_tile(const int m, int from, int outputs, int filters, int channels, int padded,
                        global const float *w, global float *weights)
{
    const int a = m + 2;
    uint id = get_global_id(0);
    size_t plane = (size_t)padded * outputs;
#if VEC == 16
    int across = outputs / 16;
    if (id >= (uint)(across * (padded / 16))) return;
    int k0 = id % across * 16, c0 = id / across * 16;
    realv block[9][16];
    EACH (int tap = 0; tap < 9; ++tap) {
        EACH (int i = 0; i < 16; ++i) {
            block[tap][i] = 0;
            if (c0 < channels) block[tap][i] = LOADV(w + ((size_t)(from + k0 + i) * 9 + tap) * channels + c0, 0);
        }
        turn(block[tap]);
    }
    for (int c = 0; c < 16; ++c) {
        realv g[MOST * MOST];
        EACH (int tap = 0; tap < 9; ++tap) g[tap / 3 * MOST + tap % 3] = block[tap][c];
        EACH (int j = 0; j < 3; ++j) filter_line(m, g + j, MOST);
        EACH (int i = 0; i < a; ++i) {
            filter_line(m, g + i * MOST, 1);
            EACH (int j = 0; j < a; ++j)
                STREAMV(g[i * MOST + j], weights + (i * a + j) * plane + (size_t)(c0 + c) * outputs + k0, 0);
        }
    }
#elif VEC == 1
    if (id >= (uint)(padded * outputs)) return;
    int k = from + id % outputs, c = id / outputs;
    bool real = k < filters && c < channels;
    realv g[MOST * MOST];
    EACH (int tap = 0; tap < 9; ++tap)
        g[tap / 3 * MOST + tap % 3] = real ? w[((size_t)k * 9 + tap) * channels + c] : 0;
    EACH (int j = 0; j < 3; ++j) filter_line(m, g + j, MOST);
    EACH (int i = 0; i < a; ++i) {
        filter_line(m, g + i * MOST, 1);
        EACH (int j = 0; j < a; ++j) weights[(i * a + j) * plane + id] = g[i * MOST + j];
    }
#endif
}

/* weights[plane][k][c] of `outputs` channel vectors from `from` on, with reversed taps. */
INLINE void filter_reversed(const int m, int from, int outputs, int filters, int vectors, int padded,
                            global const float *w, global float *weights)
{
    const int a = m + 2;
    PIXEL_BELOW(k, padded);
    size_t plane = (size_t)padded * outputs;
    FOR_CHANNELS(v, outputs) {
        realv g[MOST * MOST];
        bool real = k < (uint)filters && from + v < (uint)vectors;
        EACH (int tap = 0; tap < 9; ++tap) {
            g[tap / 3 * MOST + tap % 3] = 0;
            if (real) g[tap / 3 * MOST + tap % 3] = LOADV(w, ((size_t)k * 9 + 8 - tap) * vectors + from + v);
        }
        EACH (int j = 0; j < 3; ++j) filter_line(m, g + j, MOST);
        EACH (int i = 0; i < a; ++i) {
            filter_line(m, g + i * MOST, 1);
            EACH (int j = 0; j < a; ++j)
                STREAMV(g[i * MOST + j], weights, (i * a + j) * plane + (size_t)k * outputs + v);
        }
    }
}

/* transposed[plane][k][tile] of `outputs` filters (a multiple of 16) from `from` on. VEC 16: a work-item takes 16 tiles
 * and 16 filters, all filters real; else one element. Zero beyond the last tile or filter. */
INLINE void transposed_tile(const int m, struct winograd_tiles g, int from, int outputs, int filters,
                            global const out_t *dy, global float *transposed)
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
                global float *to = transposed + i * a * plane + (size_t)(k0 + k1 + k) * rows + row0;
                grad_line(m, t[k] + i * m, 1, d, 1);
                EACH (int j = 0; j < a; ++j) {
                    STOREV(d[j], to + j * plane, 0);
                    PREFETCHV(to + j * plane + GROUP * rows, 0);
                }
            }
    }
#elif VEC == 1
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

/* ---- the kernels ---------------------------------------------------------------------------------------------- */

#define KERNELS(name, parameters, ...)                                               \
    kernel void CAT(winograd_##name, 4) parameters { const int m = 4; __VA_ARGS__; } \
    kernel void CAT(winograd_##name, 2) parameters { const int m = 2; __VA_ARGS__; }

KERNELS(input, (struct winograd_tiles g, int h, int w, int padded, int pad, SOURCE_PARAMS, global float *values),
        SOURCE_PARTS; input_tile(m, g, h, w, padded, pad, first, second, values))
KERNELS(output, (struct winograd_tiles g, int plane_rows, int from, int vectors, int all, int padded, int has_bias,
                 global const float *products, global const float *bias, float beta, global out_t *y),
        output_tile(m, g, plane_rows, from, vectors, all, padded, has_bias, products, bias, beta, y))
KERNELS(filter, (int from, int outputs, int filters, int channels, int padded, global const float *w,
                 global float *weights),
        filter_tile(m, from, outputs, filters, channels, padded, w, weights))
KERNELS(reversed, (int from, int outputs, int filters, int vectors, int padded, global const float *w,
                   global float *weights),
        filter_reversed(m, from, outputs, filters, vectors, padded, w, weights))
KERNELS(transposed, (struct winograd_tiles g, int from, int outputs, int filters, global const out_t *dy,
                     global float *transposed),
        transposed_tile(m, g, from, outputs, filters, dy, transposed))
KERNELS(taps, (int from, int rows, int plane_rows, int vectors, int padded, global const float *products,
               global float *dw),
        taps_tile(m, from, rows, plane_rows, vectors, padded, products, dw))
