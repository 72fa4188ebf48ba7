/* Pass over a data set.
 *
 * The device stays busy: while it processes one batch, the loader prepares the next and the host sums the previous one.
 * A step's results are therefore collected one step late, and its batch is released then. */
#include "src/run/pass.h"

#include <math.h>

static enum paced_err enqueue(const struct pass *p, const struct paced_batch *batch) {
    struct paced_exec *exec = p->network->exec;
    uint64_t pixels = (uint64_t)batch->count * paced_extent_pixels(paced_dataset_extent(p->dataset));
    bool training = p->optimizer != NULL;
    PACED_TRY(paced_buffer_write_later(paced_exec_input(exec), batch->images, pixels * 3 * sizeof(float)));
    PACED_TRY(paced_loss_write_labels_later(p->loss, batch->labels, batch->count));
    if (p->teacher)
        PACED_TRY(teacher_give(p->teacher, p->teacher_logits, p->change != NULL, batch, paced_loss_teacher(p->loss)));
    PACED_TRY(paced_exec_forward(exec, batch->count, training));
    PACED_TRY(
        paced_loss_run(p->loss, paced_exec_output(exec), batch->count, training ? paced_exec_output_grad(exec) : NULL));
    PACED_TRY(paced_loss_read_later(p->loss, batch->count));
    PACED_TRY(scorer_start(p->scorer, paced_exec_output(exec), batch->count));
    if (!training) return PACED_OK;
    PACED_TRY(paced_exec_backward(exec));
    return paced_optimizer_step(p->optimizer, p->lr);
}

/* An abandoned step leaves weights that belong to no step. */
static enum paced_err step(const struct pass *p, const struct paced_batch *batch, bool first) {
    paced_stop_later(p->optimizer && !(first && p->untrained));
    enum paced_err err = enqueue(p, batch);
    paced_stop_later(false);
    return err;
}

/* Adds the results of a finished step to the sums and releases its batch. */
static enum paced_err collect(const struct pass *p, struct paced_loader *loader, struct paced_batch *batch,
                              struct paced_pass_sums *sums, struct paced_progress *progress) {
    struct paced_loss_sums loss;
    PACED_TRY(paced_loss_wait(p->loss, &loss));
    PACED_TRY(scorer_score(p->scorer, batch, p->dataset, sums->scores));
    paced_pass_add(sums, &loss, batch->count);
    paced_progress_step(progress, (size_t)batch->count, paced_pass_mean(sums, PACED_SUM_LOSS));
    paced_loader_release(loader, batch);
    if (isfinite(loss.loss)) return PACED_OK;
    return paced_error_at(PACED_FAILED, p->label, "the loss of batch %llu is not a finite number; lower train.lr",
                          (unsigned long long)sums->batches);
}

static enum paced_err run_batches(const struct pass *p, struct paced_loader *loader, struct paced_pass_sums *sums,
                                  struct paced_progress *progress, bool *stopped) {
    struct paced_batch *running = NULL, *batch;
    for (size_t started = (size_t)sums->images;; started += (size_t)batch->count) {
        *stopped = paced_stop_asked() && started < p->count;
        batch = NULL;
        if (!*stopped) PACED_TRY(paced_loader_next(loader, &batch));
        if (batch) PACED_TRY(step(p, batch, !running));
        if (running) PACED_TRY(collect(p, loader, running, sums, progress));
        if (!batch) return PACED_OK;
        running = batch;
    }
}

enum paced_err pass_run(const struct pass *p, struct paced_pass_sums *sums, bool *stopped) {
    struct paced_loader *loader;
    struct paced_progress progress;
    double start = paced_now_s();
    PACED_TRY(
        paced_loader_create(&loader, p->dataset, p->order, p->count, p->batch, sums->batches, p->workers, p->change));
    paced_progress_start(&progress, p->label, p->count - (size_t)sums->images);
    enum paced_err err = run_batches(p, loader, sums, &progress, stopped);
    paced_progress_end(&progress);
    /* Pending transfers must end before the loader's memory is released. */
    enum paced_err finished = paced_device_finish(paced_exec_device(p->network->exec));
    paced_loader_destroy(loader);
    sums->seconds += paced_now_s() - start;
    if (!err && !finished && !*stopped && sums->loss.pixels == 0)
        err = paced_error_at(PACED_INVALID, p->label,
                             "the masks ignore every pixel of all images; correct the masks, or "
                             "list other images in the split");
    return err ? err : finished;
}
