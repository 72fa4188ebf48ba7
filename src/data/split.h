/* split: the list of a dataset's [image, mask] pairs, read from JSON. Private to the data room. */
#ifndef PACED_SRC_DATA_SPLIT_H
#define PACED_SRC_DATA_SPLIT_H

#include "paced/base.h"

struct paced_pair {
    char *image, *mask; /* as written in the split */
};

struct paced_split {
    char *path; /* of the JSON file */
    int depth;  /* folders below the root at which its paths start */
    size_t count;
    struct paced_pair *pairs;
};

/* Reads and checks the whole list; no image file is touched. Its paths start `depth` folders below the data root, which
 * they must not leave. On an error (PACED_INVALID) *split is {0}. */
enum paced_err paced_split_read(struct paced_split *split, const char *path, int depth);
void paced_split_finish(struct paced_split *split);

#endif
