/* y = max(x, 0) and its gradient; beta 0 overwrites dx, 1 adds to it. */
kernel void relu_fwd(int pixels, int vectors, global const float *x, global float *y)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = LOADV(x, at);
        STOREV(value > 0 ? value : (realv)0, y, at);
    }
}

kernel void relu_bwd(int pixels, int vectors, global const float *y, global const float *dy, float beta,
                     global float *dx)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = LOADV(y, at) > 0 ? LOADV(dy, at) : (realv)0;
        if (beta != 0) grad += beta * LOADV(dx, at);
        STOREV(grad, dx, at);
    }
}
