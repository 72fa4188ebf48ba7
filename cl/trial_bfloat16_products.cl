/* Products of pairs in bfloat16 with float sums: the instruction vdpbf16ps of x86 processors with AVX512-BF16, through
 * inline assembly. Compilers for other processors refuse it. A lane's pairs are (x, 1) and (3, 1), so that the product
 * is 3 x + 1. The float vectors of VEC = 16 are the instruction's. */
#if VEC != 16
#error "vdpbf16ps takes vectors of 16 floats"
#endif
kernel void trial(uint vectors, global const float *x, global float *y)
{
    ITEM_BELOW(i, vectors);
    uint16 one = as_uint16((float16)1) & 0xffff0000u, three = as_uint16((float16)3) >> 16;
    float16 a = as_float16(as_uint16(LOADV(x, i)) >> 16 | one), b = as_float16(three | one), sum = 0;
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    STOREV(relu(sum), y, i);
}
