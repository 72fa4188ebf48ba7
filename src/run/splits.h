/* Report about the configured splits as a whole: images in both or listed twice, other depths, unused files. */
#ifndef PACED_RUN_SPLITS_H
#define PACED_RUN_SPLITS_H

#include "paced/data.h"

/* Warns of images that both sets [train, val] have or that one lists twice, and of different depths. */
void splits_warn(const struct paced_data_options *options, struct paced_dataset *const sets[2]);
/* The same for the configured splits, and the unused files, unless this process reported the same splits last. */
enum paced_err splits_report(const struct paced_data_options *options);

#endif
