/* gemm: c = a b + beta c, one row of c at a time. */
#include "tests/ref/ref.h"

static void row(int n, int k, const float *a, const float *b, double *c) {
    for (int l = 0; l < k; ++l)
        for (int j = 0; j < n; ++j) c[j] += (double)a[l] * (double)b[(size_t)l * (size_t)n + (size_t)j];
}

void ref_gemm(int batch, int m, int n, int k, const float *a, const float *b, double beta, const float *before,
              double *c) {
    size_t rows = (size_t)batch * (size_t)m, columns = (size_t)n;
    for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < columns; ++j)
            c[i * columns + j] = beta != 0 ? beta * (double)before[i * columns + j] : 0;
        row(n, k, a + i * (size_t)k, b + i / (size_t)m * (size_t)k * columns, c + i * columns);
    }
}
