/* Products of bfloat16 matrices on CPUs, with float sums:
 *   c[b][m][n] = a[b][m][k] b[b][n / panel][k / 2][panel][2] + beta c[b][m][n],   beta 0 or 1
 * Sizes are multiples of 16, k of 32. `panel` is n or a multiple of 32; the last panel may be narrower. A work-item
 * computes a block of rows and columns of one product, whose operands stay in the second-level cache while it takes
 * them in steps of DEPTH. */
#define SPACE global
#include "products.clh"

#ifdef PRODUCT_ROWS
enum { DEPTH = 512 };

/* c = a b, with `add` c += a b, for `rows` of a and c, the columns from..to of b and c, and the depth first..last. */
INLINE void block_product(int rows, int from, int to, const bool add, int first, int last, int n, int k, int panel,
                          global const operand *a, global const operand *b, global float *c)
{
    const struct ahead none = {b, 0};
    LOOP (int j = from; j < to; j += 2 * VEC) {
        int start = j / panel * panel, line = min(panel, n - start);
        global const operand *pairs = b + (size_t)start * k + (size_t)first * line + 2 * (j - start);
        LOOP (int i = 0; i < rows; i += PRODUCT_ROWS)
            product(rows - i, to - j, add, a + (size_t)i * k + first, k, pairs, line, last - first, none,
                    c + (size_t)i * n + j, n);
    }
}

/* rows, columns: of a work-item. */
kernel void products(int count, int m, int n, int k, int panel, int rows, int columns, global const operand *a,
                     global const operand *b, float beta, global float *c)
{
    int down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
    ITEM_BELOW(id, count * down * across);
    size_t index = id / (down * across);
    int row = id % down * rows, column = id / down % across * columns;
    a += (index * m + row) * k;
    b += index * k * n;
    c += (index * m + row) * n;
    rows = min(rows, m - row);
    columns = min(column + columns, n);
    products_start();
    LOOP (int first = 0; first < k; first += DEPTH) {
        int last = min(first + (int)DEPTH, k);
        if (first == 0 && beta == 0)
            block_product(rows, column, columns, false, first, last, n, k, panel, a, b, c);
        else
            block_product(rows, column, columns, true, first, last, n, k, panel, a, b, c);
    }
    products_end();
}
#endif
