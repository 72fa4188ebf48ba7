/* Order statistics and bootstrap draws. Private to the report module. */
#ifndef PACED_REPORT_STATISTICS_H
#define PACED_REPORT_STATISTICS_H

#include "paced/base.h"

enum { RESAMPLES = 10000 };
#define INTERVAL_LOW 0.025 /* limits of a 95 % interval, as quantiles */
#define INTERVAL_HIGH 0.975

/* Sorts values in ascending order; they must not include NaN. */
void statistics_sort(double *values, size_t count);

/* q-quantile of values in ascending order, count > 0, linearly interpolated at q (count - 1), as by default in NumPy
 * and PyTorch. */
double statistics_quantile(const double *sorted, size_t count, double q);

/* Draws `count` indices below `count` with replacement. */
void statistics_draw(struct paced_rng *rng, uint32_t *draw, size_t count);

#endif
