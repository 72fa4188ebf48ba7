/* Nearest resizing of h x w to oh x ow; the ratios are h / oh and w / ow in float32, as in PyTorch. */
static int source_of(int i, float ratio, int size)
{
    return min((int)floor((float)i * ratio), size - 1);
}

kernel void resize_fwd(int pixels, int vectors, int h, int w, int oh, int ow, float ratio_y, float ratio_x,
                       global const in_t *x, global out_t *y)
{
    PIXEL_BELOW(p, pixels);
    int ox = p % ow, oy = p / ow % oh, n = p / ow / oh;
    size_t from = ((size_t)n * h + source_of(oy, ratio_y, h)) * w + source_of(ox, ratio_x, w);
    FOR_CHANNELS(v, vectors) {
        STORE_OUT(LOAD_IN(x, from * vectors + v), y, (size_t)p * vectors + v);
    }
}

/* The first of `out` positions whose source is `at` or later. Sources never decrease, and rounding moves one by less
 * than a position, so the search starts two positions before the quotient. */
static int first_from(int at, float ratio, int size, int out)
{
    int i = max((int)((float)at / ratio) - 2, 0);
    while (i < out && source_of(i, ratio, size) < at) ++i;
    return i;
}

kernel void resize_bwd(int pixels, int vectors, int h, int w, int oh, int ow, float ratio_y, float ratio_x,
                       global const out_t *dy, float beta, global in_t *dx)
{
    PIXEL_BELOW(p, pixels);
    int x = p % w, y = p / w % h, n = p / w / h;
    int top = first_from(y, ratio_y, h, oh), bottom = first_from(y + 1, ratio_y, h, oh);
    int left = first_from(x, ratio_x, w, ow), right = first_from(x + 1, ratio_x, w, ow);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = 0;
        if (beta != 0) grad = beta * LOAD_IN(dx, at);
        for (int oy = top; oy < bottom; ++oy)
            for (int ox = left; ox < right; ++ox) grad += LOAD_OUT(dy, (((size_t)n * oh + oy) * ow + ox) * vectors + v);
        STORE_IN(grad, dx, at);
    }
}
