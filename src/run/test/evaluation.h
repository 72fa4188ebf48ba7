/* Evaluation: a trained network measured on the validation images, as often as is asked: with one or several weights,
 * and with the images as they are or changed on their way. Device, network and data set stay open in between. */
#ifndef PACED_RUN_EVALUATION_H
#define PACED_RUN_EVALUATION_H

#include "src/run/example.h"
#include "src/run/pass.h"

struct evaluation {
    int size, classes, batch;
    struct paced_dataset *dataset; /* the validation images, in the split's order */
    struct paced_device *device;
    struct network network;
    struct paced_loss *loss;
    struct grader *grader;
    struct paced_examiner *examiner;
    uint32_t *order;
    int workers;
};

/* Opens what the configuration names ([data] val, [device], [model]; [test] says what is measured, and how a prediction
 * is cleaned before). Starts as {0}; evaluation_close accepts {0}, and must follow a failure too. */
enum paced_err evaluation_open(struct evaluation *evaluation, const struct paced_config *config);
/* The part of it that needs no device: what is measured, and the images, whose files must be there. */
enum paced_err evaluation_check(const struct paced_config *config);
void evaluation_close(struct evaluation *evaluation);

/* Takes weights from a file: before the first evaluation_run, and between two of them for other weights. */
enum paced_err evaluation_load(struct evaluation *evaluation, const char *weights);

/* One pass over all images, each changed by `change` (NULL: as it is), whose results are added to `scores`
 * (paced_scores_create(evaluation->classes)). `label` stands on the progress line. PACED_STOPPED after Ctrl-C:
 * images are missing then. */
enum paced_err evaluation_run(struct evaluation *evaluation, const struct paced_change *change, const char *label,
                              struct paced_scores *scores);

/* One of the images again, alone, its prediction cleaned as it was when it counted. */
enum paced_err evaluation_take(struct evaluation *evaluation, size_t index, struct example *example);

#endif
