/* svls: the kernel of spatially varying label smoothing (SVLS).
 *
 *   g_ij = exp(-d_ij^2 / (2 sigma^2)), the centre replaced by the sum of all others, everything divided by the new sum
 *
 * A common factor cancels, so exponents use d^2 - 1, which is 0 for the nearest neighbours: no sigma underflows. */
#include <math.h>

#include "paced/distill.h"

void paced_svls_kernel(float *weights, int size, double sigma) {
    int middle = size / 2;
    double others = 0, values[PACED_MAX_KERNEL * PACED_MAX_KERNEL];
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            int distance = (y - middle) * (y - middle) + (x - middle) * (x - middle);
            /* The nearest neighbours are set to 1: if the square of sigma underflows, the quotient is 0 / 0. */
            double g = distance == 1 ? 1 : exp(-(distance - 1) / (2 * sigma * sigma));
            values[y * size + x] = distance == 0 ? 0 : g;
            others += values[y * size + x];
        }
    for (int i = 0; i < size * size; ++i) weights[i] = (float)(values[i] / (2 * others));
    weights[middle * size + middle] = size == 1 ? 1 : 0.5f;
}
