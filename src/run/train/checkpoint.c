/* state.safetensors: the network's tensors under their own names, the optimiser's as "optimizer.*", the training state
 * as "run.*". It holds everything that the next step depends on, so that a resumed run equals an uninterrupted one bit
 * for bit. */
#include "src/run/train/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/ops.h"

static void add_state(struct paced_weights *weights, const struct train_state *s, const struct paced_config *config) {
    const int64_t one[] = {1}, four[] = {4}, inputs[] = {TRAIN_INPUTS};
    double lr = paced_schedule_lr(&config->train, (int)s->epoch);
    int64_t counts[] = {(int64_t)s->sums.images, (int64_t)s->sums.batches};
    paced_weights_add(weights, "run.epoch", PACED_I64, 1, one, &s->epoch);
    paced_weights_add(weights, "run.order", PACED_I64, 1, one, &s->hashes.order);
    paced_weights_add(weights, "run.select", PACED_I64, 1, one, &s->select);
    paced_weights_add(weights, "run.best", PACED_F64, 1, one, &s->best);
    paced_weights_add(weights, "run.best_epoch", PACED_I64, 1, one, &s->best_epoch);
    paced_weights_add(weights, "run.generator", PACED_I64, 1, four, s->rng.s);
    paced_weights_add(weights, "run.sums", PACED_F64, 1, (int64_t[]){PACED_SUMS}, s->sums.loss.of);
    paced_weights_add(weights, "run.pixels", PACED_F64, 1, one, &s->sums.loss.pixels);
    paced_weights_add(weights, "run.seconds", PACED_F64, 1, one, &s->sums.seconds);
    paced_weights_add(weights, "run.counts", PACED_I64, 1, (int64_t[]){2}, counts);
    paced_weights_add(weights, "run.inputs", PACED_I64, 1, inputs, s->hashes.inputs);
    paced_weights_add(weights, "run.lr", PACED_F64, 1, one, &lr);
    paced_scores_save(s->sums.scores, "run.scores", weights);
}

/* Hash, in hexadecimal, of all settings that determine the order of summation on one device. */
static enum paced_err hash_arithmetic(const struct paced_exec *exec, char text[17]) {
    const char *forced = paced_conv_forced();
    uint64_t workspace = paced_exec_workspace_limit(exec);
    PACED_TRY(paced_device_tuning_hash(paced_exec_device(exec), text));
    uint64_t hash = paced_hash(PACED_HASH_START, text, 16);
    if (forced) hash = paced_hash(hash, forced, strlen(forced));
    hash = paced_hash(hash, &workspace, sizeof workspace);
    snprintf(text, 17, "%016llx", (unsigned long long)hash);
    return PACED_OK;
}

enum paced_err checkpoint_save(const char *path, struct network *network, const struct paced_config *config,
                               struct paced_optimizer *optimizer, const struct train_state *state) {
    struct paced_weights weights = {0};
    char tuning[17];
    PACED_TRY(hash_arithmetic(network->exec, tuning));
    paced_weights_add_metadata(&weights, "tuning", tuning);
    /* States of versions without a choice have no precision: float32. */
    enum paced_precision precision = paced_exec_precision(network->exec);
    if (precision != PACED_PRECISION_FLOAT32)
        paced_weights_add_metadata(&weights, "precision", paced_precision_name(precision));
    if (config->data.classes > 2) paced_weights_add_metadata(&weights, "absent", paced_absent_name(state->absent));
    enum paced_err err = network_collect(network, config, &weights);
    if (!err) err = paced_optimizer_save(optimizer, &weights);
    if (!err) add_state(&weights, state, config);
    if (!err) err = paced_safetensors_write(path, &weights);
    paced_weights_finish(&weights);
    return err;
}

/* Copies a tensor of `count` elements of 8 bytes. */
static enum paced_err take(const struct paced_weights *weights, const char *path, const char *name,
                           enum paced_dtype dtype, size_t count, void *out) {
    const struct paced_entry *entry = paced_weights_find(weights, name);
    if (!entry || entry->dtype != dtype || entry->bytes != count * 8)
        return paced_error_at(PACED_INVALID, path,
                              "tensor %s is missing or has another type or size; start again with --overwrite", name);
    memcpy(out, entry->data, entry->bytes);
    return PACED_OK;
}

/* The treatment of absent classes; states of versions without a choice counted them as perfect. */
static int take_absent(const struct paced_weights *weights) {
    const char *name = paced_weights_metadata(weights, "absent");
    int absent = name ? paced_names_find(paced_absent_name, name) : -1;
    return absent < 0 ? PACED_ABSENT_PERFECT : absent;
}

