/* census: counts of classes and faults in the masks of a data set. Private to the data module. */
#ifndef PACED_DATA_CENSUS_H
#define PACED_DATA_CENSUS_H

#include "src/data/masks.h"
#include "src/data/split.h"

/* Adds pair i of the split: its mask, and the same resized to `pixels` labels. */
void census_add(struct paced_census *census, size_t i, const struct paced_mask *mask, const uint8_t *resized,
                size_t pixels);
/* Adds occurrence i. */
void census_note(struct paced_occurrences *occurrences, size_t i);

/* Logs a warning for each fault of the split: no or only foreground, classes that never occur, foreground that
 * disappears at `extent`, unmapped values, images outside `range`, ignored orientations. */
void census_report(const struct paced_census *census, const struct paced_masks *masks, const struct paced_split *split,
                   struct paced_extent extent, const struct paced_value_range *range);

#endif
