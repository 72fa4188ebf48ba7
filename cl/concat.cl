/* Copies `vectors` channel vectors per pixel, from offset `skip` of tensors with `stride` vectors a pixel to offset
 * `to_skip` of tensors with `to_stride`. */
kernel void concat_copy(int pixels, int vectors, int stride, int skip, int to_stride, int to_skip,
                        global const float *from, float beta, global float *to)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * to_stride + to_skip + v;
        realv value = LOADV(from, (size_t)p * stride + skip + v);
        if (beta != 0) value += beta * LOADV(to, at);
        STREAMV(value, to, at);
    }
}
