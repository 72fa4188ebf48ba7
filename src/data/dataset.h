/* Dataset paths needed to write a split. Private to the data module. */
#ifndef PACED_DATA_DATASET_H
#define PACED_DATA_DATASET_H

#include "paced/data.h"

const char *dataset_mask_name(const struct paced_dataset *dataset, size_t i); /* as written in the split */
/* Path below data.root of a file named in the split, without "." and "..". Release with free(). */
char *dataset_path_below_root(const struct paced_dataset *dataset, const char *name);
/* Path of a file named in this data set's split, as a split of `phase` must write it. Release with free(). */
char *dataset_path_for(const struct paced_dataset *dataset, const char *name, enum paced_phase phase);

#endif
