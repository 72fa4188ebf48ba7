/* One image under all corruptions, to see what the severities mean. */
#ifndef PACED_RUN_CONTACT_SHEET_H
#define PACED_RUN_CONTACT_SHEET_H

#include "src/run/robustness/corruption.h"

/* Rows: the corruptions; columns: the severities; above them the image as it is. The outline of the mask is drawn into
 * all but that, moved with the image where it moves. The image is the set's first with a foreground, if there is one.
 */
enum paced_err contact_sheet_write(struct paced_dataset *dataset, const struct corruption_plan *plan, uint64_t seed,
                                   const char *path);

#endif
