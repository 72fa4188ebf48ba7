/* One pass over (a part of) a data set in batches: the one place where data meets the device. */
#ifndef PACED_RUN_PASS_H
#define PACED_RUN_PASS_H

#include "paced/distill.h"
#include "paced/optim.h"
#include "src/run/grader.h"
#include "src/run/network.h"
#include "src/run/teacher.h"

/* What a pass adds up; a pass that goes on where another stopped adds to the same. */
struct tally {
    double loss, ce, kld, admitted; /* sums over samples of their means (admitted: shares) over pixels */
    uint64_t images, batches;
    double seconds;
    struct paced_scores *scores;
};

void tally_clear(struct tally *tally);

struct pass {
    struct network *network;
    struct paced_loss *loss;
    struct grader *grader;
    struct teacher *teacher;     /* NULL: none */
    const struct logits *lesson; /* the teacher's logits of this data set: see teacher_give */
    struct paced_dataset *dataset;
    const uint32_t *order;             /* [count] samples to take */
    const struct paced_change *change; /* of the samples on their way; with a teacher, its `augment`; NULL: none */
    size_t count;
    int batch, workers;
    struct paced_optimizer *optimizer; /* NULL: evaluation */
    double lr;
    const char *label; /* on the progress line */
};

/* Starts after the batches that `tally` counts already. Stops early, with all of the batches counted, when
 * paced_stop_asked(): *stopped tells. PACED_FAILED where the loss is no number any more. */
enum paced_err pass_run(const struct pass *pass, struct tally *tally, bool *stopped);

#endif
