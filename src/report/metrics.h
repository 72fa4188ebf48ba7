/* The table of metrics: what is known of each beyond its value. Private to the report room. */
#ifndef PACED_REPORT_METRICS_H
#define PACED_REPORT_METRICS_H

#include "paced/report.h"

#define METRIC_BIT(metric) (UINT64_C(1) << (metric))
#define METRICS_ALWAYS (METRIC_BIT(PACED_F1 + 1) - 1) /* dice, iou, precision, recall, f1 */

_Static_assert(sizeof(struct paced_metrics) == PACED_METRICS * sizeof(double), "a field for each metric, in its order");

static inline double *metric_field(struct paced_metrics *metrics, enum paced_metric metric) {
    return (double *)(void *)((char *)metrics + (size_t)metric * sizeof(double));
}

static inline double metric_value(const struct paced_metrics *metrics, enum paced_metric metric) {
    return *(const double *)(const void *)((const char *)metrics + (size_t)metric * sizeof(double));
}

/* Is it measured of an image as a whole, not class by class? */
bool metric_is_of_image(enum paced_metric metric);

/* Its unit, or the range of one without; and does less of it mean a better run? */
const char *metric_unit(enum paced_metric metric);
bool metric_is_error(enum paced_metric metric);

/* Two blanks and a table's figure, `width` wide; "-" for NaN. */
void metric_print(FILE *out, double value, int width);

/* 2 p r / (p + r), 0 where both are 0. */
double metrics_f1(double precision, double recall);

struct paced_metrics metrics_filled(double value);

#endif
