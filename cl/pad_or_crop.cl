/* to[y][x] = beta to[y][x] + from[y - top][x - left], zero outside `from` (h x w); `to` is oh x ow. */
kernel void pad_or_crop(int pixels, int vectors, int h, int w, int oh, int ow, int top, int left,
                      global const out_t *from, float beta, global in_t *to)
{
    PIXEL_BELOW(p, pixels);
    int ox = p % ow, oy = p / ow % oh, n = p / ow / oh;
    int y = oy - top, x = ox - left;
    bool inside = y >= 0 && y < h && x >= 0 && x < w;
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = 0;
        if (inside) value = LOAD_OUT(from, (((size_t)n * h + y) * w + x) * vectors + v);
        if (beta != 0) value += beta * LOAD_IN(to, at);
        STORE_IN(value, to, at);
    }
}
