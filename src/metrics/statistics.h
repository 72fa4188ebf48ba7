/* Order statistics and bootstrap draws. Private to the metrics module. */
#ifndef PACED_METRICS_STATISTICS_H
#define PACED_METRICS_STATISTICS_H

#include "paced/base.h"

enum { RESAMPLES = 10000 };

/* Sorts values in ascending order; they must not include NaN. */
void statistics_sort(double *values, size_t count);

/* q-quantile of values in ascending order, count > 0, linearly interpolated at q (count - 1), as by default in NumPy
 * and PyTorch. */
double statistics_quantile(const double *sorted, size_t count, double q);

/* Sorts the means of resampled sets, values[RESAMPLES], and sets the limits of their 95 % interval. */
void statistics_interval(double *values, double *low, double *high);

/* Draws `count` indices below `count` with replacement. */
void statistics_draw(struct paced_rng *rng, uint32_t *draw, size_t count);

#endif
