/* Training as in the paper: every epoch visits all training images once in a new order, then measures on the validation
 * images. The weights of the best epoch by validation cross entropy or Dice are retained.
 *
 * Nothing is lost when a run is killed: the state is the first file of a run, and after each epoch the files are
 * replaced atomically, in an order in which each file refers to existing ones only (best, log, last, state). A run that
 * is stopped within an epoch saves its place in it. Resuming reads the state and drops the log rows of later epochs,
 * which are then computed again, bit for bit. */
#include "src/run/train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/run/files.h"
#include "src/run/lock.h"
#include "src/run/overwrite.h"
#include "src/run/report_runs.h"
#include "src/run/shared.h"
#include "src/run/train/checkpoint.h"
#include "src/run/train/initial.h"
#include "src/run/train/inputs.h"
#include "src/run/train/resume.h"
#include "src/run/train/tensorboard.h"

struct trainer {
    const struct paced_config *config; /* `resolved` */
    struct paced_config resolved;      /* shallow copy of the caller's, with the measured range */
    struct run_files files;
    struct paced_device *device;
    struct network network;
    struct inputs inputs;
    struct teacher teacher;            /* unused if the objective needs none */
    struct paced_histogram *histogram; /* of the training pixels' uncertainty; NULL if pacing uses no quantiles */
    struct paced_loss *loss;
    struct scorer *scorer;
    struct paced_optimizer *optimizer;
    uint32_t *order; /* [images of the larger set] */
    int batch;       /* images per step: train.batch, or all of the larger set if it has fewer */
    struct paced_run_log log;
    struct tensorboard tensorboard;
    struct train_state state;
    struct paced_rng rng_after; /* generator after this epoch's shuffle */
    struct paced_pass_sums val_sums;
    double mu;    /* threshold of the current epoch; NaN without pacing */
    bool trained; /* a step at least, in this process */
};

/* ---- opening ------------------------------------------------------------------------------------------------- */

static bool has_teacher(const struct trainer *t) {
    return t->inputs.objective.needs_teacher;
}

static bool is_paced(const struct trainer *t) {
    return t->inputs.objective.weighting != PACED_WEIGHT_NONE;
}

static enum paced_err open_teacher(struct trainer *t) {
    PACED_TRY(
        teacher_open(&t->teacher, t->config, t->device, t->batch, t->inputs.train, t->inputs.val, &t->inputs.augment));
    if (!isnan(t->config->uncertainty.temperature)) return PACED_OK;
    double tau;
    PACED_TRY(teacher_fit_temperature(&t->teacher, t->inputs.val, &tau));
    t->inputs.objective.tau = (float)tau;
    paced_log(PACED_LOG_INFO, "uncertainty.temperature = auto: tau = %.6g fits the validation set best", tau);
    return PACED_OK;
}

static enum paced_err open_parts(struct trainer *t) {
    const struct paced_config *c = t->config;
    struct paced_extent extent = c->data.size;
    int classes = (int)c->data.classes;
    PACED_TRY(inputs_open(&t->inputs, c));
    t->resolved.data = t->inputs.data;
    size_t most = paced_dataset_count(t->inputs.train), others = paced_dataset_count(t->inputs.val);
    if (others > most) most = others;
    t->batch = (size_t)c->train.batch < most ? (int)c->train.batch : (int)most;
    t->order = paced_alloc(most, sizeof *t->order);
    PACED_TRY(shared_device_open(&t->device, c));
    if (has_teacher(t)) PACED_TRY(open_teacher(t));
    PACED_TRY(paced_loss_create(&t->loss, t->device, &t->inputs.objective, has_teacher(t), t->batch, extent, classes));
    PACED_TRY(scorer_create(&t->scorer, t->device, t->batch, extent, classes));
    /* The network comes last, because it plans for the memory that is left. */
    PACED_TRY(network_open(&t->network, c, t->device, t->batch, PACED_TRAINING));
    PACED_TRY(paced_optimizer_create(&t->optimizer, &c->train, t->network.exec));
    t->state.sums.scores = paced_scores_create(classes);
    t->val_sums.scores = paced_scores_create(classes);
    paced_scores_set_absent(t->state.sums.scores, (enum paced_absent)c->test.absent);
    paced_scores_set_absent(t->val_sums.scores, (enum paced_absent)c->test.absent);
    return PACED_OK;
}

