/* Results of an image.
 *
 * Results are up to date, as for make, if they are not older than the files that they depend on. The settings are one
 * of these files: DIR/predict.ini, which is rewritten only if they change. They include a hash of the other files but
 * the images, because a file may be replaced by an older one. */
#include "src/run/predict/prediction.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paced/report.h"
#include "paced/weights.h"

/* ---- options ------------------------------------------------------------------------------------------------- */

static bool is_before(struct timespec a, struct timespec b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

static void add_ending(struct prediction *p, char *ending) {
    p->ending = paced_grow(p->ending, p->results.count + 1, sizeof *p->ending);
    p->ending[p->results.count++] = ending;
    p->results.ending = (const char *const *)p->ending;
}

static const char mark[] = "; written by paced predict, with the weights "; /* start of every record */

/* Text of a record: a valid configuration. */
static char *settings_text(const struct prediction *p, const struct paced_config *config, const char *weights) {
    char *path = paced_path_absolute(weights), *keys = paced_config_text(config);
    char *text = paced_format("%s%s\n; hash of the files: %016" PRIx64 "\n%s", mark, path, p->hash, keys);
    free(keys);
    free(path);
    return text;
}

static enum paced_err read_record(struct prediction *p) {
    char *text;
    PACED_TRY(paced_link_check(p->record));
    if (!paced_path_exists(p->record)) return PACED_OK;
    PACED_TRY(paced_file_read_text(p->record, 0, &text));
    bool ours = strncmp(text, mark, strlen(mark)) == 0;
    p->recorded = strcmp(text, p->settings) == 0;
    free(text);
    if (ours) return PACED_OK;
    return paced_error_at(PACED_INVALID, p->record,
                          "was not written by `paced predict`; rename it, or choose another --output");
}

static void count_time(struct timespec *newest, struct timespec time) {
    if (is_before(*newest, time)) *newest = time;
}

static void count_age(struct prediction *p, const char *path) {
    struct stat info;
    if (stat(path, &info) == 0) count_time(&p->newest, info.st_mtim);
}

/* Adds a file that all results depend on. */
static enum paced_err depend_on(struct prediction *p, const char *path) {
    uint8_t *content;
    size_t size;
    PACED_TRY(paced_file_read(path, 0, &content, &size));
    p->hash = paced_hash(p->hash, content, size);
    free(content);
    count_age(p, path);
    return PACED_OK;
}

static enum paced_err read_colours(struct prediction *p, const struct paced_config *config) {
    struct paced_masks *masks = NULL;
    if (*config->data.labels) {
        PACED_TRY(paced_masks_open(&masks, &config->data));
        PACED_TRY(depend_on(p, config->data.labels));
    }
    class_colours(masks, p->colours);
    if (!masks || !paced_masks_class_colour(masks, 0, &p->colours[0])) p->colours[0] = 0; /* a black background */
    paced_masks_close(masks);
    return PACED_OK;
}

enum paced_err prediction_init(struct prediction *p, const struct paced_config *config, const char *weights,
                               const struct paced_arguments *arguments) {
    *p = (struct prediction){.output = arguments->output,
                             .hash = PACED_HASH_START,
                             .extent = config->data.size,
                             .classes = (int)config->data.classes,
                             .overlay = arguments->overlay,
                             .logits = arguments->logits};
    if (p->logits && config->predict.mode == PACED_PREDICT_WINDOW)
        return paced_error(PACED_INVALID, "predict: --logits are those of a whole image; use --probabilities, or "
                                          "predict.mode = resize");
    if (arguments->probabilities) {
        p->first_class = p->classes == 2; /* of two classes, only the foreground */
        p->class_end = p->classes;
    }
    for (int c = p->first_class; c < p->class_end; ++c) add_ending(p, paced_format("_p%d.png", c));
    if (p->logits) add_ending(p, paced_strdup(".safetensors"));
    if (p->overlay) add_ending(p, paced_strdup("_overlay.png"));
    add_ending(p, paced_strdup(".png"));
    p->results.volumes = true;
    p->record = paced_path_join(p->output, "predict.ini");
    PACED_TRY(depend_on(p, weights));
    if (p->overlay || p->classes > 2) PACED_TRY(read_colours(p, config));
    p->settings = settings_text(p, config, weights);
    return read_record(p);
}

void prediction_finish(struct prediction *p) {
    paced_nifti_abort(p->volume);
    for (size_t i = 0; i < p->results.count; ++i) free(p->ending[i]);
    free(p->ending);
    free(p->record);
    free(p->settings);
    *p = (struct prediction){0};
}

/* ---- existing results ---------------------------------------------------------------------------------------- */

/* Finds the last change of an image, or of the link that leads to it. Replacing a file sets the time of its status,
 * even if the new content is dated earlier. */
static bool find_change(const char *path, struct timespec *change) {
    struct stat link, image;
    if (lstat(path, &link) != 0 || stat(path, &image) != 0) return false;
    *change = link.st_ctim;
    count_time(change, image.st_mtim);
    count_time(change, image.st_ctim);
    return true;
}

static bool is_done(const void *context, const struct item *item) {
    const struct prediction *p = context;
    struct stat result;
    struct timespec change;
    char *file = paced_format("%.*s", (int)paced_image_file_length(item->path), item->path);
    bool done = find_change(item->path, &change) || find_change(file, &change);
    free(file);
    for (size_t i = 0; i < p->results.count && done; ++i) {
        char *name = item_result(p->output, item, p->results, i);
        done = stat(name, &result) == 0 && !is_before(result.st_mtim, change) && !is_before(result.st_mtim, p->newest);
        free(name);
    }
    return done;
}

enum paced_err prediction_check_others(const struct prediction *p, const struct images *images) {
    enum paced_err err = PACED_OK;
    if (paced_path_exists(p->record)) return PACED_OK;
    for (size_t i = 0; !err && i < images->count * p->results.count; ++i) {
        const struct item item = images_item(images, i / p->results.count);
        char *name = item_result(p->output, &item, p->results, i % p->results.count);
        if (paced_path_exists(name))
            err = paced_error_at(PACED_INVALID, name,
                                 "was not written by `paced predict`; choose another --output, or replace such files "
                                 "with --overwrite");
        free(name);
    }
    return err;
}

void prediction_drop_done(struct prediction *p, struct images *images) {
    if (!p->recorded) return;
    count_age(p, p->record);
    images_drop(images, is_done, p);
}

enum paced_err prediction_record(const struct prediction *p) {
    PACED_TRY(paced_make_dirs(p->output));
    return p->recorded ? PACED_OK : paced_file_write(p->record, p->settings, strlen(p->settings));
}

/* ---- image --------------------------------------------------------------------------------------------------- */

/* Destination of the rows of an image. */
struct output {
    const struct prediction *prediction;
    size_t width;
    uint8_t *label;          /* [height][width] */
    struct paced_png **maps; /* [classes]: files of probabilities; NULL: not written */
    uint16_t *row;           /* [width] */
};

static enum paced_err take_row(void *context, int y, const uint8_t *label, const float *probability) {
    struct output *o = context;
    const struct prediction *p = o->prediction;
    memcpy(o->label + (size_t)y * o->width, label, o->width);
    for (int c = p->first_class; c < p->class_end; ++c) {
        const float *value = probability + c;
        for (size_t x = 0; x < o->width; ++x, value += p->classes) o->row[x] = (uint16_t)lrintf(*value * 65535);
        PACED_TRY(paced_png_add_row(o->maps[c], o->row));
    }
    return PACED_OK;
}

static enum paced_err open_maps(struct output *o, const char *path, const struct paced_image *image) {
    const struct prediction *p = o->prediction;
    for (int c = p->first_class; c < p->class_end; ++c) {
        char *name = result_path(p->output, path, p->results.ending[c - p->first_class]);
        enum paced_err err = paced_png_create(&o->maps[c], name, image->width, image->height, 1, 16);
        free(name);
        if (err) return err;
    }
    return PACED_OK;
}

static enum paced_err commit_maps(struct output *o) {
    enum paced_err err = PACED_OK;
    for (int c = o->prediction->first_class; c < o->prediction->class_end && !err; ++c) {
        err = paced_png_commit(o->maps[c]);
        o->maps[c] = NULL;
    }
    return err;
}

static enum paced_err write_logits(const struct prediction *p, const float *logits, const char *path) {
    size_t pixels = paced_extent_pixels(p->extent), classes = (size_t)p->classes;
    float *planes = paced_alloc(pixels * classes, sizeof *planes);
    for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < classes; ++c) planes[c * pixels + i] = logits[i * classes + c];
    struct paced_weights weights = {0};
    paced_weights_add(&weights, "logits", PACED_F32, 3, (int64_t[]){p->classes, p->extent.height, p->extent.width},
                      planes);
    char *name = result_path(p->output, path, ".safetensors");
    enum paced_err err = paced_safetensors_write(name, &weights);
    free(name);
    paced_weights_finish(&weights);
    free(planes);
    return err;
}

