/* Sums over planes of pixels and their transpose, each the forward pass of one operation and the backward pass of the
 * other. beta 0 overwrites `to`, 1 adds to it. */

/* to[n][channel] = beta to + scale sum over y, x of from[n][y][x][channel]: row by row, which keeps rounding small. */
kernel void global_pool_sum(int samples, int vectors, int h, int w, float scale, global const in_t *from, float beta,
                      global out_t *to)
{
    ITEM_BELOW(id, samples * vectors);
    uint v = id % vectors, n = id / vectors;
    realv sum = 0;
    for (int y = 0; y < h; ++y) {
        realv row = 0;
        for (int x = 0; x < w; ++x) row += LOAD_IN(from, (((size_t)n * h + y) * w + x) * vectors + v);
        sum += row;
    }
    sum *= scale;
    if (beta != 0) sum += beta * LOAD_OUT(to, id);
    STORE_OUT(sum, to, id);
}

/* to[pixel][channel] = beta to + scale from[pixel / plane][channel]. */
kernel void global_pool_spread(int pixels, int vectors, int plane, float scale, global const in_t *from, float beta,
                         global out_t *to)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = scale * LOAD_IN(from, (size_t)(p / plane) * vectors + v);
        if (beta != 0) value += beta * LOAD_OUT(to, at);
        STORE_OUT(value, to, at);
    }
}
