/* Sums over planes of pixels and their transpose. beta 0 overwrites `to`, 1 adds to it. */

/* to[n][channel] = beta to + scale sum over y, x of from[n][y][x][channel]: row by row, which keeps rounding small. */
kernel void global_pool_sum(int samples, int vectors, int h, int w, float scale, global const float *from, float beta,
                      global float *to)
{
    ITEM_BELOW(id, samples * vectors);
    uint v = id % vectors, n = id / vectors;
    realv sum = 0;
    for (int y = 0; y < h; ++y) {
        realv row = 0;
        for (int x = 0; x < w; ++x) row += LOADV(from, (((size_t)n * h + y) * w + x) * vectors + v);
        sum += row;
    }
    sum *= scale;
    if (beta != 0) sum += beta * LOADV(to, id);
    STOREV(sum, to, id);
}

/* to[pixel][channel] = beta to + scale from[pixel / plane][channel]. */
kernel void global_pool_spread(int pixels, int vectors, int plane, float scale, global const float *from, float beta,
                         global float *to)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = scale * LOADV(from, (size_t)(p / plane) * vectors + v);
        if (beta != 0) value += beta * LOADV(to, at);
        STOREV(value, to, at);
    }
}
