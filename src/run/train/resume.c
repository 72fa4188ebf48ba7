/* Conditions for resuming a training. */
#include "src/run/train/resume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- hashes -------------------------------------------------------------------------------------------------- */

static uint64_t hash_order(const struct paced_config *config, const struct paced_dataset *train, int batch) {
    int64_t sizes[] = {(int64_t)paced_dataset_count(train), batch, config->train.shuffle};
    uint64_t hash = paced_hash(PACED_HASH_START, sizes, sizeof sizes);
    for (size_t i = 0; i < paced_dataset_count(train); ++i) {
        const char *name = paced_dataset_image_name(train, i);
        hash = paced_hash(hash, name, strlen(name) + 1);
    }
    return hash;
}

struct train_hashes resume_hash(const struct paced_config *config, const struct inputs *inputs, int batch,
                                uint64_t teacher_hash) {
    return (struct train_hashes){.order = hash_order(config, inputs->train, batch),
                                 .inputs = {[INPUT_TEACHER] = teacher_hash,
                                            [INPUT_TRAIN] = paced_dataset_hash(inputs->train),
                                            [INPUT_VAL] = paced_dataset_hash(inputs->val),
                                            [INPUT_LABELS] = paced_masks_hash(paced_dataset_masks(inputs->train))}};
}

/* ---- checks -------------------------------------------------------------------------------------------------- */

/* Refuses other inputs, whose results would be mixed with those of the first ones. */
static enum paced_err check_inputs(const struct paced_config *config, const char *path, const uint64_t *was,
                                   const uint64_t *is) {
    static const struct {
        const char *key, *what;
    } inputs[] = {[INPUT_TEACHER] = {"distill.teacher", "other weights of the teacher"},
                  [INPUT_TRAIN] = {"data.train", "another list of training images"},
                  [INPUT_VAL] = {"data.val", "another list of validation images"},
                  [INPUT_LABELS] = {"data.labels", "another label table"}};
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < TRAIN_INPUTS; ++i) {
        if (!was[i] || !is[i] || was[i] == is[i]) continue;
        char *value = paced_config_value(config, inputs[i].key);
        err = paced_error_at(PACED_INVALID, path,
                             "was saved with %s than %s = %s; resume with the original file, or start again with "
                             "--overwrite",
                             inputs[i].what, inputs[i].key, *value ? value : "(empty)");
        free(value);
    }
    return err;
}

enum paced_err resume_check(const struct paced_config *config, const struct run_files *files,
                            const struct train_state *state, const struct train_hashes *hashes) {
    if (state->select != config->train.select)
        return paced_error_at(PACED_INVALID, files->state,
                              "the best weights so far were selected by another measure than train.select = %s; resume "
                              "with the original train.select, or start again with --overwrite",
                              paced_select_name(config->train.select));
    if (state->sums.batches > 0 && state->hashes.order != hashes->order)
        return paced_error_at(
            PACED_INVALID, files->state,
            "was stopped within an epoch of other batches; resume with the original data.train, train.batch and "
            "train.shuffle, or start again with --overwrite");
    PACED_TRY(check_inputs(config, files->state, state->hashes.inputs, hashes->inputs));
    if (state->epoch > 0 && !paced_path_exists(files->best))
        return paced_error_at(
            PACED_INVALID, files->best,
            "is missing: these were the best weights, of epoch %lld; restore the file, or start again "
            "with --overwrite",
            (long long)state->best_epoch);
    return PACED_OK;
}

enum paced_err resume_check_dice(const struct paced_config *config, const struct run_files *files,
                                 const struct train_state *state) {
    bool other = config->data.classes > 2 && state->absent != config->test.absent;
    if (!other || config->train.select != PACED_SELECT_DICE || state->best_epoch == 0) return PACED_OK;
    return paced_error_at(PACED_INVALID, files->state,
                          "the best weights so far were selected by the dice of test.absent = %s; resume with that, "
                          "or start again with --overwrite",
                          paced_absent_name(state->absent));
}

void resume_warn_of_lr(const struct paced_config *config, const struct run_files *files,
                       const struct train_state *state) {
    enum { SMOOTH_PERCENT = 1 };
    double lr = paced_schedule_lr(&config->train, (int)state->epoch), was = state->lr;
    if (isnan(was) || fabs(lr - was) * 100 <= SMOOTH_PERCENT * fmax(lr, was)) return;
    paced_log(PACED_LOG_WARN,
              "%s: the learning rate of epoch %lld jumps to %g; it was to be %g by the settings of [train] until now",
              files->dir, (long long)state->epoch + 1, lr, was);
}
