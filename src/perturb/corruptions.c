/* corruptions: the table of what may happen to an image. To add one: a function and a row. */
#include "src/perturb/corruptions.h"

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
    {"spatter", paced_spatter, false},
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

enum paced_err paced_corruption_find(const char *name, size_t *corruption) {
    const char *names[PACED_COUNT(corruptions)];
    for (size_t i = 0; i < PACED_COUNT(corruptions); ++i) {
        names[i] = corruptions[i].name;
        *corruption = i;
        if (strcmp(name, names[i]) == 0) return PACED_OK;
    }
    const char *nearest = paced_nearest(name, names, PACED_COUNT(names));
    if (nearest) return paced_error(PACED_INVALID, "%s: no such corruption; did you mean %s?", name, nearest);
    return paced_error(PACED_INVALID, "%s: no such corruption; see README.md for the list", name);
}

enum paced_err paced_corrupt(size_t corruption, int severity, struct paced_rng *rng, struct paced_sample *sample) {
    PACED_TRY(corruptions[corruption].corrupt(severity - 1, rng, sample));
    size_t values = (size_t)sample->size * (size_t)sample->size * 3;
    for (size_t i = 0; i < values; ++i) {
        float *value = &sample->rgb[i];
        *value = *value < 0 ? 0 : *value > 1 ? 1 : *value;
    }
    return PACED_OK;
}
