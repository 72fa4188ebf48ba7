/* Evaluation on the validation images. */
#include "src/run/test/evaluation.h"

#include <stdlib.h>

#include "src/run/shared.h"

static enum paced_err open_inputs(struct evaluation *e, const struct paced_config *c) {
    PACED_TRY(paced_evaluator_create(&e->evaluator, &c->test, c->data.size, (int)c->data.classes));
    return shared_dataset_open(&e->dataset, &e->data, PACED_VAL);
}

enum paced_err evaluation_check(const struct paced_config *config) {
    struct evaluation e = {.data = config->data};
    enum paced_err err = open_inputs(&e, config);
    if (!err) err = paced_dataset_check_files(e.dataset);
    evaluation_close(&e);
    return err;
}

enum paced_err evaluation_open(struct evaluation *e, const struct paced_config *c, const char *weights) {
    *e = (struct evaluation){.data = c->data,
                             .range = network_range(c, weights),
                             .extent = c->data.size,
                             .classes = (int)c->data.classes,
                             .batch = (int)c->train.batch,
                             .workers = (int)c->data.workers};
    e->data.range = e->range;
    PACED_TRY(open_inputs(e, c));
    size_t count = paced_dataset_count(e->dataset);
    if ((size_t)e->batch > count) e->batch = (int)count;
    e->order = paced_alloc(count, sizeof *e->order);
    for (size_t i = 0; i < count; ++i) e->order[i] = (uint32_t)i;
    PACED_TRY(shared_device_open(&e->device, c));
    PACED_TRY(network_open(&e->network, c, e->device, e->batch, PACED_INFERENCE));
    struct paced_objective objective = paced_objective_plain();
    PACED_TRY(paced_loss_create(&e->loss, e->device, &objective, false, e->batch, e->extent, e->classes));
    PACED_TRY(scorer_create(&e->scorer, e->device, e->batch, e->extent, e->classes));
    PACED_TRY(grids_open(&e->grids, e->dataset, &c->test, e->classes));
    scorer_take_evaluator(e->scorer, e->evaluator, e->grids);
    return PACED_OK;
}

void evaluation_close(struct evaluation *e) {
    free(e->order);
    free(e->range);
    scorer_destroy(e->scorer);
    paced_evaluator_destroy(e->evaluator);
    grids_close(e->grids);
    paced_loss_destroy(e->loss);
    network_close(&e->network);
    shared_device_close(e->device);
    shared_dataset_close(e->dataset);
    *e = (struct evaluation){0};
}

enum paced_err evaluation_load(struct evaluation *e, const char *weights) {
    return network_load(&e->network, weights);
}

enum paced_err evaluation_run(struct evaluation *e, const struct paced_change *change, const char *label,
                              struct paced_scores *scores) {
    struct pass pass = {.network = &e->network,
                        .loss = e->loss,
                        .scorer = e->scorer,
                        .dataset = e->dataset,
                        .order = e->order,
                        .change = change,
                        .count = paced_dataset_count(e->dataset),
                        .batch = e->batch,
                        .workers = e->workers,
                        .label = label};
    struct paced_pass_sums sums = {.scores = scores};
    bool stopped;
    PACED_TRY(pass_run(&pass, &sums, &stopped));
    return stopped ? PACED_STOPPED : PACED_OK;
}

enum paced_err evaluation_take(struct evaluation *e, size_t index, struct example *example) {
    PACED_TRY(example_load(example, e->dataset, index));
    static const double pixels[2] = {1, 1};
    PACED_TRY(example_run(example, &e->network));
    paced_evaluator_set_grid(e->evaluator, e->extent, pixels);
    paced_evaluator_clean(e->evaluator, example->prediction, example->logits);
    return PACED_OK;
}
