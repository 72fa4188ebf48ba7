/* Fields of CSV files (RFC 4180; numbers with nine significant digits). The caller writes commas and line ends. Private
 * to the report module. */
#ifndef PACED_REPORT_CSV_H
#define PACED_REPORT_CSV_H

#include "paced/report.h"

void paced_csv_write_text(FILE *out, const char *text); /* quoted if necessary */
void paced_csv_write_real(FILE *out, double value);     /* empty for NaN */
/* Writes ",value" or ",name" of each metric whose bit is set in `which`. */
void paced_csv_write_metrics(FILE *out, const struct paced_metrics *metrics, uint64_t which);
void paced_csv_write_metric_names(FILE *out, uint64_t which);

/* Splits off the next row, without its line end; line breaks within quotes do not end a row. *text is NULL after the
 * last row, and NULL is returned then. */
char *paced_csv_take_row(char **text);
/* Splits off the next field of a row, unquoted. *row is NULL after the last field, and NULL is returned then. */
char *paced_csv_take_field(char **row);

#endif
