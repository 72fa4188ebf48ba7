/* corruptions: the table of corruptions, and the parser of lists. A new corruption needs a function and a row. */
#include "src/perturb/corruptions.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    paced_corruptor *corrupt;
    bool geometric;
} corruptions[] = {
    {"gaussian_noise", paced_gaussian_noise, false},
    {"shot_noise", paced_shot_noise, false},
    {"impulse_noise", paced_impulse_noise, false},
    {"speckle_noise", paced_speckle_noise, false},
    {"gaussian_blur", paced_gaussian_blur, false},
    {"defocus_blur", paced_defocus_blur, false},
    {"motion_blur", paced_motion_blur, false},
    {"zoom_blur", paced_zoom_blur, false},
    {"brightness", paced_brightness, false},
    {"contrast", paced_contrast, false},
    {"saturate", paced_saturate, false},
    {"jpeg_compression", paced_jpeg_compression, false},
    {"pixelate", paced_pixelate, false},
    {"fog", paced_fog, false},
    {"elastic", paced_elastic, false},
    {"spatter", paced_spatter, false},
    {"rotate", paced_rotate, true},
    {"translate", paced_translate, true},
    {"scale", paced_scale, true},
    {"hflip", paced_hflip, true},
};

size_t paced_corruption_count(void) {
    return PACED_COUNT(corruptions);
}

const char *paced_corruption_name(size_t corruption) {
    return corruptions[corruption].name;
}

bool paced_corruption_is_geometric(size_t corruption) {
    return corruptions[corruption].geometric;
}

bool paced_corruption_find(const char *name, size_t *corruption) {
    for (size_t i = 0; i < PACED_COUNT(corruptions); ++i) {
        *corruption = i;
        if (strcmp(name, corruptions[i].name) == 0) return true;
    }
    return false;
}

enum paced_err paced_corrupt(size_t corruption, int severity, struct paced_rng *rng, struct paced_sample *sample) {
    PACED_TRY(corruptions[corruption].corrupt(severity - 1, rng, sample));
    paced_clamp(sample->rgb, 3 * paced_sample_pixels(sample));
    return PACED_OK;
}

/* ---- lists --------------------------------------------------------------------------------------------------- */

static enum paced_err refuse_name(const char *where, const char *name) {
    const char *words[PACED_COUNT(corruptions) + 2] = {"all", "geometric"};
    for (size_t i = 0; i < PACED_COUNT(corruptions); ++i) words[i + 2] = corruptions[i].name;
    const char *nearest = paced_nearest(name, words, PACED_COUNT(words));
    if (nearest)
        return paced_error(PACED_INVALID, "%s: '%s' is not a corruption; did you mean %s?", where, name, nearest);
    return paced_error(PACED_INVALID, "%s: '%s' is not a corruption; write all, geometric or a list of names", where,
                       name);
}

static enum paced_err choose_corruption(const char *where, const char *word, bool *chosen) {
    bool geometric = strcmp(word, "geometric") == 0, group = geometric || strcmp(word, "all") == 0, found = group;
    for (size_t i = 0; i < PACED_COUNT(corruptions); ++i) {
        if (group ? corruptions[i].geometric != geometric : strcmp(word, corruptions[i].name) != 0) continue;
        chosen[i] = found = true;
    }
    return found ? PACED_OK : refuse_name(where, word);
}

static enum paced_err choose_severity(const char *where, const char *word, bool *chosen) {
    int64_t severity;
    if (!paced_parse_int(word, &severity) || severity < 1 || severity > PACED_SEVERITIES)
        return paced_error(PACED_INVALID, "%s: '%s' is not a severity; write a list of 1 to %d", where, word,
                           PACED_SEVERITIES);
    chosen[severity] = true;
    return PACED_OK;
}

/* Passes each item of a list that must not be empty to `choose`. */
static enum paced_err read_list(const char *where, const char *list, bool *chosen,
                                enum paced_err (*choose)(const char *where, const char *word, bool *chosen)) {
    if (!*list) return paced_error(PACED_INVALID, "%s: the list is empty; name at least one", where);
    PACED_TRY(paced_list_check(where, list));
    enum paced_err err = PACED_OK;
    for (char *word; !err && (word = paced_list_next(&list)); free(word)) err = choose(where, word, chosen);
    return err;
}

enum paced_err paced_corruptions_read(const char *where, const char *list, bool *chosen) {
    return read_list(where, list, chosen, choose_corruption);
}

enum paced_err paced_severities_read(const char *where, const char *list, bool chosen[PACED_SEVERITIES + 1]) {
    return read_list(where, list, chosen, choose_severity);
}

enum paced_err paced_corruptions_check(const char *where, const char *list) {
    bool chosen[PACED_COUNT(corruptions)];
    return paced_corruptions_read(where, list, chosen);
}

enum paced_err paced_severities_check(const char *where, const char *list) {
    bool chosen[PACED_SEVERITIES + 1];
    return paced_severities_read(where, list, chosen);
}
