/* Measurements of a device's peak: multiply-adds in registers, and a copy through memory. */

/* Independent chains of x = a x + b: enough to hide the latency of two units of four cycles, few enough for the 16
 * registers of AVX2. Initial values come from memory, and a and b from the host, so that a compiler can neither
 * precompute results nor compute them once for all lanes. */
#define CHAINS 12
#define UNROLLED 8

kernel void peak_fma(int items, int rounds, float a, float b, global float *values)
{
    ITEM_BELOW(id, items);
    realv x[CHAINS];
    EACH (int i = 0; i < CHAINS; ++i) x[i] = LOADV(values, id) + i;
    for (int round = 0; round < rounds; ++round)
        EACH (int u = 0; u < UNROLLED; ++u)
            EACH (int i = 0; i < CHAINS; ++i) x[i] = fma(x[i], (realv)a, (realv)b);
    EACH (int i = 1; i < CHAINS; ++i) x[0] += x[i];
    STOREV(x[0], values, id);
}

/* A work-item copies `chunk` consecutive vectors of `vectors`. */
kernel void peak_copy(uint chunk, uint vectors, global const float *from, global float *to)
{
    uint first = get_global_id(0) * chunk, end = min(first + chunk, vectors);
    for (uint i = first; i < end; ++i) STOREV(LOADV(from, i), to, i);
}