#define TINT 0.3          /* fraction of the colour within a region */
#define SIDE_PER_LINE 300 /* pixels of the shorter side per pixel of the outline's width */

static enum paced_err write_overlay(const struct prediction *p, const char *path, const struct paced_image *image,
                                    const uint8_t *label) {
    struct paced_canvas canvas = {image->width, image->height, image->rgb};
    int side = image->width < image->height ? image->width : image->height;
    int line = side < 2 * SIDE_PER_LINE ? 1 : side / SIDE_PER_LINE;
    paced_canvas_tint(&canvas, 0, 0, 1, label, image->width, image->height, p->colours, TINT);
    paced_canvas_outlines(&canvas, 0, 0, 1, label, image->width, image->height, p->colours, line);
    char *name = result_path(p->output, path, "_overlay.png");
    enum paced_err err = paced_canvas_write(&canvas, name);
    free(name);
    return err;
}

/* Adds a slice to its volume. */
static enum paced_err add_slice(struct prediction *p, const struct item *item, const struct paced_image *image,
                                const uint8_t *label) {
    const int slice = image_slice(item->path);
    enum paced_err err = PACED_OK;
    if (slice == 0) {
        char *file = paced_format("%.*s", (int)paced_image_file_length(item->path), item->path);
        char *name = item_result(p->output, item, p->results, p->results.count - 1);
        paced_nifti_abort(p->volume);
        err = paced_nifti_create(&p->volume, name, file);
        free(name);
        free(file);
    }
    if (!err) err = paced_nifti_add_slice(p->volume, image->width, image->height, label);
    if (err || slice + 1 < item->slices) return err;
    struct paced_nifti *volume = p->volume;
    p->volume = NULL;
    return paced_nifti_commit(volume);
}

