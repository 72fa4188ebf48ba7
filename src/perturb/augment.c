/* augment: the table of augmentations, and their application to training samples. A new one needs a function, a row,
 * and a line in the manual's table.
 *
 * An argument is the maximum amount; the actual amount is drawn uniformly for each sample and epoch. Flips have
 * probability 1/2; all others are always applied. Amounts and formulas are those of torchvision's RandomAffine and
 * ColorJitter where they exist. Pixels from outside the image are black and background. */
#include <math.h>

#include "src/perturb/augment.h"

static double between(struct paced_rng *rng, double low, double high) {
    return low + (high - low) * paced_rng_uniform(rng);
}

static double around(struct paced_rng *rng, double middle, double max) {
    return between(rng, middle - max, middle + max);
}

/* ---- moves --------------------------------------------------------------------------------------------------- */

static void flip(struct augment_moves *m, unsigned which) {
    if (paced_rng_uniform(m->rng) < 0.5) return;
    m->flips |= which;
    paced_warp_flip(&m->warp, which == PACED_FLIP_H, which == PACED_FLIP_V);
}

static void hflip(struct augment_moves *m, const double *max) {
    flip(m, PACED_FLIP_H);
}

static void vflip(struct augment_moves *m, const double *max) {
    flip(m, PACED_FLIP_V);
}

static void rotate(struct augment_moves *m, const double *max) {
    paced_warp_rotate(&m->warp, around(m->rng, 0, *max));
}

static void scale(struct augment_moves *m, const double *ends) {
    paced_warp_scale(&m->warp, between(m->rng, ends[0], ends[1]));
}

static void translate(struct augment_moves *m, const double *max) {
    double x = around(m->rng, 0, *max * m->size), y = around(m->rng, 0, *max * m->size);
    paced_warp_shift(&m->warp, x, y);
}

static void elastic(struct augment_moves *m, const double *max) {
    paced_warp_elastic(&m->warp, between(m->rng, 0, *max), m->rng, m->size);
}

/* ---- changes of appearance ----------------------------------------------------------------------------------- */

static void brightness(struct paced_rng *rng, const double *max, float *values, size_t count) {
    float factor = (float)around(rng, 1, *max);
    for (size_t i = 0; i < count; ++i) values[i] *= factor;
}

/* Scales the difference from the image's mean. */
static void contrast(struct paced_rng *rng, const double *max, float *values, size_t count) {
    float factor = (float)around(rng, 1, *max);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)values[i];
    float mean = (float)(sum / (double)count);
    for (size_t i = 0; i < count; ++i) values[i] = mean + factor * (values[i] - mean);
}

static void gamma_curve(struct paced_rng *rng, const double *max, float *values, size_t count) {
    float exponent = (float)around(rng, 1, *max);
    for (size_t i = 0; i < count; ++i) values[i] = powf(values[i], exponent);
}

static void noise(struct paced_rng *rng, const double *max, float *values, size_t count) {
    double stddev = between(rng, 0, *max);
    for (size_t i = 0; i < count; ++i) values[i] += (float)(stddev * paced_rng_normal(rng));
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

const struct augment_kind paced_augment_kinds[] = {
    {"hflip", 0, 0, 0, "hflip", .move = hflip},
    {"vflip", 0, 0, 0, "vflip", .move = vflip},
    {"rotate", 1, 0, 180, "rotate(15)", .move = rotate},
    {"scale", 2, 0.1, 10, "scale(0.9, 1.1)", .move = scale},
    {"translate", 1, 0, 1, "translate(0.1)", .move = translate},
    {"elastic", 1, 0, 100, "elastic(30)", .move = elastic},
    {"brightness", 1, 0, 1, "brightness(0.2)", .look = brightness},
    {"contrast", 1, 0, 1, "contrast(0.2)", .look = contrast},
    {"gamma", 1, 0, 0.9, "gamma(0.2)", .look = gamma_curve},
    {"noise", 1, 0, 1, "noise(0.05)", .look = noise},
};
const size_t paced_augment_kind_count = PACED_COUNT(paced_augment_kinds);
_Static_assert(PACED_COUNT(paced_augment_kinds) <= PACED_AUGMENT_MOST, "a list may have every row once");

/* ---- a sample ------------------------------------------------------------------------------------------------ */

static void seed_sample(const struct paced_augment *augment, size_t index, struct paced_rng *rng) {
    paced_rng_seed(rng, augment->seed, PACED_STREAM_AUGMENT + augment->epoch);
    paced_rng_seed(rng, paced_rng_next(rng), index);
}

/* Draws the moves before the changes of appearance, so that they do not depend on them. Release: paced_warp_finish. */
static struct augment_moves draw_moves(const struct paced_augment *augment, struct paced_rng *rng, int size) {
    struct augment_moves moves = {.rng = rng, .size = size};
    paced_warp_init(&moves.warp);
    for (size_t i = 0; i < augment->count; ++i) {
        const struct paced_augment_item *item = &augment->items[i];
        const struct augment_kind *kind = &paced_augment_kinds[item->kind];
        if (kind->move) kind->move(&moves, item->argument);
    }
    return moves;
}

static void change_looks(const struct paced_augment *augment, struct paced_rng *rng, float *values, size_t count) {
    for (size_t i = 0; i < augment->count; ++i) {
        const struct paced_augment_item *item = &augment->items[i];
        const struct augment_kind *kind = &paced_augment_kinds[item->kind];
        if (!kind->look) continue;
        kind->look(rng, item->argument, values, count);
        for (size_t j = 0; j < count; ++j) values[j] = values[j] < 0 ? 0 : values[j] > 1 ? 1 : values[j];
    }
}

enum paced_err paced_augment_apply(const void *context, size_t index, int size, float *rgb, uint8_t *label) {
    const struct paced_augment *augment = context;
    struct paced_sample sample = {size, rgb, label};
    struct paced_rng rng;
    seed_sample(augment, index, &rng);
    struct augment_moves moves = draw_moves(augment, &rng, size);
    paced_warp_apply(&moves.warp, PACED_BEYOND_BLACK, &sample);
    paced_warp_finish(&moves.warp);
    change_looks(augment, &rng, rgb, (size_t)size * (size_t)size * 3);
    return PACED_OK;
}

/* ---- flips --------------------------------------------------------------------------------------------------- */

bool paced_augment_only_flips(const struct paced_augment *augment, unsigned *flips) {
    *flips = 0;
    for (size_t i = 0; i < augment->count; ++i) {
        const struct augment_kind *kind = &paced_augment_kinds[augment->items[i].kind];
        if (kind->move == hflip)
            *flips |= PACED_FLIP_H;
        else if (kind->move == vflip)
            *flips |= PACED_FLIP_V;
        else
            return false;
    }
    return true;
}

unsigned paced_augment_flips(const struct paced_augment *augment, size_t index) {
    struct paced_rng rng;
    seed_sample(augment, index, &rng);
    struct augment_moves moves = draw_moves(augment, &rng, 1);
    paced_warp_finish(&moves.warp);
    return moves.flips;
}

enum paced_err paced_flip(const void *context, size_t index, int size, float *rgb, uint8_t *label) {
    const unsigned flips = *(const unsigned *)context;
    struct paced_sample sample = {size, rgb, label};
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_flip(&warp, flips & PACED_FLIP_H, flips & PACED_FLIP_V);
    paced_warp_apply(&warp, PACED_BEYOND_BLACK, &sample);
    return PACED_OK;
}
