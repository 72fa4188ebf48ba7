/* y = a + b, then max(y, 0) if `relu`; the gradient of either summand: beta 0 overwrites dx, 1 adds to it. */
kernel void add_fwd(int pixels, int vectors, int relu, global const in_t *a, global const in_t *b, global out_t *y)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = LOAD_IN(a, at) + LOAD_IN(b, at);
        if (relu) value = value < 0 ? (realv)0 : value;
        STORE_OUT(value, y, at);
    }
}

kernel void add_bwd(int pixels, int vectors, int relu, global const out_t *y, global const out_t *dy, float beta,
                    global in_t *dx)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = LOAD_OUT(dy, at);
        if (relu) grad = LOAD_OUT(y, at) > 0 ? grad : (realv)0;
        if (beta != 0) grad += beta * LOAD_IN(dx, at);
        STORE_IN(grad, dx, at);
    }
}