static void close_parts(struct trainer *t) {
    paced_scores_destroy(t->val_sums.scores);
    paced_scores_destroy(t->state.sums.scores);
    paced_optimizer_destroy(t->optimizer);
    scorer_destroy(t->scorer);
    paced_loss_destroy(t->loss);
    paced_histogram_destroy(t->histogram);
    teacher_close(&t->teacher);
    network_close(&t->network);
    shared_device_close(t->device);
    free(t->order);
    inputs_close(&t->inputs);
    tensorboard_close(&t->tensorboard);
    paced_run_log_finish(&t->log);
    run_files_finish(&t->files);
}

static struct train_hashes hash_inputs(const struct trainer *t) {
    return resume_hash(t->config, &t->inputs, t->batch, has_teacher(t) ? t->teacher.hash : 0);
}

static enum paced_err start_fresh(struct trainer *t) {
    const struct paced_config *c = t->config;
    PACED_TRY(initial_load(&t->network, c));
    paced_rng_seed(&t->state.rng, (uint64_t)c->run.seed, PACED_STREAM_SHUFFLE);
    t->state.hashes = hash_inputs(t);
    t->state.select = c->train.select;
    t->state.absent = c->test.absent;
    return PACED_OK;
}

static enum paced_err start_again(struct trainer *t) {
    struct train_hashes hashes = hash_inputs(t);
    PACED_TRY(checkpoint_load(t->files.state, &t->network, t->optimizer, &t->state));
    PACED_TRY(resume_check(t->config, &t->files, &t->state, &hashes));
    t->state.hashes = hashes;
    return t->state.epoch > 0 ? paced_run_log_read(&t->log, t->files.log, (int)t->state.epoch) : PACED_OK;
}

/* ---- pacing -------------------------------------------------------------------------------------------------- */

static enum paced_err add_uncertainty(struct trainer *t, const struct paced_batch *batch, float *values) {
    uint64_t pixels = (uint64_t)batch->count * paced_extent_pixels(t->config->data.size);
    PACED_TRY(paced_loss_write_labels(t->loss, batch->labels, batch->count));
    PACED_TRY(teacher_give(&t->teacher, t->teacher.train, false, batch, paced_loss_teacher(t->loss)));
    PACED_TRY(paced_loss_measure(t->loss, batch->count, -1));
    PACED_TRY(paced_buffer_read(paced_loss_uncertainty(t->loss), values, pixels * sizeof *values));
    return paced_histogram_add(t->histogram, values, batch->labels, pixels);
}

/* Computes the histogram of all training pixels, in the data set's order. The images are not augmented, because the
 * fractions of pacing refer to the training set, which is the same in every epoch. The log has the admitted fraction of
 * the augmented images. Ctrl-C ends it early and sets *stopped. */
static enum paced_err measure_uncertainty(struct trainer *t, bool *stopped) {
    const struct paced_config *c = t->config;
    size_t count = paced_dataset_count(t->inputs.train);
    for (size_t i = 0; i < count; ++i) t->order[i] = (uint32_t)i;
    struct paced_loader *loader;
    struct paced_batch *batch;
    PACED_TRY(paced_loader_create(&loader, t->inputs.train, t->order, count, t->batch, 0, (int)c->data.workers, NULL));
    float *values = paced_alloc((size_t)t->batch * paced_extent_pixels(c->data.size), sizeof *values);
    struct paced_progress progress;
    paced_progress_start(&progress, "uncertainty", count);
    paced_histogram_destroy(t->histogram);
    t->histogram = paced_histogram_create();
    enum paced_err err = PACED_OK;
    while (!err && !(*stopped = paced_stop_asked()) && !(err = paced_loader_next(loader, &batch)) && batch) {
        err = add_uncertainty(t, batch, values);
        paced_progress_step(&progress, (size_t)batch->count, NAN);
        paced_loader_release(loader, batch);
    }
    paced_progress_end(&progress);
    free(values);
    paced_loader_destroy(loader);
    return err;
}

/* Sets mu and sigma of the next epoch. Uncertainty changes between epochs only if sigma does. */
static enum paced_err set_pace(struct trainer *t, bool *stopped) {
    const struct paced_config *c = t->config;
    int epoch = (int)t->state.epoch;
    double sigma = paced_pacing_sigma(&c->uncertainty, epoch);
    PACED_TRY(paced_loss_set_epoch(t->loss, 1, sigma));
    if (paced_pacing_needs_histogram(&c->pacing, &t->inputs.objective) &&
        (!t->histogram || c->uncertainty.sigma_decay != 1))
        PACED_TRY(measure_uncertainty(t, stopped));
    if (*stopped) return PACED_OK;
    t->mu = is_paced(t) ? paced_pacing_mu(&c->pacing, &t->inputs.objective, epoch, c->train.epochs, t->histogram) : NAN;
    return paced_loss_set_epoch(t->loss, is_paced(t) ? t->mu : 1, sigma);
}

