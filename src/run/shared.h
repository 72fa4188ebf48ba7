/* Devices and data sets that are open once for all who use them with equal options. For one thread. */
#ifndef PACED_RUN_SHARED_H
#define PACED_RUN_SHARED_H

#include "paced/config.h"

/* The last close closes it. Between shared_begin and shared_end it stays open, with its kernels or decoded images,
 * until one with other options is opened. */
enum paced_err shared_device_open(struct paced_device **device, const struct paced_config *config);
void shared_device_close(struct paced_device *device);
enum paced_err shared_dataset_open(struct paced_dataset **dataset, const struct paced_data_options *options,
                                   enum paced_phase phase);
void shared_dataset_close(struct paced_dataset *dataset);

void shared_begin(void);
void shared_end(void);

#endif
