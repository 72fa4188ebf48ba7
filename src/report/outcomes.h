/* Helpers shared by the tables and plots of a sweep. Private to the report module. */
#ifndef PACED_REPORT_OUTCOMES_H
#define PACED_REPORT_OUTCOMES_H

#include "paced/report.h"

/* Prefix of the column names of a part: "", "non_empty_"... */
const char *outcomes_prefix(enum paced_outcome_part part);

/* True if the metric is measured in any row. */
bool outcomes_measured(const struct paced_outcomes *outcomes, enum paced_outcome_part part, enum paced_metric metric);

#endif
