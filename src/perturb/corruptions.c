/* corruptions: the table of corruptions. A new one needs a function and a row. */
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
    size_t values = (size_t)sample->size * (size_t)sample->size * 3;
    for (size_t i = 0; i < values; ++i) {
        float *value = &sample->rgb[i];
        *value = *value < 0 ? 0 : *value > 1 ? 1 : *value;
    }
    return PACED_OK;
}
