/* Private to the device room: where an open device's tuning comes from. */
#ifndef PACED_DEVICE_TUNING_H
#define PACED_DEVICE_TUNING_H

#include "src/device/opencl.h"

/* Fills device->tuning. `choice`: auto (the device's own file in the user's cache directory, else one that is shipped
 * and fits, else nothing), off, or a file, which then must be there and right. */
enum paced_err tuning_load(struct paced_device *device, const char *choice);

/* Of what the convolutions compute by, continued from `hash`. */
uint64_t tuning_hash(const struct paced_tuning *tuning, uint64_t hash);

#endif
