/* What a training reads: its method, its augmentation, both data sets. All that can be told of them without a device
 * and before anything is written is told here. */
#ifndef PACED_RUN_INPUTS_H
#define PACED_RUN_INPUTS_H

#include "paced/data.h"
#include "paced/distill.h"
#include "paced/perturb.h"

struct inputs {
    struct paced_objective objective;
    struct paced_augment augment; /* of the training images; its epoch is the trainer's to set */
    struct paced_dataset *train, *val;
};

/* PACED_INVALID for a method that lacks its teacher, for splits or a label table that are wrong, for a network that
 * cannot take the images or be trained on the batches. Starts as {0}; inputs_close accepts {0}, and must follow a
 * failure, too. */
enum paced_err inputs_open(struct inputs *inputs, const struct paced_config *config);
void inputs_close(struct inputs *inputs);

/* Reads the images of both sets, as long as they are few enough; of many, or of more than fit into memory, it must do
 * that all files can be opened. PACED_INVALID for one that is bad; PACED_STOPPED after Ctrl-C. */
enum paced_err inputs_check_images(const struct inputs *inputs, int workers);

#endif
