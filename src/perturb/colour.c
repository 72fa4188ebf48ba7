/* colour: brightness, contrast and saturation. V = max(r, g, b) and S = 1 - min(r, g, b) / V are those of HSV. At a
 * fixed hue, r, g, b are proportional to V, and their distance from V to S, so the hue is not needed. */
#include "src/perturb/corruptions.h"

#include <math.h>

static float brightest(const float *rgb) {
    return fmaxf(rgb[0], fmaxf(rgb[1], rgb[2]));
}

static float darkest(const float *rgb) {
    return fminf(rgb[0], fminf(rgb[1], rgb[2]));
}

/* Replaces V by min(V + c, 1). Black has no hue and becomes grey. */
enum paced_err paced_brightness(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const float added[PACED_SEVERITIES] = {.1F, .2F, .3F, .4F, .5F};
    (void)rng;
    float *rgb = sample->rgb;
    for (size_t i = 0; i < paced_sample_pixels(sample); ++i, rgb += 3) {
        const float value = brightest(rgb), brighter = fminf(value + added[severity], 1);
        for (int c = 0; c < 3; ++c) rgb[c] = value > 0 ? rgb[c] / value * brighter : brighter;
    }
    return PACED_OK;
}

/* Scales each channel's difference from its mean over the image. */
enum paced_err paced_contrast(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const float factor[PACED_SEVERITIES] = {.4F, .3F, .2F, .1F, .05F};
    (void)rng;
    const size_t pixels = paced_sample_pixels(sample);
    for (int c = 0; c < 3; ++c) {
        float *rgb = sample->rgb + c;
        double sum = 0;
        for (size_t i = 0; i < pixels; ++i) sum += (double)rgb[3 * i];
        const float mean = (float)(sum / (double)pixels);
        for (size_t i = 0; i < pixels; ++i) rgb[3 * i] = (rgb[3 * i] - mean) * factor[severity] + mean;
    }
    return PACED_OK;
}

/* Replaces S by a S + b, within 0 to 1. Grey has no hue and counts as red, as in HSV: it stays grey only if b = 0. */
enum paced_err paced_saturate(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct {
        float factor, added;
    } constants[PACED_SEVERITIES] = {{.3F, 0}, {.1F, 0}, {2, 0}, {5, .1F}, {20, .2F}};
    (void)rng;
    float *rgb = sample->rgb;
    for (size_t i = 0; i < paced_sample_pixels(sample); ++i, rgb += 3) {
        const float value = brightest(rgb), spread = value - darkest(rgb);
        if (value <= 0) continue;
        const float saturation = spread / value;
        const float wanted = fminf(saturation * constants[severity].factor + constants[severity].added, 1);
        for (int c = 0; c < 3; ++c) {
            const float place = spread > 0 ? (value - rgb[c]) / spread : c == 0 ? 0.0F : 1.0F;
            rgb[c] = value - value * wanted * place;
        }
    }
    return PACED_OK;
}
