/* split: the list of a dataset's [image, mask] pairs, read from JSON. Private to the data room. */
#ifndef PACED_SRC_DATA_SPLIT_H
#define PACED_SRC_DATA_SPLIT_H

#include "paced/base.h"

struct paced_pair {
    char *image, *mask; /* as written in the split */
};

struct paced_split {
    char *path; /* of the JSON file, or of the root that was searched */
    int depth;  /* folders below the root at which its paths start */
    size_t count;
    struct paced_pair *pairs;
};

/* Reads and checks the whole list; no image file is touched. Its paths start `depth` folders below the data root, which
 * they must not leave. On an error (PACED_INVALID) *split is {0}. */
enum paced_err paced_split_read(struct paced_split *split, const char *path, int depth);
/* Makes the list of all images below `root` that have a mask by their name: x.png and x_mask.png in one folder, or
 * a/x.png and a_mask/x_mask.png; in the order of their names. PACED_INVALID where there is none. */
enum paced_err split_find(struct paced_split *split, const char *root);

void paced_split_finish(struct paced_split *split);

#endif
