/* Storage in half precision, which is core OpenCL: x goes through a half. */
kernel void trial(uint vectors, global const float *x, global float *y)
{
    ITEM_BELOW(i, vectors);
    ushort stored[VEC]; /* without the extension, half is only a type to point to */
    for (int lane = 0; lane < VEC; ++lane) {
        vstore_half_rte(x[i * VEC + lane], lane, (half *)stored);
        y[i * VEC + lane] = fmax(0.0f, fma(vload_half(lane, (half *)stored), 3.0f, 1.0f));
    }
}
