/* Contact sheet: one image under all corruptions. */
#ifndef PACED_RUN_CONTACT_SHEET_H
#define PACED_RUN_CONTACT_SHEET_H

#include "src/run/robustness/corruption.h"

/* Writes a PNG file with a row per corruption and a column per severity, below the clean image. The outline of the mask
 * is drawn into all panels but the first, and moves with the image. The image is the set's first with a foreground, or
 * the first of all. */
enum paced_err contact_sheet_write(struct paced_dataset *dataset, const struct corruption_plan *plan, uint64_t seed,
                                   const char *path);

#endif
