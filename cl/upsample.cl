/* The gradient of nearest upsampling by a whole factor; h and w are the size before upsampling. */
kernel void upsample_bwd(int pixels, int vectors, int h, int w, int factor, global const out_t *dy, float beta,
                         global in_t *dx)
{
    PIXEL_BELOW(p, pixels);
    int x = p % w, y = p / w % h, n = p / w / h;
    int ow = w * factor, oh = h * factor;
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv grad = 0;
        if (beta != 0) grad = beta * LOAD_IN(dx, at);
        for (int j = 0; j < factor; ++j)
            for (int i = 0; i < factor; ++i)
                grad += LOAD_OUT(dy, (((size_t)n * oh + y * factor + j) * ow + x * factor + i) * vectors + v);
        STORE_IN(grad, dx, at);
    }
}
