/* What the files of this room share beyond the door. */
#ifndef PACED_WEIGHTS_SET_H
#define PACED_WEIGHTS_SET_H

#include "paced/weights.h"

size_t paced_dtype_bytes(enum paced_dtype dtype);

/* As paced_weights_add, for a name that is known to be new: no search, so that a long file is read in linear time. */
void paced_weights_append(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                          const int64_t *shape, const void *data);

/* A file in memory into a set that is replaced, or left as it was where the file is refused. `path` is for messages. */
enum paced_err paced_safetensors_parse(const char *path, const uint8_t *file, size_t size,
                                       struct paced_weights *weights);
enum paced_err paced_pytorch_parse(const char *path, const uint8_t *file, size_t size, struct paced_weights *weights);

#endif
