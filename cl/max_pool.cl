/* Maximum over size x size windows; `place` holds its index ky * size + kx in the window. */
kernel void max_pool_fwd(struct max_pool m, int pixels, SOURCE_PARAMS, global out_t *y, global uchar *place)
{
    SOURCE_PARTS;
    int size = m.size;
    PIXEL_BELOW(p, pixels);
    int ox = p % m.ow, oy = p / m.ow % m.oh, n = p / m.ow / m.oh, vectors = first.vectors + second.vectors;
    for (int i = 0, from = 0; i < 2; ++i) {
        struct part part = i ? second : first;
        FOR_CHANNELS_FROM(v, from, from + part.vectors) {
            struct map map = part_map(part, v - from);
            realv best = -INFINITY;
            intv winner = 0;
            bool found = false;
            for (int ky = 0; ky < size; ++ky)
                for (int kx = 0; kx < size; ++kx) {
                    int iy = oy * m.stride - m.pad + ky, ix = ox * m.stride - m.pad + kx;
                    if (iy < 0 || iy >= m.h || ix < 0 || ix >= m.w) continue;
                    int row = part_row(part, n, iy, m.h), column = part_column(part, ix, m.w);
                    size_t at = ((size_t)row * part.w + column) * part.vectors + v - from;
                    realv value = 0;
                    if (row >= 0 && column >= 0) value = part_value(part, map, LOAD_IN(part.x, at));
                    intv wins = found ? (value > best) || (value != value) : (intv)(~0);
                    best = wins ? value : best;
                    winner = wins ? (intv)(ky * size + kx) : winner;
                    found = true;
                }
            size_t at = (size_t)p * vectors + v;
            STORE_OUT(best, y, at);
            STORE_BYTES(winner, place, at);
        }
        from += part.vectors;
    }
}

kernel void max_pool_bwd(struct max_pool m, int pixels, int vectors, global const out_t *dy, global const uchar *place,
                         float beta, global in_t *dx)
{
    int size = m.size;
    PIXEL_BELOW(p, pixels);
    int ix = p % m.w, iy = p / m.w % m.h, n = p / m.w / m.h;
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = 0;
        if (beta != 0) grad = beta * LOAD_IN(dx, at);
        for (int ky = 0; ky < size; ++ky)
            for (int kx = 0; kx < size; ++kx) {
                int ty = iy + m.pad - ky, tx = ix + m.pad - kx; /* the window's top left corner, in input pixels */
                if (ty < 0 || tx < 0 || ty % m.stride != 0 || tx % m.stride != 0) continue;
                int oy = ty / m.stride, ox = tx / m.stride;
                if (oy >= m.oh || ox >= m.ow) continue;
                size_t from = (((size_t)n * m.oh + oy) * m.ow + ox) * vectors + v;
                grad += LOAD_BYTES(place, from) == ky * size + kx ? LOAD_OUT(dy, from) : (realv)0;
            }
        STORE_IN(grad, dx, at);
    }
}
