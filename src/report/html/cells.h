/* cells: what the tables of metrics are made of. Private to the report room. */
#ifndef PACED_REPORT_HTML_CELLS_H
#define PACED_REPORT_HTML_CELLS_H

#include "paced/report.h"

/* The heading of a column of figures. Its arrow tells which way is better. */
void cells_add_heading(struct paced_text *out, const char *name, bool less_is_better, const char *unit);
void cells_add_metric_heading(struct paced_text *out, enum paced_metric metric);
/* A cell of a number that stays as it is. */
void cells_add_count(struct paced_text *out, const char *count);
/* Within a cell, below its figure: cells of a CSV file. */
void cells_add_interval(struct paced_text *out, const char *low, const char *high);
void cells_add_deviation(struct paced_text *out, const char *deviation);

#endif
