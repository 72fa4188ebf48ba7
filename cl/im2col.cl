/* Convolution through gathered patches: the gather, the packing of weights into GEMM operands, and their unpacking.
 * Operands are float or bfloat16 (products.clh); the second one of a product of bfloat16 has pairs of rows. */
#include "turn.clh"
#define SPACE global
#include "products.clh"

/* Rows of a second operand that are stored together. */
#if PACED_PRODUCTS
#define ROWS 2
#else
#define ROWS 1
#endif

#if PACED_PRODUCTS
/* Stores vector v of a pair of rows of a second operand, [n / PANEL][depth / 2][PANEL][2]: products read panels in the
 * order of memory. */
INLINE void store_in_panel(realv even, realv odd, global operand *to, int depth, int n, int pair, int v)
{
    int start = v * VEC / PANEL * PANEL, line = min(PANEL, n - start);
    store_pair(even, odd, to + (size_t)start * depth + (size_t)pair * 2 * line, v - start / VEC);
}
#endif

/* Stores vector v of ROWS rows, from `row` on, of a second operand [depth][n]. */
INLINE void store_rows(const realv *rows, global operand *to, int depth, int n, int row, int v)
{
#if PACED_PRODUCTS
    store_in_panel(rows[0], rows[1], to, depth, n, row / 2, v);
#else
    STOREV(rows[0], to + (size_t)row * n, v);
#endif
}

/* ---- the gather ------------------------------------------------------------------------------------------------ */

/* The place of a target pixel's first tap in sample n of the source; all of it is zero beyond the last pixel. */
struct corner {
    int n, y, x;
    bool real;
};

INLINE struct corner corner_of(struct im2col g, int p, int pixels)
{
    int n = p / g.ow / g.oh, y = p / g.ow % g.oh * g.stride - g.pad, x = p % g.ow * g.stride - g.pad;
    struct corner corner = {n, y, x, p < pixels};
    return corner;
}

/* The first channel vector of the stored pixel at a tap; -1: zeros. */
INLINE long tap_start(struct im2col g, struct corner corner, int tap, struct part part)
{
    int y = corner.y + tap / g.size * g.dilation, x = corner.x + tap % g.size * g.dilation, zeros = g.zero_insertion;
    if (!corner.real || y < 0 || x < 0 || y % zeros != 0 || x % zeros != 0) return -1;
    int line = part_row(part, corner.n, y / zeros, g.h), column = part_column(part, x / zeros, g.w);
    return line < 0 || column < 0 ? -1 : ((long)line * part.w + column) * part.vectors;
}

INLINE realv tap_value(struct part part, struct map map, long start, int v)
{
    if (start < 0) return 0;
    return part_value(part, map, LOAD_IN(part.x, start + v));
}

/* patches[row][tap][channel] for target pixel first_row + row. On a GPU dimension 0 is the tap. */
kernel void im2col(struct im2col g, int pixels, int first_row, int rows, int columns, SOURCE_PARAMS,
                   global operand *patches)
{
    SOURCE_PARTS;
    PIXEL_BELOW(row, rows);
    struct corner corner = corner_of(g, first_row + row, pixels);
    global operand *to = patches + (size_t)row * columns;
    int taps = g.size * g.size, vectors = first.vectors + second.vectors;
#ifndef PACED_GPU
    /* In a plain stored tensor with all taps inside, a row of taps is contiguous. */
    int size = g.size, y0 = corner.y, x0 = corner.x;
    bool plain = first.factor == 1 && first.top == 0 && first.left == 0 && !first.mapped && second.vectors == 0;
    bool dense = plain && g.dilation == 1 && g.zero_insertion == 1;
    if (corner.real && dense && x0 >= 0 && y0 >= 0 && x0 + size <= g.w && y0 + size <= g.h) {
        for (int ky = 0; ky < size; ++ky) {
            size_t at = (((size_t)corner.n * g.h + y0 + ky) * g.w + x0) * vectors;
            for (int i = 0; i < size * vectors; ++i)
                STORE_OPERANDS(LOAD_IN(first.x, at + i), to, ky * size * vectors + i);
        }
        for (int i = taps * vectors * VEC; i < columns; ++i) to[i] = 0;
        return;
    }
#endif
    FOR_CHANNELS(tap, taps) {
        for (int i = 0, from = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            long start = tap_start(g, corner, tap, part);
            for (int v = 0; v < part.vectors; ++v)
                STORE_OPERANDS(tap_value(part, part_map(part, v), start, v), to, tap * vectors + from + v);
            from += part.vectors;
        }
        if (tap == (uint)taps - 1)
            for (int i = taps * vectors * VEC; i < columns; ++i) to[i] = 0;
    }
}

