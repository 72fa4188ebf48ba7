/* Inputs of a training and their checks. */
#include "src/run/train/inputs.h"

#include <math.h>
#include <stdlib.h>

#include "paced/models.h"
#include "src/run/shared.h"
#include "src/run/splits.h"

/* Rejects an image size that the network does not accept, and batches on which it cannot be trained. The last batch of
 * an epoch may be smaller than the others. */
static enum paced_err check_network(const struct paced_config *c, size_t images) {
    struct paced_graph *graph;
    PACED_TRY(paced_model_build(&graph, c->model.arch, c->data.size, (int)c->data.classes, (int)c->model.width));
    size_t batch = (size_t)c->train.batch, rest = images % batch;
    const struct paced_node *starved = paced_graph_starved(graph, (int)(rest ? rest : batch));
    enum paced_err err = PACED_OK;
    if (starved)
        err = paced_error(PACED_INVALID,
                          "train.batch = %zu leaves one of the %zu training %s for the last batch, on which %s cannot "
                          "be trained (%s would normalise over one value, which has no variance); choose another "
                          "train.batch",
                          batch, images, paced_plural(images, "image", "images"), c->model.arch, starved->name);
    paced_graph_destroy(graph);
    return err;
}

/* Warns of keys that are set, but have no effect beside others. Keys of a method that is not in use are left out: base
 * files set them for all runs. */
static void warn_of_unused(const struct paced_config *c, const struct paced_objective *objective) {
    bool by_name = c->distill.loss > 0;
    const struct {
        const char *key;
        bool unused;
    } of_loss[] = {{"distill.method", by_name && c->distill.method != PACED_METHOD_IID},
                   {"distill.mix", by_name && c->distill.mix != PACED_MIX_AUTO},
                   {"uncertainty.target", by_name && c->uncertainty.target != PACED_TARGET_HARD},
                   {"pacing.admission", by_name && c->pacing.admission != PACED_ADMISSION_AUTO}};
    for (size_t i = 0; i < PACED_COUNT(of_loss); ++i)
        if (of_loss[i].unused)
            paced_log(PACED_LOG_WARN, "%s is not used: distill.loss = %s determines the loss alone", of_loss[i].key,
                      objective->name);
    if (*c->distill.teacher && !objective->needs_teacher)
        paced_log(PACED_LOG_WARN, "distill.teacher is not used: distill.%s = %s has no teacher",
                  by_name ? "loss" : "method", objective->name);
    if (c->train.momentum > 0 && c->train.optimizer != PACED_SGD)
        paced_log(PACED_LOG_WARN, "train.momentum is not used: train.optimizer = %s has moments of its own",
                  paced_optimizer_name(c->train.optimizer));
}

enum paced_err inputs_open(struct inputs *inputs, const struct paced_config *config) {
    PACED_TRY(paced_objective_init(&inputs->objective, &config->distill, &config->uncertainty, &config->pacing));
    warn_of_unused(config, &inputs->objective);
    PACED_TRY(paced_augment_parse(&inputs->augment, "data.augment", config->data.augment));
    inputs->augment.seed = (uint64_t)config->run.seed;
    inputs->augment.outside = paced_outside_label(&config->data);
    PACED_TRY(shared_dataset_open(&inputs->train, &config->data, PACED_TRAIN));
    inputs->range = paced_value_range_text(paced_dataset_range(inputs->train), config->data.range);
    inputs->data = config->data;
    inputs->data.range = inputs->range;
    PACED_TRY(shared_dataset_open(&inputs->val, &inputs->data, PACED_VAL));
    return check_network(config, paced_dataset_count(inputs->train));
}

void inputs_close(struct inputs *inputs) {
    shared_dataset_close(inputs->val);
    shared_dataset_close(inputs->train);
    free(inputs->range);
    *inputs = (struct inputs){0};
}

/* ---- images -------------------------------------------------------------------------------------------------- */

/* Decodes every image once, so that a bad one and the warnings of the census are reported before anything is written or
 * an older run is replaced. The data set caches the decoded images, which shortens the first epoch. */
static enum paced_err decode_all(struct paced_dataset *dataset, int workers, const char *label) {
    struct paced_loader *loader;
    struct paced_progress progress;
    size_t count = paced_dataset_count(dataset);
    uint32_t *order = paced_alloc(count, sizeof *order);
    for (size_t i = 0; i < count; ++i) order[i] = (uint32_t)i;
    enum paced_err err = paced_loader_create(&loader, dataset, order, count, 1, 0, workers, NULL);
    free(order);
    if (err) return err;
    paced_progress_start(&progress, label, count);
    for (struct paced_batch *batch; !err && !(err = paced_loader_next(loader, &batch)) && batch;) {
        paced_progress_step(&progress, 1, NAN);
        paced_loader_release(loader, batch);
        if (paced_stop_asked()) err = PACED_STOPPED;
    }
    paced_progress_end(&progress);
    paced_loader_destroy(loader);
    return err;
}

enum paced_err inputs_check_images(const struct inputs *inputs, int workers) {
    PACED_TRY(decode_all(inputs->train, workers, "reading train"));
    PACED_TRY(decode_all(inputs->val, workers, "reading val"));
    return splits_report(&inputs->data);
}
