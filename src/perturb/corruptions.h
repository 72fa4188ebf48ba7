/* corruptions: the functions of the table of corruptions, and helpers for samples. Private to the perturb module. */
#ifndef PACED_PERTURB_CORRUPTIONS_H
#define PACED_PERTURB_CORRUPTIONS_H

#include "paced/perturb.h"

/* severity: 0 to PACED_SEVERITIES - 1, an index of constants. Values may leave 0 to 1; paced_corrupt clamps them. */
typedef enum paced_err paced_corruptor(int severity, struct paced_rng *rng, struct paced_sample *sample);

paced_corruptor paced_gaussian_noise, paced_shot_noise, paced_impulse_noise, paced_speckle_noise; /* noise.c */
paced_corruptor paced_gaussian_blur, paced_defocus_blur, paced_motion_blur, paced_zoom_blur;      /* blur.c */
paced_corruptor paced_brightness, paced_contrast, paced_saturate;                                 /* digital.c */
paced_corruptor paced_jpeg_compression, paced_pixelate;                                           /* digital.c */
paced_corruptor paced_fog, paced_spatter;                                                         /* weather.c */

static inline size_t paced_sample_pixels(const struct paced_sample *sample) {
    return (size_t)sample->size * (size_t)sample->size;
}

static inline void paced_clamp(float *values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = values[i] < 0 ? 0 : values[i] > 1 ? 1 : values[i];
}

#endif
