/* 1x1 convolution to a few filters, as dot products: a matrix product would pad them to a whole tile. */

/* y[p][k] = beta y[p][k] + bias[k] + sum over c of weights[k][c] x(p, c); on a GPU dimension 0 is the filter. */
kernel void pointwise_fwd(struct pointwise shape, SOURCE_PARAMS, global const float *weights, global const float *bias,
                          float beta, global out_t *y)
{
    SOURCE_PARTS;
    int h = shape.h, w = shape.w, filters = shape.filters;
    PIXEL_BELOW(p, shape.pixels);
    int vectors = first.vectors + second.vectors;
    FOR_CHANNELS(k, filters) {
        realv sum = 0;
        for (int i = 0, from = 0; i < 2; ++i) {
            struct part part = i ? second : first;
            int row = part_row(part, p / w / h, p / w % h, h), column = part_column(part, p % w, w);
            size_t at = ((size_t)row * part.w + column) * part.vectors;
            for (int v = 0; v < part.vectors && row >= 0 && column >= 0; ++v)
                sum += part_value(part, part_map(part, v), LOAD_IN(part.x, at + v)) *
                       LOADV(weights, k * vectors + from + v);
            from += part.vectors;
        }
        float value = over_lanes(sum) + (shape.has_bias ? bias[k] : 0);
        if (beta != 0) value += beta * LOAD_OUT1(y, (size_t)p * filters + k);
        STORE_OUT1(value, y, (size_t)p * filters + k);
    }
}

/* dx[p][c] = beta dx[p][c] + sum over k of dy[p][k] weights[k][c]. */
kernel void pointwise_bwd_data(int pixels, int vectors, int filters, global const out_t *dy,
                               global const float *weights, float beta, global in_t *dx)
{
    PIXEL_BELOW(p, pixels);
    FOR_CHANNELS(v, vectors) {
        size_t at = (size_t)p * vectors + v;
        realv sum = 0;
        for (int k = 0; k < filters; ++k)
            sum += LOAD_OUT1(dy, (size_t)p * filters + k) * LOADV(weights, k * vectors + v);
        if (beta != 0) sum += beta * LOAD_IN(dx, at);
        STORE_IN(sum, dx, at);
    }
}

/* partial[chunk][k][c] = sum over the chunk's pixels of dy[p][k] x(p, c), four filters at a time. */
kernel void pointwise_bwd_weights(struct pointwise shape, int chunks, int chunk_pixels, SOURCE_PARAMS,
                                  global const out_t *dy, global float *partial)
{
    SOURCE_PARTS;
    int h = shape.h, w = shape.w, filters = shape.filters;
    int vectors = first.vectors + second.vectors;
    ITEM_BELOW(id, chunks * vectors);
    int v = id % vectors, chunk = id / vectors;
    int from = chunk * chunk_pixels, to = min(shape.pixels, from + chunk_pixels);
    struct part part = v < first.vectors ? first : second;
    int c = v < first.vectors ? v : v - first.vectors;
    struct map map = part_map(part, c);
    for (int k = 0; k < filters; k += 4) {
        realv sum[4] = {0, 0, 0, 0};
        for (int p = from; p < to; ++p) {
            int row = part_row(part, p / w / h, p / w % h, h), column = part_column(part, p % w, w);
            if (row < 0 || column < 0) continue;
            realv x = part_value(part, map, LOAD_IN(part.x, ((size_t)row * part.w + column) * part.vectors + c));
            EACH (int i = 0; i < 4; ++i) sum[i] += LOAD_OUT1(dy, (size_t)p * filters + min(k + i, filters - 1)) * x;
        }
        for (int i = 0; i < 4 && k + i < filters; ++i)
            STOREV(sum[i], partial, ((size_t)chunk * filters + k + i) * vectors + v);
    }
}
