/* The text of the progress line, apart from the terminal that it is drawn on. */
#ifndef PACED_REPORT_PROGRESS_H
#define PACED_REPORT_PROGRESS_H

#include "paced/report.h"

#define PACED_PROGRESS_LINE 512 /* bytes that any line fits into */

/* "label [====>    ] 48/680  loss 0.1234  31.2 images/s  ETA 0:20", less than `columns` wide. Where there is not
 * room enough, the rate is left out, then the loss, then the ETA, and at last the label is cut; the bar takes what
 * remains, if that is enough for one. A loss that is NaN is left out. */
void paced_progress_format(char line[PACED_PROGRESS_LINE], const struct paced_progress *progress, double loss,
                           double elapsed_s, size_t columns);

#endif
