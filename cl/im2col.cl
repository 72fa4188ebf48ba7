/* Convolution through gathered patches: the gather, the packing of weights into GEMM operands, and their unpacking. */

/* patches[row][tap][channel] for target pixel first_row + row. On a GPU dimension 0 is the tap. */
kernel void im2col(struct im2col g, int pixels, int first_row, int rows, int columns, SOURCE_PARAMS,
                   global float *patches)
{
    SOURCE_PARTS;
    int h = g.h, w = g.w, size = g.size, zeros = g.zero_insertion;
    PIXEL_BELOW(row, rows);
    int p = first_row + row;
    bool real = p < pixels;
    int ox = p % g.ow, oy = p / g.ow % g.oh, n = p / g.ow / g.oh;
    global float *to = patches + (size_t)row * columns;
    int taps = size * size, vectors = first.vectors + second.vectors;
#ifndef PACED_GPU
    /* In a plain stored tensor with all taps inside, a row of taps is contiguous. */
    int x0 = ox * g.stride - g.pad, y0 = oy * g.stride - g.pad;
    bool plain = first.factor == 1 && first.top == 0 && first.left == 0 && !first.mapped && second.vectors == 0;
    bool dense = plain && g.dilation == 1 && zeros == 1;
    if (real && dense && x0 >= 0 && y0 >= 0 && x0 + size <= w && y0 + size <= h) {
        for (int ky = 0; ky < size; ++ky) {
            size_t at = (((size_t)n * h + y0 + ky) * w + x0) * vectors;
            for (int i = 0; i < size * vectors; ++i) STOREV(LOAD_IN(first.x, at + i), to, ky * size * vectors + i);
        }
        for (int i = taps * vectors * VEC; i < columns; ++i) to[i] = 0;
        return;
    }
#endif
    FOR_CHANNELS(tap, taps) {
        int ty = oy * g.stride - g.pad + (int)tap / size * g.dilation;
        int tx = ox * g.stride - g.pad + (int)tap % size * g.dilation;
        bool inside = real && ty >= 0 && tx >= 0 && ty % zeros == 0 && tx % zeros == 0;
        for (int i = 0, from = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            int line = inside ? part_row(part, n, ty / zeros, h) : -1, column = part_column(part, tx / zeros, w);
            size_t at = ((size_t)line * part.w + column) * part.vectors;
            for (int v = 0; v < part.vectors; ++v) {
                realv value = 0;
                if (line >= 0 && column >= 0) value = part_value(part, part_map(part, v), LOAD_IN(part.x, at + v));
                STOREV(value, to, tap * vectors + from + v);
            }
            from += part.vectors;
        }
        if (tap == (uint)taps - 1)
            for (int i = taps * vectors * VEC; i < columns; ++i) to[i] = 0;
    }
}

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

/* packed[tap c][n] = w[k][tap c], zero beyond. */
kernel void pack_forward(int rows, int n, int columns, int filters, global const float *w, global float *packed)
{
    uint id = get_global_id(0);
    if (id >= (uint)rows * n) return;
    int k = id % n, row = id / n;
    packed[id] = row < columns && k < filters ? w[(size_t)k * columns + row] : 0;
}

/* packed[tap k][c] = w[k][taps - 1 - tap][c], zero beyond. */
kernel void pack_backward(int rows, int n, int taps, int filters, int channels, global const float *w,
                          global float *packed)
{
    uint id = get_global_id(0);
    if (id >= (uint)rows * n) return;
    int c = id % n, row = id / n;
    int k = row % filters, tap = row / filters;
    packed[id] = tap < taps && c < channels ? w[((size_t)k * taps + taps - 1 - tap) * channels + c] : 0;
}

/* transposed[k][row] = dy[first + row][k], zero beyond; a work-item transposes one 16 x 16 tile. */
kernel void transpose_rows(int pixels, int first, int rows, int filters, int padded, global const out_t *dy,
                           global float *transposed)
{
    ITEM_BELOW(id, rows / 16 * (padded / 16));
    int k0 = id % (padded / 16) * 16, row0 = id / (padded / 16) * 16;
    float tile[16][16];
    for (int i = 0; i < 16; ++i) {
        int p = first + row0 + i;
        for (int j = 0; j < 16; ++j)
            tile[j][i] = p < pixels && k0 + j < filters ? LOAD_OUT1(dy, (size_t)p * filters + k0 + j) : 0;
    }
    for (int j = 0; j < 16; ++j)
        for (int i = 0; i < 16; ++i) transposed[((size_t)k0 + j) * rows + row0 + i] = tile[j][i];
}

/* dw[k][i] = result[k][i] for i < used of its `columns`. */
kernel void unpad(int filters, int used, int columns, global const float *result, global float *dw)
{
    ITEM_BELOW(id, filters * used);
    dw[id] = result[(size_t)(id / used) * columns + id % used];
}
