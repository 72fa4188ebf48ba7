/* masks: how each kind of data set turns a mask file into classes. Private to the data room.
 *
 * To add a kind: write its reader, add its row to the table in masks.c and its name to the configuration's choices.
 */
#ifndef PACED_SRC_DATA_MASKS_H
#define PACED_SRC_DATA_MASKS_H

#include "paced/data.h"
#include "src/data/labels.h"

/* Reads the mask at `path`; `context` leads error messages. On an error *mask holds nothing to release. */
typedef enum paced_err mask_reader(const struct paced_masks *masks, const char *path, const char *context,
                                   struct paced_mask *mask);

struct mask_kind {
    const char *name;
    mask_reader *read;
    int classes;                /* that such masks can hold; 0: any */
    const char *class_names[2]; /* where `classes` is 2 */
    bool coloured;              /* colours are classes: needs data.labels */
    const char *folder[2];      /* below the root, of each phase: the split's paths start there; NULL: at the root */
    bool by_folder;             /* the folders below the root tell kinds of images apart */
};

struct paced_masks {
    const struct mask_kind *kind;
    int classes;
    bool merge;
    struct labels labels; /* {0} where the configuration names no table */
};

#endif
