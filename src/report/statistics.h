/* Order statistics and the bootstrap's draws. Private to the report room. */
#ifndef PACED_REPORT_STATISTICS_H
#define PACED_REPORT_STATISTICS_H

#include "paced/base.h"

enum { RESAMPLES = 10000 };
#define INTERVAL_LOW 0.025 /* the ends of a 95 % interval, as quantiles */
#define INTERVAL_HIGH 0.975

/* Ascending; no NaN among them. */
void statistics_sort(double *values, size_t count);

/* The q-quantile of values in ascending order, count > 0, with linear interpolation at q (count - 1): numpy's and
 * torch's default. */
double statistics_quantile(const double *sorted, size_t count, double q);

/* `count` indices below `count`, drawn with replacement. */
void statistics_draw(struct paced_rng *rng, uint32_t *draw, size_t count);

#endif
