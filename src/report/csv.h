/* Fields of the CSV files that the program writes (RFC 4180; numbers with nine significant digits, which tell any two
 * float32 values apart). Commas and line ends are the caller's. */
#ifndef PACED_REPORT_CSV_H
#define PACED_REPORT_CSV_H

#include "paced/report.h"

void paced_csv_write_text(FILE *out, const char *text); /* in quotes where it needs them */
void paced_csv_write_real(FILE *out, double value);     /* nothing for NaN */
/* ",value" of each metric whose bit is set in `which`; and their names. */
void paced_csv_write_metrics(FILE *out, const struct paced_metrics *metrics, uint64_t which);
void paced_csv_write_metric_names(FILE *out, uint64_t which);

/* Cuts off the next row, without its line end (one within quotes is not its end); *text becomes NULL behind the last.
 */
char *paced_csv_take_row(char **text);
/* Cuts off the row's next field, its quotes removed; *row becomes NULL behind the last, and NULL is returned then. */
char *paced_csv_take_field(char **row);

#endif
