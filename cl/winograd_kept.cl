/* Winograd's convolutions whose tiles stay in local memory, forward and backward-data: a work-group of one work-item
 * transforms a few tiles to V, multiplies V by blocks of U (winograd.cl), and transforms the sums of a block back. On a
 * CPU local memory is a part of the core's own cache. */
#include "winograd.clh"
#define SPACE local
#include "products.clh"

#ifdef PRODUCT_ROWS
#if PACED_PRODUCTS
#define STORE_OPERAND(value, p) (*(local looseb *)(p) = narrow(value))
#else
#define STORE_OPERAND(value, p) (*(local loosev *)(p) = (value))
#endif

/* v[plane][row][channel] of a tile and the channels from..to; zero beyond the last channel or tile. */
INLINE void keep_input(const int m, struct winograd_tiles g, struct winograd_kept s, int row, int from, int to,
                       struct part first, struct part second, local operand *v)
{
    const int a = m + 2;
    int before = 0, last = to / VEC; /* vectors */
    local operand *line = v + row * s.depth - from;
    for (int i = 0; i < 2; ++i) {
        struct part part = i ? second : first;
        if (part.vectors == 0) break;
        struct block pixels = tile_block(m, g, g.first + row, part, s.h, s.w, s.pad);
        LOOP (int c = max(0, from / VEC - before); c < min(part.vectors, last - before); ++c) {
            realv block[MOST * MOST], d[MOST];
            struct map map = part_map(part, c);
            LOOP (int j = 0; j < a; ++j) {
                load_column(m, part, map, c, &pixels, j, d);
                input_line(m, d, 1, block + j, MOST);
            }
            LOOP (int i = 0; i < a; ++i) {
                input_line(m, block + i * MOST, 1, d, 1);
                EACH (int j = 0; j < a; ++j) STORE_OPERAND(d[j], line + (i * a + j) * s.plane + (before + c) * VEC);
            }
        }
        before += part.vectors;
    }
    for (int c = max(before, from / VEC); c < last; ++c)
        for (int i = 0; i < a * a; ++i) STORE_OPERAND((realv)0, line + i * s.plane + c * VEC);
}

/* sums[plane][row][output] = v u of a block of outputs and a slice of `depth` channels. The products of a plane load U
 * of the next one ahead, since each part of U is read only once for all rows, from memory or the last cache. */
INLINE void keep_products(const int m, struct winograd_tiles g, struct winograd_kept s, int outputs, int depth,
                          local const operand *v, global const operand *u, local float *sums)
{
    int step = outputs * (int)sizeof(operand) * PRODUCT_ROWS / max(g.rows, PRODUCT_ROWS);
    LOOP (int p = 0; p < (m + 2) * (m + 2); ++p) {
        global const operand *columns = u + (size_t)p * s.line * outputs, *next = columns + (size_t)s.line * outputs;
        LOOP (int row = 0; row < g.rows; row += PRODUCT_ROWS) {
            struct ahead ahead = {next + row / PRODUCT_ROWS * depth * step / (int)sizeof(operand), step};
            product(g.rows - row, outputs, false, v + p * s.plane + row * s.depth, s.depth, columns, outputs, depth,
                    ahead, sums + p * s.sums_plane + row * s.outputs, s.outputs);
        }
    }
}

/* The tile's pixels of `vectors` channel vectors, from vector `from` of the target on. */
INLINE void keep_output(const int m, struct winograd_tiles g, struct winograd_kept s, int row, int from, int vectors,
                        local const float *sums, global const float *bias, float beta, global out_t *y)
{
    const int a = m + 2;
    int tile = g.first + row, n = tile / g.across / g.down, all = s.filters / VEC;
    int y0 = tile_start(m, tile / g.across % g.down, g.h, g.dilation);
    int x0 = tile_start(m, tile % g.across, g.w, g.dilation);
    long column = (long)g.dilation * all, line = column * g.w;
    long corner = (((long)n * g.h + y0) * g.w + x0) * all + from;
    LOOP (int c = 0; c < vectors; ++c) {
        realv t[4 * MOST], d[MOST], add = 0;
        if (s.has_bias) add = LOADV(bias, from + c);
        LOOP (int j = 0; j < a; ++j) {
            EACH (int i = 0; i < a; ++i)
                d[i] = *(local const loosev *)(sums + (i * a + j) * s.sums_plane + row * s.outputs + c * VEC);
            output_line(m, d, 1, t + j, MOST);
        }
        LOOP (int i = 0; i < m; ++i) {
            output_line(m, t + i * MOST, 1, d, 1);
            EACH (int j = 0; j < m; ++j) {
                if (y0 + i * g.dilation >= g.h || x0 + j * g.dilation >= g.w) continue;
                long at = corner + i * line + j * column + c;
                realv value = d[j] + add;
                if (beta != 0) value += beta * LOAD_OUT(y, at);
                STORE_OUT(value, y, at);
            }
        }
    }
}

/* A work-item takes g.rows tiles and one of s.parts parts of the blocks of outputs. It adds the slices of channels in
 * the target. */
INLINE void convolve(const int m, struct winograd_tiles g, struct winograd_kept s, struct part first,
                     struct part second, global const operand *u, global const float *bias, float beta,
                     global out_t *y, local float *sums)
{
    uint group = get_global_id(0) / s.parts, part = get_global_id(0) % s.parts;
    g.first = group * g.rows;
    if (g.first >= g.tiles) return;
    local operand *v = (local operand *)(sums + (m + 2) * (m + 2) * s.sums_plane);
    int blocks = (s.padded + s.outputs - 1) / s.outputs;
    LOOP (int channel = 0; channel < s.line; channel += s.depth) {
        int depth = min(s.depth, s.line - channel);
        LOOP (int row = 0; row < g.rows; ++row) keep_input(m, g, s, row, channel, channel + depth, first, second, v);
        products_start();
        LOOP (int block = part * blocks / s.parts; block < (int)((part + 1) * blocks / s.parts); ++block) {
            int from = block * s.outputs, outputs = min(s.outputs, s.padded - from);
            keep_products(m, g, s, outputs, depth, v, u + (size_t)block * s.block + (size_t)channel * outputs, sums);
            LOOP (int row = 0; row < min(g.rows, g.tiles - g.first); ++row)
                keep_output(m, g, s, row, from / VEC, min(s.outputs, s.filters - from) / VEC, sums, bias, beta, y);
        }
        products_end();
        s.has_bias = false;
        beta = 1;
    }
}

KERNELS(kept, (struct winograd_tiles g, struct winograd_kept s, SOURCE_PARAMS, global const operand *u,
               global const float *bias, float beta, global out_t *y, local float *memory),
        SOURCE_PARTS; convolve(m, g, s, first, second, u, bias, beta, y, memory))
#endif
