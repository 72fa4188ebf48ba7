/* Private to the device module: the source of an open device's tuning. */
#ifndef PACED_DEVICE_TUNING_H
#define PACED_DEVICE_TUNING_H

#include "src/device/opencl.h"

/* Fills device->tuning. `choice`: auto (the device's own file in the user's cache directory, else a matching file that
 * is shipped, else none), off, or a file, which must exist and be valid. */
enum paced_err tuning_load(struct paced_device *device, const char *choice);

/* A hash of the convolutions' algorithms, continued from `hash`. */
uint64_t tuning_hash(const struct paced_tuning *tuning, uint64_t hash);

#endif
