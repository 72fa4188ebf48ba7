/* The first kernel that a device runs: y = max(0, 3 x + 1) in whole vectors. A device that fails it is not used.
 * The kernels of trial_*.cl compute the same in other formats; x holds whole numbers that all of them represent. */
kernel void trial(uint vectors, global const float *x, global float *y)
{
    uint i = get_global_id(0);
    if (i < vectors) STOREV(relu(fma(LOADV(x, i), (realv)3, (realv)1)), y, i);
}
