/* masks: mask readers, one for each kind of data set. Private to the data module.
 *
 * A new kind needs a reader, a row in the table in masks.c and its name in the choices of data.dataset. */
#ifndef PACED_DATA_MASKS_H
#define PACED_DATA_MASKS_H

#include "paced/data.h"
#include "src/data/labels.h"

/* Reads the mask at `path`; `context` is the prefix of error messages. On an error *mask holds nothing to release. */
typedef enum paced_err mask_reader(const struct paced_masks *masks, const char *path, const char *context,
                                   struct paced_mask *mask);

struct mask_kind {
    const char *name, *augment; /* augment: the reference's augmentation */
    mask_reader *read;
    int classes;                /* number of classes in such masks; 0: any */
    const char *class_names[2]; /* if `classes` is 2 */
    bool coloured;              /* colours encode classes; requires data.labels */
    const char *folder[2];      /* folder of each phase below the root, start of the split's paths; NULL: the root */
    bool by_folder;             /* folders below the root distinguish kinds of images */
};

struct paced_masks {
    const struct mask_kind *kind;
    int classes;
    bool merge;
    double threshold, ignore; /* data.threshold, data.ignore */
    struct labels labels;     /* {0} if data.labels is empty */
};

/* Path of a further mask of the same image: "a_mask.png" -> "a_mask_2.png". Release with free(). */
char *masks_numbered_path(const char *path, int number);

#endif
