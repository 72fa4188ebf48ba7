/* measure: data.range = auto, measured on the images of a split. Private to the data module. */
#ifndef PACED_DATA_MEASURE_H
#define PACED_DATA_MEASURE_H

#include "paced/data.h"
#include "src/data/split.h"

/* Replaces an unmeasured auto range by that of the images with more than 8 bits below `root`, if there are any, and
 * logs it. Files that cannot be read are left out: loading reports them. */
void measure_range(struct paced_value_range *range, const struct paced_split *split, const char *root);

#endif
