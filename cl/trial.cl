/* The first kernel that a device runs: whole vectors, a map and a ReLU, as most kernels have them. A device that does not
 * compute it is not used. */
kernel void trial(uint vectors, global const float *x, float factor, global float *y)
{
    uint i = get_global_id(0);
    if (i < vectors) STOREV(relu(fma(LOADV(x, i), (realv)factor, (realv)1)), y, i);
}
