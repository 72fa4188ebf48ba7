/* What a split that is written asks a dataset for. Private to the data room. */
#ifndef PACED_SRC_DATA_DATASET_H
#define PACED_SRC_DATA_DATASET_H

#include "paced/data.h"

const char *dataset_mask_name(const struct paced_dataset *dataset, size_t i); /* as written in the split */
/* A name in this data set's split as the split of `phase` has to write it. Release with free(). */
char *dataset_path_for(const struct paced_dataset *dataset, const char *name, enum paced_phase phase);

#endif
