/* corruptions: what the table's rows are made of. Private to the perturb room. */
#ifndef PACED_SRC_PERTURB_CORRUPTIONS_H
#define PACED_SRC_PERTURB_CORRUPTIONS_H

#include "paced/perturb.h"

/* severity 0..PACED_SEVERITIES - 1 indexes the constants. Values may leave 0..1: they are cut off afterwards. */
typedef enum paced_err paced_corruptor(int severity, struct paced_rng *rng, struct paced_sample *sample);

/* noise.c */
paced_corruptor paced_gaussian_noise, paced_shot_noise, paced_impulse_noise, paced_speckle_noise;
/* blur.c */
paced_corruptor paced_gaussian_blur, paced_defocus_blur, paced_motion_blur, paced_zoom_blur;
/* colour.c */
paced_corruptor paced_brightness, paced_contrast, paced_saturate;
/* digital.c */
paced_corruptor paced_jpeg_compression, paced_pixelate;
/* fog.c, spatter.c */
paced_corruptor paced_fog, paced_spatter;

static inline size_t paced_sample_pixels(const struct paced_sample *sample) {
    return (size_t)sample->size * (size_t)sample->size;
}

#endif
