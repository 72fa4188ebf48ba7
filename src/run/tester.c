/* Testing: the metrics of the validation images, from the weights that the configuration names. The files are written
 * after the last image, so that a test that is stopped leaves an earlier one's as they were. */
#include "src/run/tester.h"

#include <stdlib.h>

#include "src/run/files.h"
#include "src/run/pass.h"

struct tester {
    struct paced_device *device;
    struct network network;
    struct paced_dataset *dataset;
    struct paced_loss *loss;
    struct grader *grader;
    struct tally tally;
    uint32_t *order;
};

static enum paced_err measure(struct tester *t, const struct paced_config *c, const char *weights) {
    int size = (int)c->data.size, classes = (int)c->data.classes, batch = (int)c->train.batch;
    PACED_TRY(paced_dataset_open(&t->dataset, c, PACED_VAL));
    size_t count = paced_dataset_count(t->dataset);
    if ((size_t)batch > count) batch = (int)count;
    PACED_TRY(paced_device_open(&t->device, c->device.select, (int)c->device.threads, c->device.tuning));
    PACED_TRY(network_open(&t->network, c, t->device, batch, PACED_INFERENCE));
    PACED_TRY(network_load(&t->network, weights));
    struct paced_objective objective = paced_objective_plain();
    PACED_TRY(paced_loss_create(&t->loss, t->device, &objective, false, batch, size, classes));
    PACED_TRY(grader_create(&t->grader, t->device, batch, size, classes));
    t->tally.scores = paced_scores_create(classes);
    t->order = paced_alloc(count, sizeof *t->order);
    for (size_t i = 0; i < count; ++i) t->order[i] = (uint32_t)i;
    struct pass pass = {.network = &t->network,
                        .loss = t->loss,
                        .grader = t->grader,
                        .dataset = t->dataset,
                        .order = t->order,
                        .count = count,
                        .batch = batch,
                        .workers = (int)c->data.workers,
                        .label = "test"};
    bool stopped;
    PACED_TRY(pass_run(&pass, &t->tally, &stopped));
    return stopped ? PACED_STOPPED : PACED_OK;
}

static enum paced_err write_results(const struct tester *t, const char *dir) {
    struct run_files files;
    run_files_init(&files, dir);
    enum paced_err err = paced_make_dirs(dir);
    if (!err) err = paced_scores_write_csv(t->tally.scores, files.metrics);
    if (!err) err = paced_scores_write_summary(t->tally.scores, files.summary);
    run_files_finish(&files);
    return err;
}

static void close_parts(struct tester *t) {
    free(t->order);
    paced_scores_destroy(t->tally.scores);
    grader_destroy(t->grader);
    paced_loss_destroy(t->loss);
    network_close(&t->network);
    paced_device_close(t->device);
    paced_dataset_close(t->dataset);
}

enum paced_err tester_run(const struct paced_config *config, const char *dir, FILE *out) {
    struct tester t = {0};
    char *weights = run_weights_path(config, config->test.weights);
    enum paced_err err = measure(&t, config, weights);
    if (!err) err = write_results(&t, dir);
    if (!err && out) paced_scores_print(t.tally.scores, out);
    free(weights);
    close_parts(&t);
    return err;
}
