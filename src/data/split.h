/* split: the list of a dataset's [image, mask] pairs, read from JSON. Private to the data module. */
#ifndef PACED_DATA_SPLIT_H
#define PACED_DATA_SPLIT_H

#include "paced/base.h"

struct paced_pair {
    char *image, *mask; /* as written in the split; a slice has its number, as in "vol.nii.gz#12" */
    size_t entry;       /* of the split, from 1; set by split_expand */
};

struct paced_split {
    char *path; /* path of the JSON file, or of the searched root */
    int depth;  /* depth below the root at which its paths start, in folders */
    size_t count;
    struct paced_pair *pairs;
};

/* Reads and checks the whole list without reading image files. Paths are relative to `root`, which lies `depth` folders
 * below the data root; they must not leave the data root. A backslash becomes a slash unless a file of that very name
 * exists. On an error (PACED_INVALID) *split is {0}. */
enum paced_err split_read(struct paced_split *split, const char *path, const char *root, int depth);
/* Lists all images below `root` that have a mask by the pattern `pairs` (data.pairs), or by one of the usual layouts if
 * `pairs` is NULL or empty. Sorted by the mask's name (by a pattern: the image's). PACED_INVALID if there is none, if
 * an image has two masks or a mask two images, and if a file may be an image or a mask. Images without a mask are
 * warned about. */
enum paced_err split_find(struct paced_split *split, const char *root, const char *pairs);

/* Numbers the entries and replaces each pair of files with several slices by the pairs of their slices. Paths are
 * relative to `root`. Reads headers only; a file that cannot be described stays, and is reported when it is read.
 * PACED_INVALID if image and mask have different numbers of slices. */
enum paced_err split_expand(struct paced_split *split, const char *root);

void split_finish(struct paced_split *split);

#endif
