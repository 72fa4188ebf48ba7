/* geometry: elastic deformation, and different positions of the probe: image and mask are rotated, translated, scaled
 * or mirrored together. ImageNet-C has only the deformation. The constants are this project's; the middle ones are
 * common in training (15 degrees, a tenth of the side, a fifth of the size). Pixels from outside the image are black
 * and background. */
#include <math.h>

#include "src/perturb/corruptions.h"
#include "src/perturb/warp.h"

static bool coin(struct paced_rng *rng) {
    return paced_rng_uniform(rng) < 0.5;
}

static enum paced_err apply(struct paced_warp *warp, enum paced_beyond border, struct paced_sample *sample) {
    paced_warp_apply(warp, border, sample);
    paced_warp_finish(warp);
    return PACED_OK;
}

/* Rotates in a random direction. */
enum paced_err paced_rotate(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double degrees[PACED_SEVERITIES] = {5, 10, 15, 20, 30};
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_rotate(&warp, coin(rng) ? degrees[severity] : -degrees[severity]);
    return apply(&warp, PACED_BEYOND_BLACK, sample);
}

/* Translates by a fraction of the side in a random direction. */
enum paced_err paced_translate(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double fraction[PACED_SEVERITIES] = {.03, .06, .1, .15, .2};
    double angle = 2 * M_PI * paced_rng_uniform(rng), length = fraction[severity] * sample->size;
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_shift(&warp, length * cos(angle), length * sin(angle));
    return apply(&warp, PACED_BEYOND_BLACK, sample);
}

/* Enlarges or reduces by the factor. */
enum paced_err paced_scale(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double factor[PACED_SEVERITIES] = {1.05, 1.1, 1.2, 1.35, 1.5};
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_scale(&warp, coin(rng) ? factor[severity] : 1 / factor[severity]);
    return apply(&warp, PACED_BEYOND_BLACK, sample);
}

/* Flips horizontally, at every severity. */
enum paced_err paced_hflip(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_flip(&warp, true, false);
    return apply(&warp, PACED_BEYOND_BLACK, sample);
}

enum paced_err paced_elastic(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double alpha[PACED_SEVERITIES] = {12.5, 16.25, 21.25, 25, 30};
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_elastic(&warp, alpha[severity], rng, sample->size);
    return apply(&warp, PACED_BEYOND_MIRROR, sample);
}
