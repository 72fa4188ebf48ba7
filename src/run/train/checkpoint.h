/* State of a training run, and the file that stores it. */
#ifndef PACED_RUN_CHECKPOINT_H
#define PACED_RUN_CHECKPOINT_H

#include "src/run/pass.h"

/* Inputs that must not change when a run is resumed. */
enum train_input { INPUT_TEACHER, INPUT_TRAIN, INPUT_VAL, INPUT_LABELS, TRAIN_INPUTS };

/* Hashes of what a run depends on. */
struct train_hashes {
    uint64_t order;                /* settings and names that determine the images of each batch */
    uint64_t inputs[TRAIN_INPUTS]; /* 0: no such input, or an older state */
};

/* State between two steps of a training run. */
struct train_state {
    int64_t epoch;               /* finished epochs */
    struct paced_pass_sums sums; /* of the next epoch's training pass, if it was stopped */
    struct paced_rng rng;        /* before the next epoch's shuffle */
    struct train_hashes hashes;
    int64_t select;     /* measure of `best`: enum paced_select */
    int absent;         /* treatment of absent classes in its Dice: enum paced_absent */
    double best;        /* best validation CE or Dice so far */
    int64_t best_epoch; /* from 1; 0: none, `best` is undefined */
    double lr;          /* learning rate of the next epoch by the settings at the time of saving; NaN: an older state */
};

/* Saves and loads state.safetensors: weights, moments and training state. PACED_INVALID for a file that is
 * incomplete or belongs to another network or precision. */
enum paced_err checkpoint_save(const char *path, struct network *network, const struct paced_config *config,
                               struct paced_optimizer *optimizer, const struct train_state *state);
enum paced_err checkpoint_load(const char *path, struct network *network, struct paced_optimizer *optimizer,
                               struct train_state *state);

#endif
