/* corruptions: the table of corruptions, and the parser of lists. A new corruption needs a
 * function and a row. */
#include "src/perturb/corruptions.h"

#include "src/perturb/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- moves of pixels ----------------------------------------------------------------------------------------- */

/* Different positions of the probe, which ImageNet-C has none of. The constants are this project's; the middle ones are
 * common in training (15 degrees, a tenth of the side, a fifth of the size). Pixels from outside the image are black
 * and background; elastic, which is ImageNet-C's, mirrors the image. */
typedef void mover(struct warp *warp, int severity, struct paced_rng *rng, struct paced_extent extent);

static bool coin(struct paced_rng *rng) {
    return paced_rng_uniform(rng) < 0.5;
}

/* Rotates in a random direction. */
static void rotate(struct warp *warp, int severity, struct paced_rng *rng, struct paced_extent extent) {
    static const double degrees[PACED_SEVERITIES] = {5, 10, 15, 20, 30};
    warp_rotate(warp, coin(rng) ? degrees[severity] : -degrees[severity]);
}

/* Translates by a fraction of the sides in a random direction. */
static void translate(struct warp *warp, int severity, struct paced_rng *rng, struct paced_extent extent) {
    static const double fraction[PACED_SEVERITIES] = {.03, .06, .1, .15, .2};
    double angle = 2 * M_PI * paced_rng_uniform(rng), length = fraction[severity];
    warp_shift(warp, length * extent.width * cos(angle), length * extent.height * sin(angle));
}

/* Enlarges or reduces by the factor. */
static void scale(struct warp *warp, int severity, struct paced_rng *rng, struct paced_extent extent) {
    static const double factor[PACED_SEVERITIES] = {1.05, 1.1, 1.2, 1.35, 1.5};
    warp_scale(warp, coin(rng) ? factor[severity] : 1 / factor[severity]);
}

/* Flips horizontally, at every severity. */
static void hflip(struct warp *warp, int severity, struct paced_rng *rng, struct paced_extent extent) {
    warp_flip(warp, true, false);
}

static void elastic(struct warp *warp, int severity, struct paced_rng *rng, struct paced_extent extent) {
    static const double alpha[PACED_SEVERITIES] = {12.5, 16.25, 21.25, 25, 30};
    warp_elastic(warp, alpha[severity], rng, extent);
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    corruptor *corrupt;
    mover *move; /* instead of `corrupt` */
    bool geometric;
} corruptions[] = {
    {"gaussian_noise", .corrupt = corrupt_gaussian_noise},
    {"shot_noise", .corrupt = corrupt_shot_noise},
    {"impulse_noise", .corrupt = corrupt_impulse_noise},
    {"speckle_noise", .corrupt = corrupt_speckle_noise},
    {"gaussian_blur", .corrupt = corrupt_gaussian_blur},
    {"defocus_blur", .corrupt = corrupt_defocus_blur},
    {"motion_blur", .corrupt = corrupt_motion_blur},
    {"zoom_blur", .corrupt = corrupt_zoom_blur},
    {"brightness", .corrupt = corrupt_brightness},
    {"contrast", .corrupt = corrupt_contrast},
    {"saturate", .corrupt = corrupt_saturate},
    {"jpeg_compression", .corrupt = corrupt_jpeg_compression},
    {"pixelate", .corrupt = corrupt_pixelate},
    {"fog", .corrupt = corrupt_fog},
    {"elastic", .move = elastic},
    {"spatter", .corrupt = corrupt_spatter},
    {"rotate", .move = rotate, .geometric = true},
    {"translate", .move = translate, .geometric = true},
    {"scale", .move = scale, .geometric = true},
    {"hflip", .move = hflip, .geometric = true},
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
    if (corruptions[corruption].move) {
        struct warp warp;
        warp_init(&warp);
        corruptions[corruption].move(&warp, severity - 1, rng, sample->extent);
        warp_apply(&warp, corruptions[corruption].geometric ? BORDER_BLACK : BORDER_DOUBLED, sample);
        warp_finish(&warp);
    } else {
        PACED_TRY(corruptions[corruption].corrupt(severity - 1, rng, sample));
    }
    clamp_values(sample->rgb, 3 * sample_pixels(sample));
    return PACED_OK;
}

/* ---- lists --------------------------------------------------------------------------------------------------- */

static enum paced_err refuse_name(const char *where, const char *name) {
    const char *words[PACED_COUNT(corruptions) + 2] = {"all", "geometric"};
    for (size_t i = 0; i < PACED_COUNT(corruptions); ++i) words[i + 2] = corruptions[i].name;
    const char *nearest = paced_nearest(name, words, PACED_COUNT(words));
    if (nearest)
        return paced_error_at(PACED_INVALID, where, "'%s' is not a corruption; did you mean %s?", name, nearest);
    return paced_error_at(PACED_INVALID, where, "'%s' is not a corruption; write all, geometric or a list of names",
                          name);
}

static enum paced_err choose_corruption(const char *where, const char *word, bool *chosen) {
    const bool geometric = strcmp(word, "geometric") == 0, group = geometric || strcmp(word, "all") == 0;
    size_t found = 0;
    if (!group && !paced_corruption_find(word, &found)) return refuse_name(where, word);
    for (size_t i = 0; i < PACED_COUNT(corruptions); ++i)
        if (group ? corruptions[i].geometric == geometric : i == found) chosen[i] = true;
    return PACED_OK;
}

static enum paced_err choose_severity(const char *where, const char *word, bool *chosen) {
    int64_t severity;
    if (!paced_parse_int(word, &severity) || severity < 1 || severity > PACED_SEVERITIES)
        return paced_error_at(PACED_INVALID, where, "'%s' is not a severity; write a list of 1 to %d", word,
                              PACED_SEVERITIES);
    chosen[severity] = true;
    return PACED_OK;
}

/* Passes each item of a list that must not be empty to `choose`. */
static enum paced_err read_list(const char *where, const char *list, bool *chosen,
                                enum paced_err (*choose)(const char *where, const char *word, bool *chosen)) {
    if (!*list) return paced_error_at(PACED_INVALID, where, "the list is empty; name at least one");
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
