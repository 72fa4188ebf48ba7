/* Batch normalisation with optional ReLU. Rows of `saved`, c floats each: scale and shift (the map from x to y), mean,
 * inverse standard deviation. `partial` holds two rows of c floats per chunk of pixels. */
enum { SCALE, SHIFT, MEAN, INVERSE };

/* Mean and sum of squared deviations of each chunk; the second loop reads the chunk from the cache. */
kernel void bn_partial(int pixels, int vectors, int chunks, int chunk_pixels, global const in_t *x,
                       global float *partial)
{
    ITEM_BELOW(id, chunks * vectors);
    uint v = id % vectors, chunk = id / vectors;
    int from = chunk * chunk_pixels, to = min(pixels, from + chunk_pixels);
    realv sum = 0;
    for (int p = from; p < to; ++p) sum += LOAD_IN(x, (size_t)p * vectors + v);
    realv mean = sum / (float)(to - from), squares = 0, rest = 0;
    for (int p = from; p < to; ++p) {
        realv d = LOAD_IN(x, (size_t)p * vectors + v) - mean;
        squares += d * d;
        rest += d;
    }
    /* The mean of the deviations is the rounding error of `mean`; it corrects both results. */
    rest /= (float)(to - from);
    STOREV(mean + rest, partial, (size_t)chunk * 2 * vectors + v);
    STOREV(squares - rest * rest * (float)(to - from), partial, ((size_t)chunk * 2 + 1) * vectors + v);
}

static void keep(realv mean, realv variance, float eps, int vectors, uint v, global const float *weight,
                 global const float *bias, global float *saved)
{
    realv inverse = 1.0f / sqrt(variance + eps);
    realv scale = inverse * LOADV(weight, v);
    STOREV(mean, saved, MEAN * vectors + v);
    STOREV(inverse, saved, INVERSE * vectors + v);
    STOREV(scale, saved, SCALE * vectors + v);
    STOREV(LOADV(bias, v) - mean * scale, saved, SHIFT * vectors + v);
}

/* Merges the chunks, fills `saved` and updates the running statistics. */
kernel void bn_statistics(int pixels, int vectors, int chunks, int chunk_pixels, float eps, float momentum,
                          global const float *partial, global const float *weight, global const float *bias,
                          global float *running_mean, global float *running_var, global float *saved)
{
    ITEM_BELOW(v, vectors);
    realv mean = 0, squares = 0;
    for (int i = 0; i < chunks; ++i) {
        float count = min(pixels, (i + 1) * chunk_pixels) - i * chunk_pixels;
        mean += LOADV(partial, (size_t)i * 2 * vectors + v) * (count / (float)pixels);
    }
    for (int i = 0; i < chunks; ++i) {
        float count = min(pixels, (i + 1) * chunk_pixels) - i * chunk_pixels;
        realv d = LOADV(partial, (size_t)i * 2 * vectors + v) - mean;
        squares += LOADV(partial, ((size_t)i * 2 + 1) * vectors + v) + d * d * count;
    }
    keep(mean, squares / (float)pixels, eps, vectors, v, weight, bias, saved);
    realv unbiased = squares / (float)(pixels - 1);
    STOREV((1 - momentum) * LOADV(running_mean, v) + momentum * mean, running_mean, v);
    STOREV((1 - momentum) * LOADV(running_var, v) + momentum * unbiased, running_var, v);
}

kernel void bn_running(int vectors, float eps, global const float *weight, global const float *bias,
                       global const float *running_mean, global const float *running_var, global float *saved)
{
    ITEM_BELOW(v, vectors);
    keep(LOADV(running_mean, v), LOADV(running_var, v), eps, vectors, v, weight, bias, saved);
}

/* dy where the ReLU's input was positive, else 0. */
static realv unmasked(int relu, realv x, realv dy, int vectors, uint v, global const float *saved)
{
    if (!relu) return dy;
    return fma(x, LOADV(saved, SCALE * vectors + v), LOADV(saved, SHIFT * vectors + v)) > 0 ? dy : (realv)0;
}

kernel void bn_bwd_partial(int pixels, int vectors, int chunks, int chunk_pixels, int relu, global const in_t *x,
                           global const float *saved, global const out_t *dy, global float *partial)
{
    ITEM_BELOW(id, chunks * vectors);
    uint v = id % vectors, chunk = id / vectors;
    int from = chunk * chunk_pixels, to = min(pixels, from + chunk_pixels);
    realv mean = LOADV(saved, MEAN * vectors + v), inverse = LOADV(saved, INVERSE * vectors + v);
    realv sum = 0, along = 0;
    for (int p = from; p < to; ++p) {
        size_t at = (size_t)p * vectors + v;
        realv value = LOAD_IN(x, at), dz = unmasked(relu, value, LOAD_OUT(dy, at), vectors, v, saved);
        sum += dz;
        along += dz * (value - mean);
    }
    STOREV(sum, partial, (size_t)chunk * 2 * vectors + v);
    STOREV(along * inverse, partial, ((size_t)chunk * 2 + 1) * vectors + v);
}

kernel void bn_bwd_params(int vectors, int chunks, global const float *partial, global float *dweight,
                          global float *dbias)
{
    ITEM_BELOW(v, vectors);
    realv sum = 0, along = 0;
    for (int i = 0; i < chunks; ++i) {
        sum += LOADV(partial, (size_t)i * 2 * vectors + v);
        along += LOADV(partial, ((size_t)i * 2 + 1) * vectors + v);
    }
    STOREV(sum, dbias, v);
    STOREV(along, dweight, v);
}

kernel void bn_bwd_data(int pixels, int vectors, int relu, global const in_t *x, global const float *saved,
                        global const out_t *dy, global const float *dweight, global const float *dbias, float beta,
                        global in_t *dx)
{
    PIXEL_BELOW(p, pixels);
    float share = 1.0f / (float)pixels;
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv value = LOAD_IN(x, at), dz = unmasked(relu, value, LOAD_OUT(dy, at), vectors, v, saved);
        realv xhat = (value - LOADV(saved, MEAN * vectors + v)) * LOADV(saved, INVERSE * vectors + v);
        realv grad = LOADV(saved, SCALE * vectors + v) *
                     (dz - share * (LOADV(dbias, v) + xhat * LOADV(dweight, v)));
        if (beta != 0) grad += beta * LOAD_IN(dx, at);
        STREAM_IN(grad, dx, at);
    }
}
