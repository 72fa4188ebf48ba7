/* The small network: a UNet whose results on a device are compared with stored ones. */
#ifndef PACED_RUN_SMALL_NETWORK_H
#define PACED_RUN_SMALL_NETWORK_H

#include "paced/device.h"

/* The relative L2 error that logits and gradients keep to on a correct device. */
#define SMALL_NETWORK_BOUND 1e-4

/* Runs one inference and one training step, and compares logits, loss and gradients with PyTorch's in float64. *error
 * receives the largest relative L2 error of any of them, infinity for NaN. PACED_FAILED, with a message, where the
 * device reports an error. */
enum paced_err small_network_error(struct paced_device *device, double *error);

#endif
