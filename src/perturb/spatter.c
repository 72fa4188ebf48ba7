/* spatter: drops of water or mud on the lens, where a smoothed random field exceeds a threshold. */
#include "src/perturb/corruptions.h"
#include "src/perturb/edges.h"
#include "src/perturb/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct liquid {
    double mean, stddev, sigma; /* of the random field; sigma smooths it */
    float threshold;            /* the field above it is liquid */
    float strength;             /* water: brightness of the brightest drop; mud: sigma that smooths its rim */
    bool mud;
};

static float *pour(const struct liquid *liquid, int size, struct paced_rng *rng) {
    const size_t pixels = (size_t)size * (size_t)size;
    float *layer = paced_alloc(pixels, sizeof *layer);
    for (size_t i = 0; i < pixels; ++i) layer[i] = (float)(liquid->mean + liquid->stddev * paced_rng_normal(rng));
    paced_smooth(layer, size, 1, liquid->sigma);
    return layer;
}

static uint8_t to_byte(float value) {
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Equalises grey[count] to 0 to 255 by the cumulative histogram, without the darkest value's count. */
static void equalise(uint8_t *grey, size_t count) {
    size_t histogram[256] = {0}, below = 0;
    uint8_t table[256] = {0};
    for (size_t i = 0; i < count; ++i) ++histogram[grey[i]];
    int darkest = 0;
    while (histogram[darkest] == 0) ++darkest;
    if (histogram[darkest] == count) return;
    const double scale = 255.0 / (double)(count - histogram[darkest]);
    for (int value = darkest + 1; value < 256; ++value) {
        below += histogram[value];
        table[value] = (uint8_t)lrint((double)below * scale);
    }
    for (size_t i = 0; i < count; ++i) grey[i] = table[grey[i]];
}

/* The shading of drops, 0 to 255: a relief of the distances from their outlines, lit from one side. Intermediate
 * results are bytes, because the reference truncates there. Means of 3 x 3 are thus sums, exact in floats, divided
 * by 9. */
static void shade(const uint8_t *layer, int size, float *shading) {
    static const float sum[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, relief[9] = {-2, -1, 0, -1, 1, 1, 0, 1, 2};
    const size_t pixels = (size_t)size * (size_t)size;
    uint8_t *bytes = paced_alloc(pixels, 1);
    paced_edges(layer, size, 50, 150, bytes);
    paced_distance(bytes, size, 20, shading);
    paced_correlate(shading, size, 1, sum, 1);
    for (size_t i = 0; i < pixels; ++i) bytes[i] = to_byte(shading[i] / 9);
    equalise(bytes, pixels);
    for (size_t i = 0; i < pixels; ++i) shading[i] = bytes[i];
    paced_correlate(shading, size, 1, relief, 1);
    for (size_t i = 0; i < pixels; ++i) shading[i] = to_byte(shading[i]);
    paced_correlate(shading, size, 1, sum, 1);
    for (size_t i = 0; i < pixels; ++i) shading[i] = rintf(shading[i] / 9);
    free(bytes);
}

/* Adds pale turquoise, with weight `strength` at the brightest drop. */
static void add_water(const struct liquid *liquid, float *layer, struct paced_sample *sample) {
    static const float turquoise[3] = {175 / 255.0F, 238 / 255.0F, 238 / 255.0F};
    const size_t pixels = paced_sample_pixels(sample);
    uint8_t *height = paced_alloc(pixels, 1);
    for (size_t i = 0; i < pixels; ++i) height[i] = layer[i] < liquid->threshold ? 0 : to_byte(layer[i] * 255);
    shade(height, sample->size, layer);
    float max = 0;
    for (size_t i = 0; i < pixels; ++i) {
        layer[i] *= height[i];
        max = fmaxf(max, layer[i]);
    }
    for (size_t i = 0; i < pixels && max > 0; ++i)
        for (size_t c = 0; c < 3; ++c) sample->rgb[3 * i + c] += layer[i] / max * liquid->strength * turquoise[c];
    free(height);
}

/* Blends in brown, without mud's thin rim. */
static void add_mud(const struct liquid *liquid, float *layer, struct paced_sample *sample) {
    static const float brown[3] = {63 / 255.0F, 42 / 255.0F, 20 / 255.0F};
    const size_t pixels = paced_sample_pixels(sample);
    for (size_t i = 0; i < pixels; ++i) layer[i] = layer[i] > liquid->threshold ? 1 : 0;
    paced_smooth(layer, sample->size, 1, (double)liquid->strength);
    for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < 3 && layer[i] >= 0.8F; ++c) {
            float *value = sample->rgb + 3 * i + c;
            *value += (brown[c] - *value) * layer[i];
        }
}

enum paced_err paced_spatter(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct liquid liquids[PACED_SEVERITIES] = {{.65, .3, 4, .69F, .6F, false},
                                                            {.65, .3, 3, .68F, .6F, false},
                                                            {.65, .3, 2, .68F, .5F, false},
                                                            {.65, .3, 1, .65F, 1.5F, true},
                                                            {.67, .4, 1, .65F, 1.5F, true}};
    const struct liquid *liquid = &liquids[severity];
    float *layer = pour(liquid, sample->size, rng);
    (liquid->mud ? add_mud : add_water)(liquid, layer, sample);
    free(layer);
    return PACED_OK;
}
