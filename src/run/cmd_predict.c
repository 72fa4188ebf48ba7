/* paced predict CONFIG --weights FILE --output DIR [--logits] IMAGE|DIR...: label maps at each image's own size as PNG
 * (0/255 for two classes, else the class), and the logits as safetensors. */
#include <stdlib.h>

#include "src/run/commands.h"
#include "src/run/files.h"
#include "src/run/grader.h"
#include "src/run/images.h"
#include "src/run/predictor.h"

struct prediction {
    bool logits;
    const char *output;
    struct predictor predictor;
    struct grader *grader;
};

static enum paced_err write_logits(struct prediction *p, const char *stem) {
    PACED_TRY(predictor_read(&p->predictor));
    int size = p->predictor.size;
    size_t pixels = (size_t)size * (size_t)size, classes = (size_t)p->predictor.classes;
    float *planes = paced_alloc(pixels * classes, sizeof *planes);
    for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < classes; ++c) planes[c * pixels + i] = p->predictor.values[i * classes + c];
    struct paced_weights weights = {0};
    paced_weights_add(&weights, "logits", PACED_F32, 3, (int64_t[]){p->predictor.classes, size, size}, planes);
    char *path = paced_format("%s/%s.safetensors", p->output, stem);
    enum paced_err err = paced_safetensors_write(path, &weights);
    free(path);
    paced_weights_finish(&weights);
    free(planes);
    return err;
}

static enum paced_err write_labels(const struct prediction *p, const char *stem, const struct paced_image *image,
                                   const uint8_t *prediction) {
    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *labels = paced_alloc(count, 1);
    paced_resize_nearest(prediction, p->predictor.size, p->predictor.size, 1, labels, image->width, image->height);
    if (p->predictor.classes == 2)
        for (size_t i = 0; i < count; ++i) labels[i] = labels[i] ? 255 : 0;
    char *path = paced_format("%s/%s.png", p->output, stem);
    enum paced_err err = paced_png_write(path, image->width, image->height, 1, labels);
    free(path);
    free(labels);
    return err;
}

static enum paced_err predict(void *context, const char *path, const struct paced_image *image) {
    struct prediction *p = context;
    const uint8_t *labels;
    PACED_TRY(predictor_run(&p->predictor, image));
    PACED_TRY(grader_start(p->grader, paced_exec_output(p->predictor.network.exec), 1));
    PACED_TRY(grader_wait(p->grader, &labels));
    char *stem = paced_path_stem(path);
    enum paced_err err = p->logits ? write_logits(p, stem) : PACED_OK;
    if (!err) err = write_labels(p, stem, image, labels);
    free(stem);
    return err;
}

static enum paced_err open_prediction(struct prediction *p, const struct paced_config *config, const char *weights) {
    PACED_TRY(predictor_open(&p->predictor, config, weights));
    PACED_TRY(grader_create(&p->grader, p->predictor.device, 1, p->predictor.size, p->predictor.classes));
    return paced_make_dirs(p->output);
}

enum paced_err paced_command_predict(const struct paced_arguments *arguments) {
    if (!arguments->weights || !arguments->output || arguments->name_count < 2)
        return paced_error(PACED_INVALID, "predict: needs CONFIG, --weights FILE, --output DIR and images; see `paced "
                                          "predict --help`");
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    struct prediction p = {.logits = arguments->logits, .output = arguments->output};
    struct images images = {0};
    char *weights = run_weights_path(&config, arguments->weights);
    paced_catch_stop();
    enum paced_err err = images_list(&images, arguments, IMAGES_ALL);
    if (!err) err = open_prediction(&p, &config, weights);
    if (!err) err = images_visit(&images, "predict", predict, &p);
    free(weights);
    images_finish(&images);
    grader_destroy(p.grader);
    predictor_close(&p.predictor);
    paced_config_finish(&config);
    return err;
}
