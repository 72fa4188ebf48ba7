/* corruptions: the functions of the table of corruptions, and helpers for samples. Private to the perturb module. */
#ifndef PACED_PERTURB_CORRUPTIONS_H
#define PACED_PERTURB_CORRUPTIONS_H

#include "paced/perturb.h"

/* severity: 0 to PACED_SEVERITIES - 1, an index of constants. Values may leave 0 to 1; paced_corrupt clamps them. */
typedef enum paced_err corruptor(int severity, struct paced_rng *rng, struct paced_sample *sample);

corruptor corrupt_gaussian_noise, corrupt_shot_noise, corrupt_impulse_noise, corrupt_speckle_noise; /* noise.c */
corruptor corrupt_gaussian_blur, corrupt_defocus_blur, corrupt_motion_blur, corrupt_zoom_blur;      /* blur.c */
corruptor corrupt_brightness, corrupt_contrast, corrupt_saturate;                                   /* digital.c */
corruptor corrupt_jpeg_compression, corrupt_pixelate;                                               /* digital.c */
corruptor corrupt_fog, corrupt_spatter;                                                             /* weather.c */

static inline size_t sample_pixels(const struct paced_sample *sample) {
    return paced_extent_pixels(sample->extent);
}

static inline void clamp_values(float *values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = values[i] < 0 ? 0 : values[i] > 1 ? 1 : values[i];
}

#endif
