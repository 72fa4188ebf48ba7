/* y = max(x, 0) and its gradient; beta 0 overwrites dx, 1 adds to it. */
kernel void relu_fwd(int pixels, int vectors, global const in_t *x, global out_t *y)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = LOAD_IN(x, at);
        STORE_OUT(value > 0 ? value : (realv)0, y, at);
    }
}

kernel void relu_bwd(int pixels, int vectors, global const out_t *y, global const out_t *dy, float beta,
                     global in_t *dx)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = LOAD_OUT(y, at) > 0 ? LOAD_OUT(dy, at) : (realv)0;
        if (beta != 0) grad += beta * LOAD_IN(dx, at);
        STORE_IN(grad, dx, at);
    }
}