static enum paced_err write_mask(struct prediction *p, const struct item *item, const struct paced_image *image,
                                 uint8_t *label) {
    if (item->slices) return add_slice(p, item, image, label);
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < count && p->classes == 2; ++i) label[i] = label[i] ? 255 : 0;
    char *name = result_path(p->output, item->path, ".png");
    enum paced_err err =
        p->classes == 2 ? paced_png_write(name, image->width, image->height, 1, label)
                        : paced_png_write_indexed(name, image->width, image->height, label, p->colours, p->classes);
    free(name);
    return err;
}

enum paced_err prediction_make(struct prediction *p, struct segmenter *segmenter, const struct item *item,
                               const struct paced_image *image) {
    const char *path = item->path;
    size_t width = (size_t)image->width;
    struct output o = {.prediction = p,
                       .width = width,
                       .label = paced_alloc((size_t)image->height * width, 1),
                       .maps = paced_alloc((size_t)p->classes, sizeof *o.maps),
                       .row = paced_alloc(width, sizeof *o.row)};
    const struct segment_rows rows = {.probabilities = p->class_end > 0, .take = take_row, .context = &o};
    enum paced_err err = open_maps(&o, path, image);
    if (!err) err = segmenter_run(segmenter, image->rgb, image->width, image->height, &rows);
    if (!err) err = commit_maps(&o);
    if (!err && p->logits) err = write_logits(p, segmenter_logits(segmenter), path);
    if (!err && p->overlay) err = write_overlay(p, path, image, o.label);
    if (!err) err = write_mask(p, item, image, o.label);
    for (int c = 0; c < p->classes; ++c) paced_png_abort(o.maps[c]);
    free(o.row);
    free(o.maps);
    free(o.label);
    return err;
}
