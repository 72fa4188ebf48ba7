/* noise: noise of sensors, independent for each value. */
#include "src/perturb/corruptions.h"

#include <math.h>

enum paced_err corrupt_gaussian_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double stddev[PACED_SEVERITIES] = {.08, .12, .18, .26, .38};
    for (size_t i = 0; i < 3 * sample_pixels(sample); ++i)
        sample->rgb[i] += (float)(stddev[severity] * paced_rng_normal(rng));
    return PACED_OK;
}

/* A Poisson number by inversion, at most `max`. */
static int poisson(struct paced_rng *rng, double mean, int max) {
    double left = paced_rng_uniform(rng), probability = exp(-mean);
    int count = 0;
    while (count < max && left >= probability) {
        left -= probability;
        ++count;
        probability *= mean / count;
    }
    return count;
}

/* Replaces x by the fraction of `photons` that arrive. Larger counts are white, too, so counting stops at `photons`. */
enum paced_err corrupt_shot_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const int photons[PACED_SEVERITIES] = {60, 25, 12, 5, 3};
    const int white = photons[severity];
    for (size_t i = 0; i < 3 * sample_pixels(sample); ++i)
        sample->rgb[i] = (float)poisson(rng, (double)sample->rgb[i] * white, white) / (float)white;
    return PACED_OK;
}

/* Sets a fraction of the values, half of them to 0, half to 1. */
enum paced_err corrupt_impulse_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double fraction[PACED_SEVERITIES] = {.03, .06, .09, .17, .27};
    for (size_t i = 0; i < 3 * sample_pixels(sample); ++i) {
        const double u = paced_rng_uniform(rng);
        if (u < fraction[severity]) sample->rgb[i] = u < fraction[severity] / 2 ? 0.0F : 1.0F;
    }
    return PACED_OK;
}

enum paced_err corrupt_speckle_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double stddev[PACED_SEVERITIES] = {.15, .2, .35, .45, .6};
    for (size_t i = 0; i < 3 * sample_pixels(sample); ++i)
        sample->rgb[i] *= (float)(1 + stddev[severity] * paced_rng_normal(rng));
    return PACED_OK;
}