/* Reads what older states lack. */
static enum paced_err take_newer_state(const struct paced_weights *weights, const char *path, struct train_state *s) {
    memset(s->hashes.inputs, 0, sizeof s->hashes.inputs);
    s->lr = NAN;
    if (paced_weights_find(weights, "run.inputs"))
        PACED_TRY(take(weights, path, "run.inputs", PACED_I64, TRAIN_INPUTS, s->hashes.inputs));
    if (paced_weights_find(weights, "run.lr")) PACED_TRY(take(weights, path, "run.lr", PACED_F64, 1, &s->lr));
    return PACED_OK;
}

static enum paced_err take_state(const struct paced_weights *weights, const char *path, struct train_state *s) {
    int64_t counts[2];
    PACED_TRY(take(weights, path, "run.epoch", PACED_I64, 1, &s->epoch));
    PACED_TRY(take(weights, path, "run.order", PACED_I64, 1, &s->hashes.order));
    PACED_TRY(take(weights, path, "run.select", PACED_I64, 1, &s->select));
    PACED_TRY(take(weights, path, "run.best", PACED_F64, 1, &s->best));
    PACED_TRY(take(weights, path, "run.best_epoch", PACED_I64, 1, &s->best_epoch));
    PACED_TRY(take(weights, path, "run.generator", PACED_I64, 4, s->rng.s));
    PACED_TRY(take(weights, path, "run.sums", PACED_F64, PACED_SUMS, s->sums.loss.of));
    PACED_TRY(take(weights, path, "run.pixels", PACED_F64, 1, &s->sums.loss.pixels));
    PACED_TRY(take(weights, path, "run.seconds", PACED_F64, 1, &s->sums.seconds));
    PACED_TRY(take(weights, path, "run.counts", PACED_I64, 2, counts));
    PACED_TRY(take_newer_state(weights, path, s));
    s->sums.images = (uint64_t)counts[0];
    s->sums.batches = (uint64_t)counts[1];
    s->absent = take_absent(weights);
    return paced_scores_load(s->sums.scores, "run.scores", weights, path);
}

/* Selects the network's tensors from a state. */
static void select_params(const struct paced_weights *all, const struct paced_graph *graph,
                          struct paced_weights *params) {
    for (size_t i = 0; i < paced_graph_param_count(graph); ++i) {
        const struct paced_entry *e = paced_weights_find(all, paced_graph_get_param(graph, i)->name);
        if (e) paced_weights_add(params, e->name, e->dtype, e->rank, e->shape, e->data);
    }
}

/* The epochs before and after would be of two experiments. */
static enum paced_err check_precision(const struct paced_weights *weights, const struct paced_exec *exec,
                                      const char *path) {
    const char *was = paced_weights_metadata(weights, "precision");
    if (!was) was = paced_precision_name(PACED_PRECISION_FLOAT32);
    if (strcmp(was, paced_precision_name(paced_exec_precision(exec))) == 0) return PACED_OK;
    return paced_error_at(PACED_INVALID, path,
                          "was saved with train.precision = %s; resume with that, or start again with --overwrite",
                          was);
}

/* Another tuning is equally correct, but rounds differently. */
static enum paced_err warn_of_other_tuning(const char *was, const struct paced_exec *exec, const char *path) {
    char is[17];
    PACED_TRY(hash_arithmetic(exec, is));
    if (was && strcmp(was, is) != 0)
        paced_log(
            PACED_LOG_WARN,
            "%s: was saved with another device.tuning, device.memory_limit_mb or PACED_CONV; the run continues, but "
            "is not bit-identical to an uninterrupted one",
            path);
    return PACED_OK;
}

enum paced_err checkpoint_load(const char *path, struct network *network, struct paced_optimizer *optimizer,
                               struct train_state *state) {
    struct paced_weights weights = {0}, params = {0};
    enum paced_err err = paced_safetensors_read(path, &weights);
    if (err) goto out;
    if ((err = check_precision(&weights, network->exec, path))) goto out;
    select_params(&weights, network->graph, &params);
    if ((err = paced_exec_load_params(network->exec, &params, path))) goto out;
    if ((err = paced_optimizer_load(optimizer, &weights, path))) goto out;
    if ((err = take_state(&weights, path, state))) goto out;
    err = warn_of_other_tuning(paced_weights_metadata(&weights, "tuning"), network->exec, path);
out:
    paced_weights_finish(&params);
    paced_weights_finish(&weights);
    return err;
}
