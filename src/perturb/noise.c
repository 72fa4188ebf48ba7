/* noise: what sensors add, value by value. */
#include "src/perturb/corruptions.h"

static size_t value_count(const struct paced_sample *sample) {
    return (size_t)sample->size * (size_t)sample->size * 3;
}

enum paced_err paced_gaussian_noise(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double deviation[PACED_SEVERITIES] = {.08, .12, .18, .26, .38};
    for (size_t i = 0; i < value_count(sample); ++i)
        sample->rgb[i] += (float)(deviation[severity] * paced_rng_normal(rng));
    return PACED_OK;
}
