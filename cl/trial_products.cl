/* Products of bfloat16 as kernels compute them: 32 rows of 16 values x, a 1 and zeros, times a matrix with 3 on its
 * diagonal and a row of 1, which gives 3 x + 1. The first of 32 work-items computes for all of them. Work-groups have
 * one work-item, as in all kernels with such products. */
#if VEC != 16
#error "products of bfloat16 take vectors of 16 floats"
#endif
#define SPACE local
#define SPACE_OF_B local
#include "products.clh"

enum { LINE = 32 };

kernel void trial(uint vectors, global const float *x, global float *y)
{
    local ushort rows[32 * LINE] __attribute__((aligned(64))), pairs[LINE * 16] __attribute__((aligned(64)));
    local float sums[32 * 16] __attribute__((aligned(64)));
    ITEM_BELOW(i, vectors);
    if (i % 32 != 0) return;
    for (int row = 0; row < 32; ++row) {
        *(local ushortv *)(rows + row * LINE) = narrow(LOADV(x, i + row));
        for (int k = 16; k < LINE; ++k) rows[row * LINE + k] = k == 16 ? narrow1(1) : 0;
    }
    for (int k = 0; k < LINE; ++k)
        for (int column = 0; column < 16; ++column)
            pairs[(k / 2 * 16 + column) * 2 + k % 2] = k == column ? narrow1(3) : k == 16 ? narrow1(1) : 0;
    products_start();
    for (int row = 0; row < 32; row += PRODUCT_ROWS)
        product(32, 16, false, rows + row * LINE, LINE, pairs, 16, LINE, (struct ahead){pairs, 0}, sums + row * 16, 16);
    products_end();
    for (int row = 0; row < 32; ++row)
        STOREV(relu(*(local loosev *)(sums + row * 16)), y, i + row);
}
