/* A run directory's files that a resume needs, and how far a run has come. */
#ifndef PACED_RUN_CHECKPOINT_H
#define PACED_RUN_CHECKPOINT_H

#include "src/run/pass.h"

/* Between two steps of a training run. */
struct standing {
    int64_t epoch;        /* finished epochs */
    struct tally tally;   /* of the training pass of the next epoch, where it was stopped half-way */
    double mu;            /* threshold of the last epoch begun; NaN where nothing is paced */
    struct paced_rng rng; /* as it was before the next epoch's shuffle */
    uint64_t course;      /* hash of what decides which image comes in which batch */
    int64_t select;       /* what `best` measures: enum paced_select */
    double best;          /* the validation set's best CE or dice so far */
    int64_t best_epoch;   /* from 1; 0: none, and `best` means nothing */
};

/* state.safetensors: weights, moments and standing. */
enum paced_err checkpoint_save(const char *path, struct network *network, const struct paced_config *config,
                               struct paced_optimizer *optimizer, const struct standing *standing);
enum paced_err checkpoint_load(const char *path, struct network *network, struct paced_optimizer *optimizer,
                               struct standing *standing);

#endif
