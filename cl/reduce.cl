/* Sums over pixels per channel: a partial sum per chunk of pixels, then one loop over the chunks. */
kernel void sum_partial(int pixels, int vectors, int chunks, int chunk_pixels, global const float *x,
                        global float *partial)
{
    uint id = get_global_id(0);
    if (id >= (uint)(chunks * vectors)) return;
    uint v = id % vectors, chunk = id / vectors;
    int from = chunk * chunk_pixels, to = min(pixels, from + chunk_pixels);
    realv sum = 0;
    for (int p = from; p < to; ++p) sum += LOADV(x, (size_t)p * vectors + v);
    STOREV(sum, partial, id);
}

kernel void sum_finish(int vectors, int chunks, global const float *partial, global float *sum)
{
    uint v = get_global_id(0);
    if (v >= (uint)vectors) return;
    realv total = 0;
    for (int i = 0; i < chunks; ++i) total += LOADV(partial, (size_t)i * vectors + v);
    STOREV(total, sum, v);
}
