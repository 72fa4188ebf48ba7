/* volumes: decompressed volumes last used, so that reading all slices of a file decompresses it once. Private to the
 * data module. */
#ifndef PACED_DATA_VOLUMES_H
#define PACED_DATA_VOLUMES_H

#include "paced/base.h"

/* Maximum of a volume that is held, bytes. */
#define VOLUME_MAX_BYTES ((size_t)1 << 29)

/* Copies `count` bytes from `start` on of the volume of a file. If it is not held, or if the file has changed since,
 * `read` gives its `bytes` bytes. Thread-safe; other threads wait during a call of `read`. */
enum paced_err volumes_read(const char *path, size_t bytes, size_t start, size_t count, uint8_t *out,
                            enum paced_err (*read)(void *context, uint8_t *volume), void *context);

#endif
