/* Training: epochs of one pass over the training set and one over the validation set, everything written down after
 * each. */
#ifndef PACED_RUN_TRAINER_H
#define PACED_RUN_TRAINER_H

#include "src/run/network.h"

enum train_start { TRAIN_FRESH, TRAIN_RESUME, TRAIN_OVERWRITE };

/* Trains as the configuration says, into the directory config->run.output. PACED_INVALID where that holds a run and
 * neither resume nor overwrite was asked for; PACED_STOPPED after Ctrl-C, with all saved. What came of it is printed to
 * `out` (NULL: nowhere). */
enum paced_err trainer_run(const struct paced_config *config, enum train_start start, FILE *out);

/* What a training with this configuration would say of its files, long before it begins; needs no device. */
enum paced_err trainer_check(const struct paced_config *config, const struct expected *expected);

#endif
