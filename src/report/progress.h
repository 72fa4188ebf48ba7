/* Text of the progress line, independent of a terminal. Private to the report module. */
#ifndef PACED_REPORT_PROGRESS_H
#define PACED_REPORT_PROGRESS_H

#include "paced/report.h"

#define PACED_PROGRESS_LINE 512 /* maximum size of a line, bytes */

/* Formats "label [====>    ] 48/680  loss 0.1234  31.2 images/s  ETA 0:20" in fewer than `columns` columns. If the line
 * is too long, the rate is omitted, then the loss, then the ETA, and finally the label is truncated. The bar takes the
 * remaining columns if there are enough. A loss of NaN is omitted. */
void paced_progress_format(char line[PACED_PROGRESS_LINE], const struct paced_progress *progress, double loss,
                           double elapsed_s, size_t columns);

#endif
