/* Pass over a data set, or a part of it, in batches. */
#ifndef PACED_RUN_PASS_H
#define PACED_RUN_PASS_H

#include "paced/distill.h"
#include "paced/optim.h"
#include "src/run/network.h"
#include "src/run/scorer.h"
#include "src/run/teacher.h"

struct pass {
    struct network *network;
    struct paced_loss *loss;
    struct scorer *scorer;
    struct teacher *teacher;             /* NULL: none */
    const struct logits *teacher_logits; /* of this data set, see teacher_give */
    struct paced_dataset *dataset;
    const uint32_t *order;             /* [count] indices of samples */
    const struct paced_change *change; /* applied to each sample; with a teacher, its `augment`; NULL: none */
    size_t count;
    int batch, workers;
    struct paced_optimizer *optimizer; /* NULL: evaluation */
    double lr;
    const char *label; /* on the progress line */
    bool untrained;    /* nothing was trained since the state was saved, so that the first step may be abandoned */
};

/* Adds to the sums and starts after the batches that they already include. If paced_stop_asked(), it stops early with
 * all started batches included and sets *stopped. PACED_STOPPED if a step was abandoned while its kernels were compiled
 * (not in training, unless `untrained`); the sums are then without it. PACED_FAILED if the loss is not finite;
 * PACED_INVALID if the masks ignore every pixel. */
enum paced_err pass_run(const struct pass *pass, struct paced_pass_sums *sums, bool *stopped);

#endif
