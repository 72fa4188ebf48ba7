/* set: functions that the module's files share. Private to the weights module. */
#ifndef PACED_WEIGHTS_SET_H
#define PACED_WEIGHTS_SET_H

#include "paced/weights.h"

size_t dtype_bytes(enum paced_dtype dtype);

/* Like paced_weights_add, for a name that is known to be new. Does not search, so that reading takes linear time. */
void weights_append(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                    const int64_t *shape, const void *data);

/* Parsers of a file in memory; they add its tensors to a set. `path` is for messages. */
typedef enum paced_err parser(const char *path, const uint8_t *file, size_t size, struct paced_weights *weights);
parser safetensors_parse, pytorch_parse;

#endif
