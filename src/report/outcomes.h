/* What the tables and plots of a sweep share. Private to the report room. */
#ifndef PACED_REPORT_OUTCOMES_H
#define PACED_REPORT_OUTCOMES_H

#include "paced/report.h"

/* What their columns' names begin with: "", "non_empty_"... */
const char *outcomes_prefix(enum paced_outcome_part part);

/* In any of the rows? */
bool outcomes_measured(const struct paced_outcomes *outcomes, enum paced_outcome_part part, enum paced_metric metric);

#endif
