/* paced uncertainty CONFIG --weights FILE --output DIR IMAGE|DIR...: pictures of the quantities that weight a pixel in
 * distillation: the teacher's uncertainty u_p, the mask's u_b, their fusion u, and the weight in the first epoch.
 *
 * The numbers come from the loss itself (paced_loss_measure), with two objectives: one that always fuses, for the maps,
 * and the configured one, for the weights (pcd if it has no weights). Without a mask the predicted class replaces the
 * label, so that u_p = 1 - max_c f_c and u = u_p. The mask of an image is "<stem>_mask.png" (or another format) in the
 * same folder. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "src/run/commands.h"
#include "src/run/example.h"
#include "src/run/files.h"
#include "src/run/lock.h"
#include "src/run/predict/images.h"
#include "src/run/predict/sheet.h"
#include "src/run/teacher.h"

/* Losses for images with a mask, or for images without. */
struct view {
    struct paced_objective objective; /* of `weights` */
    struct paced_loss *maps, *weights;
    const char *fusion;
};

struct look {
    struct paced_config *config;
    const char *output;
    struct paced_device *device;
    struct network network; /* teacher, for batches of one */
    struct example example; /* current image */
    struct view masked, bare;
    struct paced_histogram *histogram; /* NULL: mu depends on no quantile */
    double mu;
    float *u_p, *u_b, *u, *weight; /* [height][width] */
    struct paced_masks *masks;
    uint64_t unmapped;   /* mask pixels that belong to no class */
    size_t without_mask; /* images without a mask so far */
};

