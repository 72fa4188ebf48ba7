/* What the files of this room share beyond the door. */
#ifndef PACED_WEIGHTS_SET_H
#define PACED_WEIGHTS_SET_H

#include "paced/weights.h"

size_t paced_dtype_bytes(enum paced_dtype dtype);

/* As paced_weights_add, for a name that is known to be new: no search, so that a long file is read in linear time. */
void paced_weights_append(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                          const int64_t *shape, const void *data);

#endif
