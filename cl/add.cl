/* y = a + b, then max(y, 0) if `relu`; the gradient of either summand: beta 0 overwrites dx, 1 adds to it. */
kernel void add_fwd(int pixels, int vectors, int relu, global const float *a, global const float *b, global float *y)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = LOADV(a, at) + LOADV(b, at);
        if (relu) value = value < 0 ? (realv)0 : value;
        STOREV(value, y, at);
    }
}

kernel void add_bwd(int pixels, int vectors, int relu, global const float *y, global const float *dy, float beta,
                    global float *dx)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = LOADV(dy, at);
        if (relu) grad = LOADV(y, at) > 0 ? grad : (realv)0;
        if (beta != 0) grad += beta * LOADV(dx, at);
        STOREV(grad, dx, at);
    }
}
