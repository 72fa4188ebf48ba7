/* C[b][m][n] = sum over k of A[b][m][k] B[b][k][n] + beta C[b][m][n]: the plain loop, for devices where no setting of the
 * BLAS library computes rightly. */
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
