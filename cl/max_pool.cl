/* Maximum over size x size windows; `place` holds its index ky * size + kx in the window. */
kernel void max_pool_fwd(int pixels, int h, int w, int oh, int ow, int size, int stride, int pad, SOURCE_PARAMS,
                         global float *y, global uchar *place)
{
    SOURCE_PARTS;
    uint p = PIXEL;
    if (p >= (uint)pixels) return;
    int ox = p % ow, oy = p / ow % oh, n = p / ow / oh, vectors = first.vectors + second.vectors;
    for (int i = 0, from = 0; i < 2; ++i) {
        struct part part = i ? second : first;
        FOR_CHANNELS_FROM(v, from, from + part.vectors) {
            struct map map = part_map(part, v - from);
            realv best = -INFINITY;
            intv winner = 0;
            bool found = false;
            for (int ky = 0; ky < size; ++ky)
                for (int kx = 0; kx < size; ++kx) {
                    int iy = oy * stride - pad + ky, ix = ox * stride - pad + kx;
                    if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
                    int row = part_row(part, n, iy, h), column = part_column(part, ix, w);
                    realv value = 0;
                    if (row >= 0 && column >= 0)
                        value = part_value(part, map, LOADV(part.x, ((size_t)row * part.w + column) * part.vectors + v - from));
                    intv wins = found ? (value > best) || (value != value) : (intv)(~0);
                    best = wins ? value : best;
                    winner = wins ? (intv)(ky * size + kx) : winner;
                    found = true;
                }
            size_t at = (size_t)p * vectors + v;
            STOREV(best, y, at);
            STORE_BYTES(winner, place, at);
        }
        from += part.vectors;
    }
}

kernel void max_pool_bwd(int pixels, int vectors, int h, int w, int oh, int ow, int size, int stride, int pad,
                         global const float *dy, global const uchar *place, float beta, global float *dx)
{
    uint p = PIXEL;
    if (p >= (uint)pixels) return;
    int ix = p % w, iy = p / w % h, n = p / w / h;
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = 0;
        if (beta != 0) grad = beta * LOADV(dx, at);
        for (int ky = 0; ky < size; ++ky)
            for (int kx = 0; kx < size; ++kx) {
                int ty = iy + pad - ky, tx = ix + pad - kx; /* the window's top left corner, in input pixels */
                if (ty < 0 || tx < 0 || ty % stride != 0 || tx % stride != 0) continue;
                int oy = ty / stride, ox = tx / stride;
                if (oy >= oh || ox >= ow) continue;
                size_t from = (((size_t)n * oh + oy) * ow + ox) * vectors + v;
                grad += LOAD_BYTES(place, from) == ky * size + kx ? LOADV(dy, from) : (realv)0;
            }
        STOREV(grad, dx, at);
    }
}