static size_t pixels_of(const struct look *k) {
    return paced_extent_pixels(k->example.extent);
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* Configured tau, or the one that fits the validation set. */
static enum paced_err find_tau(struct look *k, float *tau) {
    const struct paced_config *c = k->config;
    if (!isnan(c->uncertainty.temperature)) {
        *tau = (float)c->uncertainty.temperature;
        return PACED_OK;
    }
    struct paced_dataset *val;
    struct logits logits = {0};
    struct paced_data_options data = c->data;
    data.range = network_range(c, c->distill.teacher);
    enum paced_err err = paced_dataset_open(&val, &data, PACED_VAL);
    free(data.range);
    if (err) return err;
    err =
        logits_collect(&logits, &k->network, val, 1, (int)c->data.workers, k->example.classes, NULL, true, "calibrate");
    double fitted = 0;
    if (!err)
        err = paced_temperature_fit(logits.values, logits.labels, logits.images * logits.pixels_per_image,
                                    logits.classes, &fitted);
    *tau = (float)fitted;
    logits_finish(&logits);
    paced_dataset_close(val);
    return err;
}

static enum paced_err open_view(struct look *k, struct view *view) {
    struct paced_extent extent = k->example.extent;
    int classes = k->example.classes;
    struct paced_objective maps = view->objective;
    maps.weighting = PACED_WEIGHT_FUSED;
    maps.hard_first = false;
    PACED_TRY(paced_loss_create(&view->maps, k->device, &maps, true, 1, extent, classes));
    return paced_loss_create(&view->weights, k->device, &view->objective, true, 1, extent, classes);
}

static enum paced_err open_views(struct look *k) {
    struct paced_config *c = k->config;
    struct paced_objective o;
    PACED_TRY(paced_objective_init(&o, &c->distill, &c->uncertainty, &c->pacing));
    if (o.weighting == PACED_WEIGHT_NONE) {
        c->distill.method = PACED_METHOD_PCD;
        c->distill.loss = 0;
        PACED_TRY(paced_objective_init(&o, &c->distill, &c->uncertainty, &c->pacing));
    }
    PACED_TRY(find_tau(k, &o.tau));
    k->masked = (struct view){.objective = o, .fusion = paced_fuse_name(o.fuse)};
    o.boundary = PACED_BOUNDARY_NONE;
    o.fuse = PACED_FUSE_PREDICTION;
    k->bare = (struct view){.objective = o, .fusion = paced_fuse_name(o.fuse)};
    PACED_TRY(open_view(k, &k->masked));
    return open_view(k, &k->bare);
}

static enum paced_err set_pace(struct look *k) {
    double sigma = paced_pacing_sigma(&k->config->uncertainty, 0);
    struct paced_loss *losses[] = {k->masked.maps, k->masked.weights, k->bare.maps, k->bare.weights};
    for (size_t i = 0; i < PACED_COUNT(losses); ++i) PACED_TRY(paced_loss_set_epoch(losses[i], k->mu, sigma));
    return PACED_OK;
}

static enum paced_err open_look(struct look *k, const char *weights) {
    struct paced_config own = teacher_config(k->config);
    PACED_TRY(paced_masks_open(&k->masks, &k->config->data));
    k->example = example_create(own.data.size, (int)own.data.classes);
    PACED_TRY(open_device(&k->device, &own));
    PACED_TRY(network_open(&k->network, &own, k->device, 1, PACED_INFERENCE));
    PACED_TRY(network_load(&k->network, weights));
    PACED_TRY(open_views(k));
    float **maps[] = {&k->u_p, &k->u_b, &k->u, &k->weight};
    for (size_t i = 0; i < PACED_COUNT(maps); ++i) *maps[i] = paced_alloc(pixels_of(k), sizeof(float));
    k->mu = 1;
    return set_pace(k);
}

static void close_look(struct look *k) {
    struct view *views[] = {&k->masked, &k->bare};
    for (size_t i = 0; i < PACED_COUNT(views); ++i) {
        paced_loss_destroy(views[i]->maps);
        paced_loss_destroy(views[i]->weights);
    }
    network_close(&k->network);
    paced_device_close(k->device);
    example_finish(&k->example);
    paced_masks_close(k->masks);
    paced_histogram_destroy(k->histogram);
    void *memory[] = {k->u_p, k->u_b, k->u, k->weight};
    for (size_t i = 0; i < PACED_COUNT(memory); ++i) free(memory[i]);
}

/* ---- one image ----------------------------------------------------------------------------------------------- */

static enum paced_err read_mask(struct look *k, const char *mask_path, const char *path,
                                const struct paced_image *image) {
    struct paced_mask mask;
    struct paced_extent extent = k->example.extent;
    PACED_TRY(paced_masks_read(k->masks, mask_path, path, &mask));
    enum paced_err err = PACED_OK;
    if (mask.width != image->width || mask.height != image->height)
        err = paced_error_at(PACED_INVALID, path, "is %d x %d but its mask %s is %d x %d; they must have the same size",
                             image->width, image->height, mask_path, mask.width, mask.height);
    else
        paced_fit_nearest(k->config->data.fit, mask.label, (struct paced_extent){mask.height, mask.width}, 1,
                          PACED_IGNORED, k->example.label, extent);
    k->unmapped += mask.unmapped;
    free(mask.label);
    return err;
}

/* Loads an image, and puts its label and the teacher's logits into both losses of the view that fits it. */
static enum paced_err take_image(struct look *k, const char *path, const struct paced_image *image,
                                 struct view **view) {
    struct example *e = &k->example;
    paced_fit_nearest(k->config->data.fit, image->rgb, (struct paced_extent){image->height, image->width}, 3, 0, e->rgb,
                      e->extent);
    PACED_TRY(example_run(e, &k->network));
    bool exists;
    char *mask = image_mask(path, &exists);
    *view = exists ? &k->masked : &k->bare;
    enum paced_err err = *view == &k->masked ? read_mask(k, mask, path, image) : PACED_OK;
    if (*view == &k->bare) {
        memcpy(e->label, e->prediction, pixels_of(k));
        if (k->without_mask++ == 0)
            paced_log(PACED_LOG_WARN,
                      "%s: is missing; for all images without a mask, u_p uses the predicted class and u_b is omitted",
                      mask);
    }
    free(mask);
    if (err) return err;
    struct paced_loss *losses[] = {(*view)->maps, (*view)->weights};
    uint64_t bytes = pixels_of(k) * (uint64_t)e->classes * sizeof(float);
    for (size_t i = 0; i < PACED_COUNT(losses); ++i) {
        PACED_TRY(paced_loss_write_labels(losses[i], e->label, 1));
        PACED_TRY(paced_buffer_copy(paced_loss_teacher(losses[i]), paced_exec_output(k->network.exec), bytes));
    }
    return PACED_OK;
}

static enum paced_err measure(struct look *k, struct paced_loss *loss, int fuse, float *values) {
    PACED_TRY(paced_loss_measure(loss, 1, fuse));
    return paced_buffer_read(paced_loss_uncertainty(loss), values, pixels_of(k) * sizeof *values);
}

/* First visit: collects the uncertainties whose quantile is mu. */
static enum paced_err collect(void *context, const char *path, const struct paced_image *image) {
    struct look *k = context;
    struct view *view;
    PACED_TRY(take_image(k, path, image, &view));
    PACED_TRY(measure(k, view->weights, -1, k->u));
    return paced_histogram_add(k->histogram, k->u, k->example.label, pixels_of(k));
}

/* ---- pictures ------------------------------------------------------------------------------------------------ */

static enum paced_err write_map(const struct look *k, const char *stem, const char *name, const float *values) {
    uint8_t *grey = paced_alloc(pixels_of(k), 1);
    for (size_t i = 0; i < pixels_of(k); ++i) grey[i] = (uint8_t)lround(255 * fmin(fmax((double)values[i], 0), 1));
    char *path = paced_format("%s/%s_%s.png", k->output, stem, name);
    enum paced_err err = paced_png_write(path, k->example.extent.width, k->example.extent.height, 1, grey);
    free(path);
    free(grey);
    return err;
}

static enum paced_err write_sheet(const struct look *k, const char *stem, const struct paced_image *image,
                                  const struct view *view) {
    bool masked = view == &k->masked;
    size_t admitted = 0, counted = paced_counted(k->example.label, pixels_of(k));
    for (size_t i = 0; i < pixels_of(k); ++i) admitted += k->weight[i] >= 1;
    char settings[160];
    snprintf(settings, sizeof settings, "%s, tau %.4g, mu %.4g in the first epoch admits %.1f%% of the pixels",
             view->objective.name, (double)view->objective.tau, k->mu,
             counted ? 100 * (double)admitted / (double)counted : 0);
    struct sheet sheet = {.title = stem,
                          .settings = settings,
                          .fusion = view->fusion,
                          .extent = k->example.extent,
                          .classes = k->example.classes,
                          .width = image->width,
                          .height = image->height,
                          .rgb = k->example.rgb,
                          .label = masked ? k->example.label : NULL,
                          .u_p = k->u_p,
                          .u_b = masked ? k->u_b : NULL,
                          .u = k->u,
                          .weight = k->weight};
    char *path = paced_format("%s/%s.png", k->output, stem);
    enum paced_err err = sheet_write(&sheet, path);
    free(path);
    return err;
}

static enum paced_err draw(void *context, const char *path, const struct paced_image *image) {
    struct look *k = context;
    struct view *view;
    PACED_TRY(take_image(k, path, image, &view));
    PACED_TRY(measure(k, view->maps, PACED_FUSE_PREDICTION, k->u_p));
    PACED_TRY(measure(k, view->maps, PACED_FUSE_BOUNDARY, k->u_b));
    PACED_TRY(measure(k, view->maps, -1, k->u));
    PACED_TRY(paced_loss_measure(view->weights, 1, -1));
    PACED_TRY(paced_loss_read_weights(view->weights, 1, k->weight));
    char *stem = image_stem(path);
    enum paced_err err = write_map(k, stem, "u_p", k->u_p);
    if (!err && view == &k->masked) err = write_map(k, stem, "u_b", k->u_b);
    if (!err) err = write_map(k, stem, "u", k->u);
    if (!err) err = write_map(k, stem, "weight", k->weight);
    if (!err) err = write_sheet(k, stem, image, view);
    free(stem);
    return err;
}

/* ---- the command --------------------------------------------------------------------------------------------- */

static enum paced_err look_at(struct look *k, struct images *images) {
    enum paced_err unread = PACED_OK;
    if (paced_pacing_needs_histogram(&k->config->pacing, &k->masked.objective)) {
        k->histogram = paced_histogram_create();
        unread = images_visit(images, "measure", collect, k);
        if (unread && unread != PACED_INVALID) return unread;
    }
    k->mu = paced_pacing_mu(&k->config->pacing, &k->masked.objective, 0, k->config->train.epochs, k->histogram);
    PACED_TRY(set_pace(k));
    k->unmapped = 0;
    enum paced_err err = images_visit(images, "uncertainty", draw, k);
    if (k->unmapped) {
        char *what = paced_masks_unmapped_text(k->masks, k->unmapped);
        paced_log(PACED_LOG_WARN, "%s", what);
        free(what);
    }
    return err ? err : unread;
}

enum paced_err paced_command_uncertainty(const struct paced_arguments *arguments) {
    if (!arguments->weights || !arguments->output || arguments->name_count < 2)
        return paced_error(PACED_INVALID, "uncertainty: needs CONFIG, --weights FILE, --output DIR and images; see "
                                          "`paced uncertainty --help`");
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    char *weights = run_weights_path(&config, arguments->weights);
    free(config.distill.teacher); /* --weights replaces the configured teacher */
    config.distill.teacher = paced_strdup(weights);
    struct look look = {.config = &config, .output = arguments->output};
    struct images images = {0};
    static const char *const endings[] = {".png", "_u_p.png", "_u_b.png", "_u.png", "_weight.png"};
    paced_catch_stop();
    struct dir_lock *lock;
    enum paced_err err = dir_lock_take(&lock, look.output);
    if (!err) err = images_list(&images, arguments, weights, (struct result_endings){endings, PACED_COUNT(endings)});
    if (!err) err = images_set_range(&images, &config, weights);
    if (!err) err = open_look(&look, weights);
    if (!err) dir_lock_keep(lock);
    if (!err) err = look_at(&look, &images);
    close_look(&look);
    images_finish(&images);
    dir_lock_release(lock);
    free(weights);
    paced_config_finish(&config);
    return err;
}
