/* Functions of paced.h: `paced predict` for other programs. They use the same modules as main.c, and are the only
 * symbols that the shared library exports. */
#define _GNU_SOURCE /* uselocale */
#include "paced.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "paced/config.h"
#include "paced/weights.h"
#include "paced_build.h"
#include "src/run/predict/segment.h"

enum { LONGEST_SIDE = 65535 };

struct paced_segmenter {
    struct segmenter *segmenter;
    int classes;
};

/* ---- errors -------------------------------------------------------------------------------------------------- */

static _Thread_local char *last_error;
static _Thread_local struct paced_failures failures; /* of the call in progress */

/* Configurations are read in the C locale. In the host program's locale the decimal point may be a comma. */
static _Thread_local locale_t host_locale, plain_locale;

/* Between enter and leave nothing is printed to stderr. */
static void enter(void) {
    paced_log_set_level(PACED_LOG_ERROR);
    paced_errors_collect(&failures);
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    host_locale = uselocale(plain_locale);
}

static enum paced_err leave(enum paced_err err) {
    uselocale(host_locale);
    if (plain_locale) freelocale(plain_locale);
    paced_errors_collect(NULL);
    struct paced_text text = {0};
    for (size_t i = 0; err && i < failures.count; ++i) { /* without err: of optional parts, such as a tuning file */
        const struct paced_failure *f = &failures.items[i];
        paced_text_add(&text, "%s%s%s%s", i ? "\n" : "", f->place ? f->place : "", f->place ? ": " : "", f->text);
    }
    paced_failures_finish(&failures);
    free(last_error);
    last_error = text.data;
    return err;
}

const char *paced_last_error(void) {
    return last_error ? last_error : "";
}

/* ---- open ---------------------------------------------------------------------------------------------------- */

struct settings {
    char **texts;
    size_t count;
};

static void add_setting(struct settings *settings, char *text) {
    settings->texts = paced_grow(settings->texts, settings->count + 1, sizeof *settings->texts);
    settings->texts[settings->count++] = text;
}

/* Adds settings from the metadata of the weights. */
static enum paced_err add_metadata(struct settings *settings, const char *path) {
    static const struct {
        const char *key, *setting;
    } known[] = {{"arch", "model.arch"}, {"width", "model.width"}, {"classes", "data.classes"}, {"size", "data.size"}};
    struct paced_weights weights = {0};
    PACED_TRY(paced_weights_read(path, &weights));
    for (size_t i = 0; i < PACED_COUNT(known); ++i) {
        const char *value = paced_weights_metadata(&weights, known[i].key);
        if (value) add_setting(settings, paced_format("%s=%s", known[i].setting, value));
    }
    paced_weights_finish(&weights);
    return PACED_OK;
}

static enum paced_err open_configured(struct paced_segmenter **out, const char *weights,
                                      const struct paced_config *config) {
    struct segmenter *segmenter;
    PACED_TRY(segmenter_open(&segmenter, config, weights));
    *out = paced_alloc(1, sizeof **out);
    **out = (struct paced_segmenter){segmenter, (int)config->data.classes};
    return PACED_OK;
}

static enum paced_err open_weights(struct paced_segmenter **out, const char *weights, const char *const *given) {
    if (!weights) return paced_error(PACED_INVALID, "weights is NULL; name a file of weights");
    struct settings settings = {0};
    struct paced_config config = {0};
    enum paced_err err = add_metadata(&settings, weights);
    for (; !err && given && *given; ++given) add_setting(&settings, paced_strdup(*given));
    if (!err) err = paced_config_load(&config, NULL, (const char *const *)settings.texts, settings.count);
    if (!err) err = open_configured(out, weights, &config);
    paced_config_finish(&config);
    for (size_t i = 0; i < settings.count; ++i) free(settings.texts[i]);
    free(settings.texts);
    return err;
}

enum paced_err paced_segmenter_open(struct paced_segmenter **out, const char *weights, const char *const *settings) {
    *out = NULL;
    enter();
    return leave(open_weights(out, weights, settings));
}

void paced_segmenter_close(struct paced_segmenter *s) {
    if (!s) return;
    segmenter_close(s->segmenter);
    free(s);
}

/* ---- use ----------------------------------------------------------------------------------------------------- */

int paced_segmenter_classes(const struct paced_segmenter *s) {
    return s ? s->classes : 0;
}

static enum paced_err run_image(struct paced_segmenter *s, const uint8_t *rgb, int width, int height, uint8_t *labels,
                                float *probabilities) {
    if (!s || !rgb || !labels)
        return paced_error(PACED_INVALID, "%s is NULL; only probabilities may be",
                           !s     ? "segmenter"
                           : !rgb ? "rgb"
                                  : "labels");
    if (width < 1 || height < 1 || width > LONGEST_SIDE || height > LONGEST_SIDE)
        return paced_error(PACED_INVALID, "an image of %d x %d: sides must be 1 to %d", width, height, LONGEST_SIDE);
    return segmenter_fill(s->segmenter, rgb, width, height, labels, probabilities);
}

enum paced_err paced_segmenter_run(struct paced_segmenter *s, const uint8_t *rgb, int width, int height,
                                   uint8_t *labels, float *probabilities) {
    enter();
    return leave(run_image(s, rgb, width, height, labels, probabilities));
}

const char *paced_version(void) {
    return PACED_VERSION;
}
