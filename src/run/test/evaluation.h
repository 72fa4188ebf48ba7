/* Evaluation of trained networks on the validation images: any number of passes, with one or several weights, and with
 * unchanged or changed images. Device, network and data set stay open in between. */
#ifndef PACED_RUN_EVALUATION_H
#define PACED_RUN_EVALUATION_H

#include "src/run/example.h"
#include "src/run/pass.h"

struct evaluation {
    struct paced_extent extent;
    int classes, batch;
    struct paced_data_options data; /* of the configuration, with the range of the weights */
    char *range;
    struct paced_dataset *dataset; /* validation images, in the split's order */
    struct paced_device *device;
    struct network network;
    struct paced_loss *loss;
    struct scorer *scorer;
    struct paced_evaluator *evaluator;
    struct grids *grids;
    uint32_t *order;
    int workers;
};

/* Opens [data] val, [device] and [model]; [test] selects the metrics and the cleaning of predictions. The images have
 * the range of the weights in the file `weights`. Starts as {0}. evaluation_close accepts {0}, and must be called after
 * a failure, too. */
enum paced_err evaluation_open(struct evaluation *evaluation, const struct paced_config *config, const char *weights);
/* Checks, without a device, the metrics and the files of the images. */
enum paced_err evaluation_check(const struct paced_config *config);
void evaluation_close(struct evaluation *evaluation);

/* Loads weights from a file: before the first evaluation_run, and whenever the weights change. */
enum paced_err evaluation_load(struct evaluation *evaluation, const char *weights);

/* Runs a pass over all images, each changed by `change` (NULL: unchanged), and adds the results to `scores`
 * (paced_scores_create(evaluation->classes)). `label` is shown on the progress line. PACED_STOPPED after Ctrl-C, with
 * images missing. */
enum paced_err evaluation_run(struct evaluation *evaluation, const struct paced_change *change, const char *label,
                              struct paced_scores *scores);

/* Runs a single image again; the prediction is cleaned as in evaluation_run. */
enum paced_err evaluation_take(struct evaluation *evaluation, size_t index, struct example *example);

#endif