/* ---- an epoch ------------------------------------------------------------------------------------------------ */

static void log_row(struct trainer *t, const char *phase, const struct paced_pass_sums *sums, double lr) {
    struct paced_measures m = paced_pass_measures(sums);
    m.lr = lr;
    m.mu = t->mu;
    if (!has_teacher(t)) m.kld = NAN;
    if (!is_paced(t) || strcmp(phase, "train") != 0) m.admitted = NAN;
    paced_run_log_add(&t->log, &(struct paced_log_row){(int)t->state.epoch + 1, phase, m});
}

/* Pass over a whole data set in its own order, without training. */
static struct pass whole_pass(struct trainer *t, struct paced_dataset *dataset, const struct logits *teacher_logits,
                              const char *label) {
    size_t count = paced_dataset_count(dataset);
    for (size_t i = 0; i < count; ++i) t->order[i] = (uint32_t)i;
    return (struct pass){.network = &t->network,
                         .loss = t->loss,
                         .scorer = t->scorer,
                         .teacher = has_teacher(t) ? &t->teacher : NULL,
                         .teacher_logits = teacher_logits,
                         .dataset = dataset,
                         .order = t->order,
                         .count = count,
                         .batch = t->batch,
                         .workers = (int)t->config->data.workers,
                         .label = label};
}

static void label_epoch(const struct trainer *t, const char *phase, char *label, size_t size) {
    snprintf(label, size, "%s %lld/%lld", phase, (long long)t->state.epoch + 1, (long long)t->config->train.epochs);
}

static enum paced_err train_pass(struct trainer *t, double lr, bool *stopped) {
    char label[64];
    label_epoch(t, "train", label, sizeof label);
    struct pass pass = whole_pass(t, t->inputs.train, t->teacher.train, label);
    const struct paced_change change = {paced_augment_apply, &t->inputs.augment};
    t->rng_after = t->state.rng;
    if (t->config->train.shuffle) paced_rng_shuffle(&t->rng_after, t->order, pass.count);
    t->inputs.augment.epoch = (uint64_t)t->state.epoch;
    if (t->inputs.augment.count > 0) pass.change = &change;
    pass.optimizer = t->optimizer;
    pass.lr = lr;
    pass.untrained = !t->trained;
    PACED_TRY(pass_run(&pass, &t->state.sums, stopped));
    t->trained = true;
    if (!*stopped) log_row(t, "train", &t->state.sums, lr);
    return PACED_OK;
}

static enum paced_err val_pass(struct trainer *t, double lr, bool *stopped) {
    char label[64];
    label_epoch(t, "val", label, sizeof label);
    struct pass pass = whole_pass(t, t->inputs.val, &t->teacher.val, label);
    paced_pass_clear(&t->val_sums);
    PACED_TRY(pass_run(&pass, &t->val_sums, stopped));
    if (!*stopped) log_row(t, "val", &t->val_sums, lr);
    return PACED_OK;
}

static bool is_better(const struct train_state *s, double value) {
    if (s->best_epoch == 0) return true;
    return paced_measure_table[paced_select_measure((int)s->select)].lower_is_better ? value < s->best
                                                                                     : value > s->best;
}

/* Early stopping. Depends on saved state only, so a resumed run stops at the same epoch. */
static bool is_out_of_patience(const struct trainer *t) {
    int64_t patience = t->config->train.patience;
    return patience > 0 && t->state.epoch - t->state.best_epoch >= patience;
}

static bool is_done(const struct trainer *t) {
    return t->state.epoch >= t->config->train.epochs || is_out_of_patience(t);
}

