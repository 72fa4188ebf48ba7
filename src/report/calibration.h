/* Accumulation of reliability sums. Private to the report module. */
#ifndef PACED_REPORT_CALIBRATION_H
#define PACED_REPORT_CALIBRATION_H

#include "paced/report.h"

/* logits [pixels][classes], labels [pixels] */
void reliability_add(struct paced_reliability *sum, const float *logits, const uint8_t *labels, size_t pixels,
                     int classes, double tau);
void reliability_merge(struct paced_reliability *sum, const struct paced_reliability *more);

#endif
