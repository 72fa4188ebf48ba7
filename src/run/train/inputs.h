/* Inputs of a training: method, augmentation and both data sets, checked before a device is opened or a file is
 * written. */
#ifndef PACED_RUN_INPUTS_H
#define PACED_RUN_INPUTS_H

#include "paced/config.h"
#include "paced/data.h"
#include "paced/distill.h"
#include "paced/perturb.h"

struct inputs {
    struct paced_objective objective;
    struct paced_augment augment;   /* of the training images; the trainer sets its epoch */
    struct paced_data_options data; /* of the configuration, with the range measured on the training images */
    char *range;
    struct paced_dataset *train, *val;
};

/* PACED_INVALID for a method without its teacher, for wrong splits or label tables, and for a network that does not
 * accept the images or cannot be trained on the batches. Starts as {0}. inputs_close accepts {0}, and must be called
 * after a failure, too. */
enum paced_err inputs_open(struct inputs *inputs, const struct paced_config *config);
void inputs_close(struct inputs *inputs);

/* Decodes the images of both sets. PACED_INVALID for a bad image; PACED_STOPPED after Ctrl-C. */
enum paced_err inputs_check_images(const struct inputs *inputs, int workers);

#endif