/* Advances the training state past the epoch and writes all files. */
static enum paced_err close_epoch(struct trainer *t) {
    const struct paced_config *c = t->config;
    struct train_state *s = &t->state;
    const struct paced_log_row *val = &t->log.rows[t->log.count - 1];
    double value = val->measures.of[paced_select_measure((int)s->select)];
    s->rng = t->rng_after;
    s->epoch += 1;
    paced_pass_clear(&s->sums);
    if (is_better(s, value)) {
        s->best = value;
        s->best_epoch = s->epoch;
        PACED_TRY(network_save(&t->network, c, t->files.best));
    }
    PACED_TRY(paced_run_log_write(&t->log, t->files.log));
    PACED_TRY(paced_run_log_write_losses(&t->log, t->files.losses));
    if (s->epoch % c->train.save_every != 0 && !is_done(t)) return PACED_OK;
    PACED_TRY(network_save(&t->network, c, t->files.last));
    return checkpoint_save(t->files.state, &t->network, c, t->optimizer, s);
}

/* Without an admitted pixel, a loss that depends on them is 0 and teaches nothing. */
static void warn_of_no_admission(const struct trainer *t, const struct paced_log_row *train) {
    if (!is_paced(t) || t->inputs.objective.soft || train->measures.admitted > 0) return;
    paced_log(
        PACED_LOG_WARN,
        "epoch %d: no pixel is admitted, because all are less certain than mu = %g allows; raise pacing.mu, or set "
        "pacing.function to quantile or linear",
        train->epoch, train->measures.mu);
}

static void report_epoch(const struct trainer *t) {
    const struct paced_log_row *train = &t->log.rows[t->log.count - 2], *val = &t->log.rows[t->log.count - 1];
    bool best = t->state.best_epoch == val->epoch;
    warn_of_no_admission(t, train);
    paced_log(PACED_LOG_INFO,
              "epoch %d/%lld: train ce %.4f dice %.4f, val ce %.4f dice %.4f%s%s%s, lr %g, %.1f images/s", train->epoch,
              (long long)t->config->train.epochs, train->measures.ce, train->measures.dice, val->measures.ce,
              val->measures.dice, best ? paced_log_ink(PACED_INK_GOOD) : "", best ? " (best)" : "",
              best ? paced_log_ink(PACED_INK_PLAIN) : "", train->measures.lr, train->measures.images_per_second);
}

/* Saves the place within the epoch after Ctrl-C, so that no computation is lost. A log row of this epoch is computed
 * again. The state of a run that trained nothing is saved already. */
static enum paced_err save_place(struct trainer *t) {
    if (t->trained) {
        PACED_TRY(network_save(&t->network, t->config, t->files.last));
        PACED_TRY(checkpoint_save(t->files.state, &t->network, t->config, t->optimizer, &t->state));
    }
    uint64_t batches = t->state.sums.batches;
    paced_log(PACED_LOG_INFO, "stopped in epoch %lld after %llu %s; `paced train ... --resume` continues from here",
              (long long)t->state.epoch + 1, (unsigned long long)batches, paced_plural(batches, "batch", "batches"));
    return PACED_STOPPED;
}

/* TensorBoard's pictures show the best weights. */
static enum paced_err end_board(struct trainer *t) {
    if (!t->tensorboard.path) return PACED_OK;
    PACED_TRY(network_load(&t->network, t->files.best));
    return tensorboard_end(&t->tensorboard, &t->network, t->inputs.val, (int)t->config->data.classes,
                           (int)t->state.best_epoch);
}

/* *stopped: by Ctrl-C, between two steps, or while kernels were compiled for a step that trains nothing or is the first
 * one. */
static enum paced_err run_passes(struct trainer *t, bool *stopped) {
    double lr = paced_schedule_lr(&t->config->train, (int)t->state.epoch);
    enum paced_err err = set_pace(t, stopped);
    if (!err && !*stopped) err = train_pass(t, lr, stopped);
    if (!err && !*stopped) err = val_pass(t, lr, stopped);
    if (err != PACED_STOPPED) return err;
    *stopped = true;
    return PACED_OK;
}

/* Finishes a task that Ctrl-C must not abandon. */
static enum paced_err finish(enum paced_err task(struct trainer *t), struct trainer *t) {
    paced_stop_later(true);
    enum paced_err err = task(t);
    paced_stop_later(false);
    return err;
}

static enum paced_err train(struct trainer *t) {
    PACED_TRY(tensorboard_open(&t->tensorboard, t->config, &t->files, &t->log));
    while (!is_done(t)) {
        bool stopped = false;
        PACED_TRY(run_passes(t, &stopped));
        if (stopped) return finish(save_place, t);
        PACED_TRY(finish(close_epoch, t));
        PACED_TRY(tensorboard_add_epoch(&t->tensorboard));
        report_epoch(t);
    }
    PACED_TRY(end_board(t));
    const struct train_state *s = &t->state;
    paced_log(PACED_LOG_INFO, "%s: %lld %s%s, best in epoch %lld (val %s %.4f)", t->files.dir, (long long)s->epoch,
              paced_plural((uint64_t)s->epoch, "epoch", "epochs"),
              s->epoch < t->config->train.epochs ? " (train.patience has run out)" : "", (long long)s->best_epoch,
              paced_measure_table[paced_select_measure((int)s->select)].name, s->best);
    return PACED_OK;
}

