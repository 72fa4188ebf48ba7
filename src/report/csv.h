/* Fields of the CSV files that the program writes (RFC 4180; numbers with nine significant digits, which tell any two
 * float32 values apart). Commas and line ends are the caller's. */
#ifndef PACED_REPORT_CSV_H
#define PACED_REPORT_CSV_H

#include "paced/report.h"

void paced_csv_write_text(FILE *out, const char *text); /* in quotes where it needs them */
void paced_csv_write_real(FILE *out, double value);     /* nothing for NaN */
/* ",dice,iou,precision,recall,f1" */
void paced_csv_write_metrics(FILE *out, const struct paced_metrics *metrics);

#endif
