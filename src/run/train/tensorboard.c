/* TensorBoard event file. Epochs are appended, because TensorBoard keeps the file open and would not notice a
 * replacement. When a run starts or is resumed, the whole file is written again from the log, so that each epoch occurs
 * once even after a crash.
 *
 * Invariant: the file depends on the log and on the start of the run, which is part of its name, only. */
#include "src/run/train/tensorboard.h"

#include <stdlib.h>
#include <time.h>

#include "src/run/overlay.h"

enum { PICTURES = 4 };

/* Configuration keys shown in the HPARAMS tab. */
static const char parameters[] =
    "run.seed, data.size, data.augment, model.arch, model.width, train.epochs, train.batch, train.optimizer, train.lr, "
    "train.schedule, train.weight_decay, distill.teacher_arch, distill.teacher_width, distill.method, distill.loss, "
    "distill.mix, distill.alpha, distill.temperature, uncertainty.temperature, uncertainty.prediction, "
    "uncertainty.boundary, uncertainty.fuse, uncertainty.target, pacing.function, pacing.mu, pacing.mu_update, "
    "pacing.mu_update_every, pacing.start, pacing.end, pacing.order";

static int last_epoch(const struct paced_run_log *log) {
    return log->count > 0 ? log->rows[log->count - 1].epoch : 0;
}

static double now(const struct tensorboard *b) {
    return paced_events_time(b->start, b->log, last_epoch(b->log));
}

static void begin(struct paced_events *events, double start, const struct paced_config *config) {
    struct paced_settings shown = {0};
    const char *rest = parameters;
    for (char *name; (name = paced_list_next(&rest));) {
        shown.items = paced_grow(shown.items, shown.count + 1, sizeof *shown.items);
        shown.items[shown.count++] = (struct paced_setting){name, paced_config_value(config, name)};
    }
    paced_events_begin(events, start, &shown);
    paced_settings_finish(&shown);
}

enum paced_err tensorboard_open(struct tensorboard *b, const struct paced_config *config, const struct run_files *files,
                                const struct paced_run_log *log) {
    *b = (struct tensorboard){.log = log};
    if (!config->log.tensorboard) return PACED_OK;
    int64_t start = (int64_t)time(NULL) - (int64_t)now(b); /* used if no event file exists */
    b->path = run_files_events(files, &start);
    b->start = (double)start;
    struct paced_events events = {0};
    begin(&events, b->start, config);
    for (int epoch = 1; epoch <= last_epoch(log); ++epoch) paced_events_add_epoch(&events, b->start, log, epoch);
    enum paced_err err = paced_file_write(b->path, events.bytes, events.size);
    paced_events_finish(&events);
    return err;
}

void tensorboard_close(struct tensorboard *b) {
    free(b->path);
    *b = (struct tensorboard){0};
}

static enum paced_err append(struct tensorboard *b, struct paced_events *events) {
    enum paced_err err = paced_file_append(b->path, events->bytes, events->size);
    paced_events_finish(events);
    return err;
}

enum paced_err tensorboard_add_epoch(struct tensorboard *b) {
    struct paced_events events = {0};
    if (!b->path) return PACED_OK;
    paced_events_add_epoch(&events, b->start, b->log, last_epoch(b->log));
    return append(b, &events);
}

static enum paced_err add_picture(struct tensorboard *b, struct paced_events *events, const struct example *e,
                                  const struct paced_dataset *val, size_t index, int epoch) {
    const char *name = paced_dataset_image_name(val, index);
    char *tag = paced_format("overlays/%s", name), *settings = paced_format("best weights, of epoch %d", epoch);
    struct paced_canvas canvas = overlay_draw(e, val, name, settings);
    enum paced_err err = paced_events_add_picture(events, now(b), epoch, tag, &canvas);
    paced_canvas_finish(&canvas);
    free(settings);
    free(tag);
    return err;
}

/* Adds the first images of the set that have a foreground. They are the same in every run, so that runs compare. */
static enum paced_err add_pictures(struct tensorboard *b, struct paced_events *events, struct network *network,
                                   struct paced_dataset *val, int classes, int epoch) {
    struct example e = example_create(paced_dataset_extent(val), classes);
    enum paced_err err = PACED_OK;
    size_t count = paced_dataset_count(val), pixels = paced_extent_pixels(e.extent);
    for (size_t i = 0, found = 0; !err && found < PICTURES && i < count; ++i) {
        err = example_load(&e, val, i);
        if (err || !label_has_foreground(e.label, pixels)) continue;
        err = example_run(&e, network);
        if (!err) err = add_picture(b, events, &e, val, i, epoch);
        ++found;
    }
    example_finish(&e);
    return err;
}

enum paced_err tensorboard_end(struct tensorboard *b, struct network *network, struct paced_dataset *val, int classes,
                               int epoch) {
    struct paced_events events = {0};
    if (!b->path) return PACED_OK;
    enum paced_err err = add_pictures(b, &events, network, val, classes, epoch);
    if (!err) {
        paced_events_end(&events, now(b));
        err = append(b, &events);
    }
    paced_events_finish(&events);
    return err;
}
