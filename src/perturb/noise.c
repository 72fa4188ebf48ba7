/* noise: what sensors do to an image, value by value; the channels of a pixel are independent. */
#include "src/perturb/corruptions.h"

#include <math.h>

enum paced_err paced_gaussian_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double deviation[PACED_SEVERITIES] = {.08, .12, .18, .26, .38};
    for (size_t i = 0; i < 3 * paced_sample_pixels(sample); ++i)
        sample->rgb[i] += (float)(deviation[severity] * paced_rng_normal(rng));
    return PACED_OK;
}

/* A Poisson number by inversion, counted to `most` at the most. */
static int poisson(struct paced_rng *rng, double mean, int most) {
    double left = paced_rng_uniform(rng), probability = exp(-mean);
    int count = 0;
    while (count < most && left >= probability) {
        left -= probability;
        ++count;
        probability *= mean / count;
    }
    return count;
}

/* x becomes the share of `photons` that arrive. More than all are white, too: no need to count them. */
enum paced_err paced_shot_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const int photons[PACED_SEVERITIES] = {60, 25, 12, 5, 3};
    const int white = photons[severity];
    for (size_t i = 0; i < 3 * paced_sample_pixels(sample); ++i)
        sample->rgb[i] = (float)poisson(rng, (double)sample->rgb[i] * white, white) / (float)white;
    return PACED_OK;
}

/* Half of the values that are hit become 0, half 1. */
enum paced_err paced_impulse_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double share[PACED_SEVERITIES] = {.03, .06, .09, .17, .27};
    for (size_t i = 0; i < 3 * paced_sample_pixels(sample); ++i) {
        const double u = paced_rng_uniform(rng);
        if (u < share[severity]) sample->rgb[i] = u < share[severity] / 2 ? 0.0F : 1.0F;
    }
    return PACED_OK;
}

enum paced_err paced_speckle_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double deviation[PACED_SEVERITIES] = {.15, .2, .35, .45, .6};
    for (size_t i = 0; i < 3 * paced_sample_pixels(sample); ++i)
        sample->rgb[i] *= (float)(1 + deviation[severity] * paced_rng_normal(rng));
    return PACED_OK;
}
