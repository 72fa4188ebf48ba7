/* cells: headings and cells of tables of metrics. Private to the report module. */
#ifndef PACED_REPORT_HTML_CELLS_H
#define PACED_REPORT_HTML_CELLS_H

#include "paced/report.h"

/* Heading of a column of numbers; its arrow shows which direction is better. */
void cells_add_heading(struct paced_text *out, const char *name, bool less_is_better, const char *unit);
void cells_add_metric_heading(struct paced_text *out, enum paced_metric metric);
/* Cell of a count, which is not rounded. */
void cells_add_count(struct paced_text *out, const char *count);
/* Cell of a value; below it its interval, and a further number after `mark`, which is markup. NULL: none. The others
 * are cells of a CSV file. */
void cells_add_value(struct paced_text *out, const char *value, const char *low, const char *high, const char *mark,
                     const char *number);

#endif
