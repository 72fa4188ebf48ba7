/* Table of metrics: names, units and properties. Private to the report module. */
#ifndef PACED_REPORT_METRICS_H
#define PACED_REPORT_METRICS_H

#include "paced/report.h"

#define METRIC_BIT(metric) (UINT64_C(1) << (metric))
#define METRICS_ALWAYS (METRIC_BIT(PACED_F1 + 1) - 1) /* dice, iou, precision, recall, f1 */

_Static_assert(sizeof(struct paced_metrics) == PACED_METRICS * sizeof(double),
               "one field per metric, in the order of the enum");

static inline double *metric_field(struct paced_metrics *metrics, enum paced_metric metric) {
    return (double *)(void *)((char *)metrics + (size_t)metric * sizeof(double));
}

static inline double metric_value(const struct paced_metrics *metrics, enum paced_metric metric) {
    return *(const double *)(const void *)((const char *)metrics + (size_t)metric * sizeof(double));
}

/* True if the metric is computed per image, not per class. */
bool metric_is_of_image(enum paced_metric metric);

/* Unit of the metric, or the range of a dimensionless one. */
const char *metric_unit(enum paced_metric metric);
/* True if lower is better. */
bool metric_is_error(enum paced_metric metric);

/* Prints two blanks and the value, `width` wide; "-" for NaN. */
void metric_print(FILE *out, double value, int width);

/* 2 p r / (p + r), 0 where both are 0. */
double metrics_f1(double precision, double recall);

struct paced_metrics metrics_filled(double value);

#endif
