/* Samples for the perturb tests: creation, copies, comparison. */
#ifndef PACED_TESTS_PERTURB_SAMPLE_H
#define PACED_TESTS_PERTURB_SAMPLE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "paced/perturb.h"
#include "tests/square.h"

static inline size_t pixels_of(const struct paced_sample *s) {
    return paced_extent_pixels(s->extent);
}

static inline struct paced_sample sample_create(struct paced_extent extent) {
    struct paced_sample s = {.extent = extent};
    s.rgb = paced_alloc(pixels_of(&s) * 3, sizeof *s.rgb);
    s.label = paced_alloc(pixels_of(&s), 1);
    return s;
}

/* Random values and labels that differ between neighbours. */
static inline struct paced_sample sample_random(struct paced_extent extent, uint64_t seed) {
    struct paced_sample s = sample_create(extent);
    struct paced_rng rng;
    paced_rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < pixels_of(&s) * 3; ++i) s.rgb[i] = (float)paced_rng_uniform(&rng);
    for (size_t i = 0; i < pixels_of(&s); ++i) s.label[i] = (uint8_t)paced_rng_below(&rng, 200);
    return s;
}

/* A bright disk on a dark background, with label 1 on the disk. */
static inline struct paced_sample sample_disk(int size, double x, double y, double radius) {
    struct paced_sample s = sample_create(square(size));
    for (size_t i = 0; i < pixels_of(&s); ++i) {
        s.label[i] = hypot((double)(i % (size_t)size) - x, (double)(i / (size_t)size) - y) <= radius;
        for (int c = 0; c < 3; ++c) s.rgb[i * 3 + (size_t)c] = s.label[i] ? 1 : 0.25F;
    }
    return s;
}

static inline struct paced_sample sample_copy(const struct paced_sample *from) {
    struct paced_sample s = sample_create(from->extent);
    memcpy(s.rgb, from->rgb, pixels_of(&s) * 3 * sizeof *s.rgb);
    memcpy(s.label, from->label, pixels_of(&s));
    return s;
}

static inline void sample_free(struct paced_sample *s) {
    free(s->rgb);
    free(s->label);
}

/* Checks that label and image of a disk still agree: the nearest pixel, which gives the label, contributes at least a
 * quarter of an interpolated value. */
static inline void check_together(const struct paced_sample *s) {
    for (size_t i = 0; i < pixels_of(s); ++i) {
        float least = s->label[i] ? 0.25F + 0.75F / 4 : 0, most = s->label[i] ? 1 : 1 - 0.75F / 4;
        if (s->rgb[i * 3] < least - 1e-5F || s->rgb[i * 3] > most + 1e-5F)
            fail_msg("pixel %zu of label %d shows %g", i, s->label[i], (double)s->rgb[i * 3]);
    }
}

static inline bool samples_equal(const struct paced_sample *a, const struct paced_sample *b) {
    return memcmp(a->rgb, b->rgb, pixels_of(a) * 3 * sizeof *a->rgb) == 0 &&
           memcmp(a->label, b->label, pixels_of(a)) == 0;
}

#endif