/* Writes the first files of a run. They replace an older one, so Ctrl-C must not come between. */
static enum paced_err write_first_files(struct trainer *t) {
    PACED_TRY(run_files_clear(&t->files));
    PACED_TRY(run_files_tidy(&t->files));
    PACED_TRY(run_files_write_config(&t->files, t->config, t->device));
    return checkpoint_save(t->files.state, &t->network, t->config, t->optimizer, &t->state);
}

static enum paced_err begin_fresh(struct trainer *t) {
    const char *products; /* chosen now: this takes long, and Ctrl-C may end it while nothing is written */
    PACED_TRY(inputs_check_images(&t->inputs, (int)t->config->data.workers));
    PACED_TRY(start_fresh(t));
    PACED_TRY(paced_gemm_setting(t->device, &products));
    return paced_stop_asked() ? PACED_STOPPED : finish(write_first_files, t);
}

static enum paced_err begin_again(struct trainer *t) {
    PACED_TRY(start_again(t));
    PACED_TRY(run_files_tidy(&t->files));
    if (is_done(t)) return PACED_OK; /* nothing is trained, so the stored settings stay valid */
    PACED_TRY(resume_check_dice(t->config, &t->files, &t->state));
    t->state.absent = t->config->test.absent;
    run_files_tell_changes(&t->files, t->config);
    resume_warn_of_lr(t->config, &t->files, &t->state);
    return run_files_write_config(&t->files, t->config, t->device);
}

/* Trains into the locked directory. */
static enum paced_err run(const struct paced_config *config, enum train_start start, FILE *out) {
    struct trainer t = {.resolved = *config};
    t.config = config = &t.resolved;
    run_files_init(&t.files, config->run.output);
    bool resume = start == TRAIN_RESUME && paced_path_exists(t.files.state);
    enum paced_err err = PACED_OK;
    if (start == TRAIN_FRESH && run_files_hold_run(&t.files))
        err = paced_error_at(PACED_INVALID, t.files.dir,
                             "contains a run already; continue it with --resume, replace it with --overwrite, or "
                             "choose another directory with --output");
    if (start == TRAIN_RESUME && !resume && run_files_hold_run(&t.files))
        err = paced_error_at(PACED_INVALID, t.files.state,
                             "is missing, so the run cannot be resumed; start again with --overwrite");
    if (!err && start == TRAIN_RESUME && !resume)
        paced_log(PACED_LOG_INFO, "%s: holds nothing to resume; the training starts from scratch", t.files.dir);
    if (!err) err = overwrite_check_training(config, t.files.dir);
    if (!err) err = open_parts(&t);
    if (!err) err = resume ? begin_again(&t) : begin_fresh(&t);
    if (err == PACED_STOPPED)
        paced_log(PACED_LOG_INFO, "%s: stopped before training began; no file was changed", config->run.output);
    if (!err) err = train(&t);
    if (!err && out) paced_run_log_print(&t.log, (int)t.state.best_epoch, out);
    if (!err) err = report_run(t.files.dir);
    close_parts(&t);
    return err;
}

enum paced_err trainer_run(const struct paced_config *config, enum train_start start, FILE *out) {
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, config->run.output));
    enum paced_err err = run(config, start, out);
    dir_lock_release(lock);
    return err;
}

enum paced_err trainer_check(const struct paced_config *config, const struct expected *expected) {
    PACED_TRY(paced_dir_check(config->run.output));
    struct inputs inputs = {0};
    struct paced_config teacher = teacher_config(config);
    enum paced_err err = overwrite_check_training(config, config->run.output);
    if (!err) err = inputs_open(&inputs, config);
    if (!err) err = paced_dataset_check_files(inputs.train);
    if (!err) err = paced_dataset_check_files(inputs.val);
    if (!err && inputs.objective.needs_teacher) err = network_check(&teacher, config->distill.teacher, expected);
    if (!err) err = initial_check(config, expected);
    inputs_close(&inputs);
    return err;
}
