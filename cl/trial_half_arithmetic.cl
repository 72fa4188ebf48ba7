/* Arithmetic in half precision, which is the extension cl_khr_fp16. */
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
kernel void trial(uint vectors, global const float *x, global float *y)
{
    ITEM_BELOW(i, vectors);
    for (int lane = 0; lane < VEC; ++lane) {
        half value = (half)x[i * VEC + lane] * (half)3 + (half)1;
        y[i * VEC + lane] = fmax(0.0f, (float)value);
    }
}
