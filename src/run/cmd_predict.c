/* paced predict CONFIG --weights FILE --output DIR [--logits] IMAGE|DIR...: label maps at each image's own size as PNG
 * (0/255 for two classes, else the class), and the logits as safetensors. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/run/commands.h"
#include "src/run/files.h"
#include "src/run/grader.h"
#include "src/run/network.h"

/* ---- which images -------------------------------------------------------------------------------------------- */

struct list {
    char **paths;
    size_t count;
};

static void list_add(struct list *list, char *path) {
    list->paths = paced_grow(list->paths, list->count + 1, sizeof *list->paths);
    list->paths[list->count++] = path;
}

static bool is_png(const char *name) {
    size_t n = strlen(name);
    return n > 4 && strcasecmp(name + n - 4, ".png") == 0;
}

static enum paced_err list_folder(struct list *list, const char *dir) {
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    if (count < 0) return paced_error(PACED_INVALID, "%s: cannot be listed; check its permissions", dir);
    size_t before = list->count;
    for (int i = 0; i < count; ++i) {
        if (is_png(entries[i]->d_name)) list_add(list, paced_path_join(dir, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    if (list->count > before) return PACED_OK;
    return paced_error(PACED_INVALID, "%s: holds no PNG file; name the images or their folder", dir);
}

/* Two images of one stem would write one result. */
static enum paced_err check_stems(const struct list *list) {
    for (size_t i = 0; i < list->count; ++i) {
        char *stem = paced_path_stem(list->paths[i]);
        for (size_t k = 0; k < i; ++k) {
            char *other = paced_path_stem(list->paths[k]);
            bool same = strcmp(stem, other) == 0;
            free(other);
            if (!same) continue;
            free(stem);
            return paced_error(PACED_INVALID, "%s and %s would both write one file; predict them into two directories",
                               list->paths[k], list->paths[i]);
        }
        free(stem);
    }
    return PACED_OK;
}

static enum paced_err list_images(struct list *list, const struct paced_arguments *arguments) {
    for (size_t i = 1; i < arguments->name_count; ++i) {
        const char *name = arguments->names[i];
        if (paced_path_is_dir(name))
            PACED_TRY(list_folder(list, name));
        else
            list_add(list, paced_strdup(name));
    }
    return check_stems(list);
}

/* ---- one image ----------------------------------------------------------------------------------------------- */

struct predictor {
    int size, classes;
    bool logits;
    const char *output;
    struct paced_device *device;
    struct network network;
    struct grader *grader;
    uint8_t *rgb;  /* [size][size][3] */
    float *values; /* [size][size][3], then [size][size][classes] */
};

static enum paced_err write_logits(const struct predictor *p, const char *stem) {
    size_t pixels = (size_t)p->size * (size_t)p->size, classes = (size_t)p->classes;
    PACED_TRY(paced_buffer_read(paced_exec_output(p->network.exec), p->values, pixels * classes * sizeof(float)));
    float *planes = paced_alloc(pixels * classes, sizeof *planes);
    for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < classes; ++c) planes[c * pixels + i] = p->values[i * classes + c];
    struct paced_weights weights = {0};
    int64_t shape[] = {p->classes, p->size, p->size};
    paced_weights_add(&weights, "logits", PACED_F32, 3, shape, planes);
    char *path = paced_format("%s/%s.safetensors", p->output, stem);
    enum paced_err err = paced_safetensors_write(path, &weights);
    free(path);
    paced_weights_finish(&weights);
    free(planes);
    return err;
}

static enum paced_err write_labels(const struct predictor *p, const char *stem, const struct paced_image *image,
                                   const uint8_t *prediction) {
    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *labels = paced_alloc(count, 1);
    paced_resize_nearest(prediction, p->size, p->size, 1, labels, image->width, image->height);
    if (p->classes == 2)
        for (size_t i = 0; i < count; ++i) labels[i] = labels[i] ? 255 : 0;
    char *path = paced_format("%s/%s.png", p->output, stem);
    enum paced_err err = paced_png_write(path, image->width, image->height, 1, labels);
    free(path);
    free(labels);
    return err;
}

static enum paced_err predict(struct predictor *p, const struct paced_image *image, const char *stem) {
    size_t count = (size_t)p->size * (size_t)p->size * 3;
    paced_resize_nearest(image->rgb, image->width, image->height, 3, p->rgb, p->size, p->size);
    for (size_t i = 0; i < count; ++i) p->values[i] = (float)p->rgb[i] / 255.0f;
    PACED_TRY(paced_buffer_write(paced_exec_input(p->network.exec), p->values, count * sizeof *p->values));
    PACED_TRY(paced_exec_forward(p->network.exec, 1, false));
    PACED_TRY(grader_start(p->grader, paced_exec_output(p->network.exec), 1));
    const uint8_t *prediction;
    PACED_TRY(grader_wait(p->grader, &prediction));
    if (p->logits) PACED_TRY(write_logits(p, stem));
    return write_labels(p, stem, image, prediction);
}

static enum paced_err predict_file(struct predictor *p, const char *path) {
    struct paced_image image = {0};
    PACED_TRY(paced_png_read(path, NULL, &image));
    char *stem = paced_path_stem(path);
    enum paced_err err = predict(p, &image, stem);
    free(stem);
    free(image.rgb);
    return err;
}

/* ---- the command --------------------------------------------------------------------------------------------- */

static enum paced_err open_predictor(struct predictor *p, const struct paced_config *c, const char *weights) {
    size_t pixels = (size_t)p->size * (size_t)p->size, channels = p->classes > 3 ? (size_t)p->classes : 3;
    p->rgb = paced_alloc(pixels * 3, 1);
    p->values = paced_alloc(pixels * channels, sizeof *p->values);
    PACED_TRY(paced_device_open(&p->device, c->device.select, (int)c->device.threads));
    PACED_TRY(network_open(&p->network, c, p->device, 1, PACED_INFERENCE));
    PACED_TRY(network_load(&p->network, weights));
    PACED_TRY(grader_create(&p->grader, p->device, 1, p->size, p->classes));
    return paced_make_dirs(p->output);
}

/* An image that cannot be read is named and passed over; the exit status tells. */
static enum paced_err predict_all(struct predictor *p, const struct list *list) {
    enum paced_err worst = PACED_OK;
    struct paced_progress progress;
    paced_progress_start(&progress, "predict", list->count);
    for (size_t i = 0; i < list->count && !paced_stop_asked(); ++i) {
        enum paced_err err = predict_file(p, list->paths[i]);
        if (err) worst = err;
        if (err && err != PACED_INVALID) break;
        paced_progress_step(&progress, 1, 0);
    }
    paced_progress_end(&progress);
    return paced_stop_asked() ? PACED_STOPPED : worst;
}

enum paced_err paced_command_predict(const struct paced_arguments *arguments) {
    if (!arguments->weights || !arguments->output || arguments->name_count < 2)
        return paced_error(PACED_INVALID, "predict: needs CONFIG, --weights FILE, --output DIR and images; see `paced "
                                          "predict --help`");
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    struct predictor p = {.size = (int)config.data.size,
                          .classes = (int)config.data.classes,
                          .logits = arguments->logits,
                          .output = arguments->output};
    struct list list = {0};
    char *weights = run_weights_path(&config, arguments->weights);
    paced_catch_stop();
    enum paced_err err = list_images(&list, arguments);
    if (!err) err = open_predictor(&p, &config, weights);
    if (!err) err = predict_all(&p, &list);
    free(weights);
    for (size_t i = 0; i < list.count; ++i) free(list.paths[i]);
    free(list.paths);
    grader_destroy(p.grader);
    network_close(&p.network);
    paced_device_close(p.device);
    free(p.values);
    free(p.rgb);
    paced_config_finish(&config);
    return err;
}
