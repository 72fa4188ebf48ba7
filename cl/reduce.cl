/* Sums over pixels per channel: a partial sum per chunk of pixels, then one loop over the chunks. */
kernel void sum_partial(int pixels, int vectors, int chunks, int chunk_pixels, global const in_t *x,
                        global float *partial)
{
    ITEM_BELOW(id, chunks * vectors);
    uint v = id % vectors, chunk = id / vectors;
    int from = chunk * chunk_pixels, to = min(pixels, from + chunk_pixels);
    realv sum = 0;
    for (int p = from; p < to; ++p) sum += LOAD_IN(x, (size_t)p * vectors + v);
    STOREV(sum, partial, id);
}

kernel void sum_finish(int vectors, int chunks, global const float *partial, global float *sum)
{
    ITEM_BELOW(v, vectors);
    realv total = 0;
    for (int i = 0; i < chunks; ++i) total += LOADV(partial, (size_t)i * vectors + v);
    STOREV(total, sum, v);
}
