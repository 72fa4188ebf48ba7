/* Products of bfloat16 matrices on CPUs: c[b][m][n] = a[b][m][k] b[b][k / 2][n][2] + beta c[b][m][n], beta 0 or 1, with
 * float sums. Sizes are multiples of 16, k of 32. A work-item computes some rows of one product. */
#define SPACE global
#include "products.clh"

#ifdef PRODUCT_ROWS
kernel void products(int count, int m, int n, int k, global const operand *a, global const operand *b, float beta,
                     global float *c)
{
    int across = (m + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
    ITEM_BELOW(id, count * across);
    size_t index = id / across, row = id % across * PRODUCT_ROWS;
    global const operand *rows = a + (index * m + row) * k, *columns = b + index * k * n;
    global float *to = c + (index * m + row) * n;
    products_start();
    LOOP (int j = 0; j < n; j += 2 * VEC) {
        if (beta == 0)
            product(m - row, n - j, false, rows, k, columns + 2 * j, n, k, to + j, n);
        else
            product(m - row, n - j, true, rows, k, columns + 2 * j, n, k, to + j, n);
    }
    products_end();
}
#endif
