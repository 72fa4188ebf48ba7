/* masks: how each kind of dataset turns a mask file into classes. Private to the data room.
 *
 * To add a kind: write its reader, add its row to the table in dataset.c and its name to the configuration's choices.
 */
#ifndef PACED_SRC_DATA_MASKS_H
#define PACED_SRC_DATA_MASKS_H

#include "paced/data.h"

/* Reads the mask at `path`; `context` leads error messages. On an error *mask holds nothing to release. */
typedef enum paced_err paced_mask_reader(const char *path, const char *context, int classes, struct paced_mask *mask);

paced_mask_reader paced_mask_read_bus, paced_mask_read_folder;

#endif
