/* Initial weights of a training: random numbers, or the file model.init, in part if model.partial = yes. */
#ifndef PACED_RUN_INITIAL_H
#define PACED_RUN_INITIAL_H

#include "src/run/network.h"

/* Sets all parameters. PACED_INVALID for a file that does not fit the network; with model.partial, for one of which no
 * tensor fits. The log reports what is taken in part. */
enum paced_err initial_load(struct network *network, const struct paced_config *config);

/* Checks, without a device, that the file fits. An expected file is not read. */
enum paced_err initial_check(const struct paced_config *config, const struct expected *expected);

#endif