#if PACED_PRODUCTS
/* The same as pairs of rows in panels of columns, patches[column / PANEL][row / 2][PANEL][2]. */
kernel void im2col_pairs(struct im2col g, int pixels, int first_row, int rows, int columns, SOURCE_PARAMS,
                         global operand *patches)
{
    SOURCE_PARTS;
    PIXEL_BELOW(pair, rows / 2);
    struct corner even = corner_of(g, first_row + 2 * pair, pixels);
    struct corner odd = corner_of(g, first_row + 2 * pair + 1, pixels);
    int taps = g.size * g.size, vectors = first.vectors + second.vectors;
    for (int tap = 0; tap < taps; ++tap)
        for (int i = 0, from = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            long even_start = tap_start(g, even, tap, part), odd_start = tap_start(g, odd, tap, part);
            for (int v = 0; v < part.vectors; ++v) {
                struct map map = part_map(part, v);
                store_in_panel(tap_value(part, map, even_start, v), tap_value(part, map, odd_start, v), patches, rows,
                               columns, pair, tap * vectors + from + v);
            }
            from += part.vectors;
        }
    for (int v = taps * vectors; v < columns / VEC; ++v) store_in_panel(0, 0, patches, rows, columns, pair, v);
}
#endif

/* target[first + row][channel] = beta target + result[row][channel] + bias[channel]. */
kernel void conv_store(int rows, int vectors, int first, int result_vectors, int has_bias, global const float *result,
                       global const float *bias, float beta, global out_t *target)
{
    PIXEL_BELOW(row, rows);
    FOR_CHANNELS(v, vectors) {
        size_t at = ((size_t)first + row) * vectors + v;
        realv value = LOADV(result, (size_t)row * result_vectors + v);
        if (has_bias) value += LOADV(bias, v);
        if (beta != 0) value += beta * LOAD_OUT(target, at);
        STORE_OUT(value, target, at);
    }
}

/* ---- weights and gradients ------------------------------------------------------------------------------------- */

/* packed[tap c][n] = w[k][tap c], zero beyond. VEC 16: a work-item takes 16 x 16 weights, the columns and filters
 * are whole vectors; else it takes ROWS elements. */
kernel void pack_forward(int rows, int n, int columns, int filters, global const float *w, global operand *packed)
{
#if VEC == 16
    ITEM_BELOW(id, rows / 16 * (n / 16));
    int row = id % (rows / 16) * 16, k0 = id / (rows / 16) * 16;
    realv block[16];
    EACH (int i = 0; i < 16; ++i) {
        block[i] = 0;
        if (row < columns) block[i] = LOADV(w + (size_t)(k0 + i) * columns + row, 0);
    }
    turn(block);
    EACH (int i = 0; i < 16; i += ROWS) store_rows(block + i, packed, rows, n, row + i, k0 / 16);
#elif VEC == 1
    ITEM_BELOW(id, rows / ROWS * n);
    int k = id % n, row = id / n * ROWS;
    realv value[ROWS];
    EACH (int r = 0; r < ROWS; ++r)
        value[r] = row + r < columns && k < filters ? w[(size_t)k * columns + row + r] : 0;
    store_rows(value, packed, rows, n, row, k);
#endif
}

/* packed[tap k][c] = w[k][taps - 1 - tap][c], zero beyond; a row has n vectors, of which `vectors` are real. */
kernel void pack_backward(int rows, int n, int taps, int filters, int vectors, global const float *w,
                          global operand *packed)
{
    PIXEL_BELOW(line, rows / ROWS);
    FOR_CHANNELS(v, n) {
        realv value[ROWS];
        EACH (int r = 0; r < ROWS; ++r) {
            int row = line * ROWS + r, k = row % filters, tap = row / filters;
            value[r] = 0;
            if (tap < taps && v < (uint)vectors)
                value[r] = LOADV(w, ((size_t)k * taps + taps - 1 - tap) * vectors + v);
        }
        store_rows(value, packed, rows, n * VEC, line * ROWS, v);
    }
}

/* transposed[k][row] = dy[first + row][k], zero beyond; a work-item transposes one 16 x 16 tile. VEC 16: the filters
 * are whole vectors. */
kernel void transpose_rows(int pixels, int first, int rows, int filters, int padded, global const out_t *dy,
                           global operand *transposed)
{
    ITEM_BELOW(id, rows / 16 * (padded / 16));
    int k0 = id % (padded / 16) * 16, row0 = id / (padded / 16) * 16;
#if VEC == 16
    realv tile[16];
    EACH (int i = 0; i < 16; ++i) {
        tile[i] = 0;
        if (first + row0 + i < pixels) tile[i] = LOAD_OUT(dy + (size_t)(first + row0 + i) * filters + k0, 0);
    }
    turn(tile);
    EACH (int j = 0; j < 16; ++j) STORE_OPERANDS(tile[j], transposed + ((size_t)k0 + j) * rows + row0, 0);
#elif VEC == 1
    float tile[16][16];
    for (int i = 0; i < 16; ++i) {
        int p = first + row0 + i;
        for (int j = 0; j < 16; ++j)
            tile[j][i] = p < pixels && k0 + j < filters ? LOAD_OUT1(dy, (size_t)p * filters + k0 + j) : 0;
    }
    for (int j = 0; j < 16; ++j)
        for (int i = 0; i < 16; ++i) STORE_OPERANDS(tile[j][i], transposed, ((size_t)k0 + j) * rows + row0 + i);
#endif
}

/* dw[k][i] = result[k][i] for i < used of its `columns`. */
kernel void unpad(int filters, int used, int columns, global const float *result, global float *dw)
{
    ITEM_BELOW(id, filters * used);
    dw[id] = result[(size_t)(id / used) * columns + id % used];
}
