/* statistics: quantiles, bootstrap draws, and the Wilcoxon signed-rank test (Wilcoxon, 1945). */
#include "src/metrics/parts.h"

#include "paced/metrics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void statistics_sort(double *values, size_t count) {
    if (count > 1) qsort(values, count, sizeof *values, compare);
}

double statistics_quantile(const double *sorted, size_t count, double q) {
    double place = q * (double)(count - 1);
    size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

void statistics_interval(double *values, double *low, double *high) {
    statistics_sort(values, RESAMPLES);
    *low = statistics_quantile(values, RESAMPLES, 0.025);
    *high = statistics_quantile(values, RESAMPLES, 0.975);
}

void statistics_draw(struct paced_rng *rng, uint32_t *draw, size_t count) {
    for (size_t i = 0; i < count; ++i) draw[i] = paced_rng_below(rng, (uint32_t)count);
}

static int compare_amounts(const void *a, const void *b) {
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

double paced_wilcoxon(const double *differences, size_t count) {
    if (count == 0) return NAN;
    double *d = paced_alloc(count, sizeof *d), positive = 0, ties = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; ++i)
        if (differences[i] != 0) d[n++] = differences[i];
    if (n > 1) qsort(d, n, sizeof *d, compare_amounts);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && fabs(d[end]) == fabs(d[i]); ++end) continue;
        double equal = (double)(end - i), rank = (double)(i + 1 + end) / 2; /* mean of i + 1 to end */
        ties += equal * equal * equal - equal;
        for (size_t k = i; k < end; ++k) positive += d[k] > 0 ? rank : 0;
    }
    free(d);
    if (n == 0) return 1;
    double m = (double)n, mean = m * (m + 1) / 4, variance = m * (m + 1) * (2 * m + 1) / 24 - ties / 48;
    return erfc(fabs(positive - mean) / sqrt(2 * variance));
}
