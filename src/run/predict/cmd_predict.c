/* paced predict CONFIG --weights FILE --output DIR IMAGE|DIR...: masks at the size of each image. */
#include <stdlib.h>

#include "src/run/commands.h"
#include "src/run/files.h"
#include "src/run/lock.h"
#include "src/run/predict/prediction.h"

struct run {
    struct prediction prediction;
    struct segmenter *segmenter;
    struct images images;
    size_t done, before, unread; /* images predicted by this run, by earlier ones, and unreadable ones */
};

static enum paced_err predict(void *context, const char *path, const struct paced_image *image) {
    struct run *r = context;
    PACED_TRY(prediction_make(&r->prediction, r->segmenter, &r->images.visited, image));
    ++r->done;
    return PACED_OK;
}

static void summarise(const struct run *r) {
    struct paced_text text = {0};
    size_t left = r->images.count - r->done;
    paced_text_add(&text, "%s: images predicted: %zu", r->prediction.output, r->done);
    if (r->before) paced_text_add(&text, ", done before: %zu", r->before);
    if (r->unread) paced_text_add(&text, ", unreadable: %zu", r->unread);
    if (left) paced_text_add(&text, ", left: %zu", left);
    if (r->images.masks) paced_text_add(&text, "; masks skipped: %zu", r->images.masks);
    paced_log(PACED_LOG_INFO, "%s", text.data);
    free(text.data);
}

static enum paced_err run(struct run *r, const struct paced_config *config, const char *weights,
                          const struct paced_arguments *arguments) {
    PACED_TRY(prediction_init(&r->prediction, config, weights, arguments));
    PACED_TRY(images_list(&r->images, arguments, weights, r->prediction.results));
    PACED_TRY(images_set_range(&r->images, config, weights));
    size_t named = r->images.count;
    if (!arguments->overwrite) PACED_TRY(prediction_check_others(&r->prediction, &r->images));
    if (!arguments->overwrite) prediction_drop_done(&r->prediction, &r->images);
    size_t wanted = r->images.count;
    r->before = named - wanted;
    enum paced_err err = PACED_OK;
    if (wanted > 0) {
        PACED_TRY(segmenter_open(&r->segmenter, config, weights));
        PACED_TRY(prediction_record(&r->prediction));
        err = images_visit(&r->images, "predict", predict, r);
    }
    r->unread = wanted - r->images.count;
    summarise(r);
    return err;
}

enum paced_err paced_command_predict(const struct paced_arguments *arguments) {
    if (!arguments->weights || !arguments->output || arguments->name_count < 2)
        return paced_error(PACED_INVALID, "predict: needs CONFIG, --weights FILE, --output DIR and images; see `paced "
                                          "predict --help`");
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    char *weights = run_weights_path(&config, arguments->weights);
    struct run r = {0};
    struct dir_lock *lock;
    paced_catch_stop();
    enum paced_err err = dir_lock_take(&lock, arguments->output);
    if (!err) err = run(&r, &config, weights, arguments);
    segmenter_close(r.segmenter);
    images_finish(&r.images);
    prediction_finish(&r.prediction);
    dir_lock_release(lock);
    free(weights);
    paced_config_finish(&config);
    return err;
}
