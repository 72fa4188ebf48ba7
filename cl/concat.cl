/* Copies `vectors` channel vectors of a gradient per pixel, from offset `skip` of tensors with `stride` vectors a pixel
 * to offset `to_skip` of tensors with `to_stride`. */
kernel void concat_copy(int pixels, int vectors, int stride, int skip, int to_stride, int to_skip,
                        global const out_t *from, float beta, global in_t *to)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * to_stride + to_skip + v;
        realv value = LOAD_OUT(from, (size_t)p * stride + skip + v);
        if (beta != 0) value += beta * LOAD_IN(to, at);
        STREAM_IN(value, to, at);
    }
}
