/* The plain loop C[b][m][n] = sum over k of A[b][m][k] B[b][k][n] + beta C[b][m][n], for devices on which no setting
 * of the BLAS library passes the self-test. */
kernel void gemm_plain(int batch, int m, int n, int k, global const float *a, global const float *b, float beta,
                       global float *c)
{
    ulong at = get_global_id(0);
    if (at >= (ulong)batch * m * n) return;
    uint column = at % n;
    ulong row = at / n; /* over all products of the batch */
    ulong product = row / m;
    float sum = beta == 0.0f ? 0.0f : beta * c[at];
    for (int i = 0; i < k; ++i) sum += a[row * k + i] * b[(product * k + i) * n + column];
    c[at] = sum;
}

enum { BLOCK_ROWS = 8, BLOCK_TERMS = 64 };

/* C[b][m][n] = sum over k of A[b][m][k] B[b][k][n] by blocked summation: sums of 64 terms are added, so that rounding
 * grows with the root of 64, not of k. m is a multiple of 8; a work-item has 8 rows of one vector of columns. */
kernel void gemm_blocked(int batch, int m, int vectors, int k, global const float *a, global const float *b,
                         global float *c)
{
    ITEM_BELOW(id, batch * (m / BLOCK_ROWS) * vectors);
    uint v = id % vectors;
    size_t row = (size_t)(id / vectors) * BLOCK_ROWS, first = row / m * k; /* over all products of the batch */
    realv sum[BLOCK_ROWS], part[BLOCK_ROWS];
    EACH (int r = 0; r < BLOCK_ROWS; ++r) sum[r] = 0;
    for (int from = 0; from < k; from += BLOCK_TERMS) {
        EACH (int r = 0; r < BLOCK_ROWS; ++r) part[r] = 0;
        for (int i = from; i < min(k, from + BLOCK_TERMS); ++i) {
            realv column = LOADV(b, (first + i) * vectors + v);
            EACH (int r = 0; r < BLOCK_ROWS; ++r) part[r] = fma((realv)a[(row + r) * k + i], column, part[r]);
        }
        EACH (int r = 0; r < BLOCK_ROWS; ++r) sum[r] += part[r];
    }
    EACH (int r = 0; r < BLOCK_ROWS; ++r) STOREV(sum[r], c, (row + r) * vectors + v);
}
