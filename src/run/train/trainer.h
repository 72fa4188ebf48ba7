/* Training: each epoch is a pass over the training set and one over the validation set, followed by writing all files.
 */
#ifndef PACED_RUN_TRAINER_H
#define PACED_RUN_TRAINER_H

#include "src/run/network.h"

enum train_start { TRAIN_FRESH, TRAIN_RESUME, TRAIN_OVERWRITE };

/* Trains into the directory config->run.output. PACED_INVALID if that contains a run and `start` is TRAIN_FRESH;
 * PACED_STOPPED after Ctrl-C, with everything saved. Prints the log to `out` (NULL: nowhere). */
enum paced_err trainer_run(const struct paced_config *config, enum train_start start, FILE *out);

/* Checks the files of a training with this configuration, without a device. */
enum paced_err trainer_check(const struct paced_config *config, const struct expected *expected);

#endif
