/* Synthetic needles in ultrasound: B-mode-like images with a mask of the shaft, in the layout of the needle set.
 *
 * Levels are in decibels relative to white, with speckle and compression to grey as in breast.c. A needle enters
 * at the left or right edge and descends obliquely to its tip:
 *   shaft   a narrow bright line, weaker where it reflects less of the beam, brightest at the bevel of the tip
 *   tail    reverberation: fainter copies of the shaft at equal distances below it, and a shadow behind
 * Fascia lines of the tissue are thin and bright as well, so brightness alone does not segment the needle.
 *
 * Invariant: image i depends on (seed, i, size) only. Images of a patient share tissue and depth of view; a patient is
 * in one split only. */
#include "src/data/synth/synth.h"

#include <stdlib.h>

enum { PATIENTS = 10, FRAMES = 10, LAYERS = 3, ECHOES = 4 };

struct patient {
    double border[LAYERS - 1], level[LAYERS], fascia, streak, attenuation;
};

struct needle {
    double x, y, length; /* entry point; distance to the tip */
    double right, down;  /* direction, unit vector */
    double radius;       /* half the width of the shaft in the image */
    double gain, spacing, decay, shadow, fade;
};

struct view {
    struct patient patient;
    struct needle needle;
    struct noise shape, grain;
    double shift; /* shift of the tissue, per frame */
};

/* ---- parameters ---------------------------------------------------------------------------------------------- */

static void choose_patient(struct patient *p, struct paced_rng *rng) {
    p->border[0] = between(rng, 0.12, 0.26);
    p->border[1] = p->border[0] + between(rng, 0.2, 0.36);
    p->level[0] = between(rng, -26, -18);
    p->level[1] = between(rng, -38, -29);
    p->level[2] = between(rng, -33, -24);
    p->fascia = between(rng, 7, 13);
    p->streak = between(rng, 6, 12);
    p->attenuation = between(rng, 6, 14);
}

static void choose_needle(struct needle *n, struct paced_rng *rng) {
    const double slope = between(rng, 0.2, 0.9), side = paced_rng_uniform(rng) < 0.5 ? 0 : 1;
    n->x = side;
    n->y = between(rng, 0.04, 0.35);
    n->right = side == 0 ? cos(slope) : -cos(slope);
    n->down = sin(slope);
    const double most = fmin(0.85 / cos(slope), (0.9 - n->y) / n->down);
    n->length = most * between(rng, 0.55, 1);
    n->radius = between(rng, 0.010, 0.016);
    n->gain = between(rng, 17, 26);
    n->spacing = between(rng, 0.035, 0.055);
    n->decay = between(rng, 4, 7);
    n->shadow = between(rng, 2, 7);
    n->fade = between(rng, 3, 11);
}

static void compose(struct view *v, uint64_t seed, int i, struct paced_rng *rng) {
    struct paced_rng patient;
    paced_rng_seed(&patient, seed, PACED_STREAM_NEEDLE_PATIENT + (uint64_t)(i % PATIENTS));
    choose_patient(&v->patient, &patient);
    noise_fill(&v->shape, &patient);
    noise_fill(&v->grain, rng);
    v->shift = between(rng, 0, 40);
    choose_needle(&v->needle, rng);
}

/* ---- level at a point ---------------------------------------------------------------------------------------- */

static double tissue_level(const struct view *v, double x, double y) {
    const struct patient *p = &v->patient;
    const double s = v->shift, cloud = noise_clouds(&v->grain, 5 * x, 9 * y);
    double level = p->level[0] + 3 * cloud, fascia = 0;
    for (int k = 0; k < LAYERS - 1; ++k) {
        const double border = p->border[k] + 0.05 * noise_clouds(&v->shape, 2 * x + s, 11.0 * k);
        level = mix(level, p->level[k + 1] + 4 * cloud, smooth_step(-0.03, 0.03, y - border));
        fascia += p->fascia * bell(y - border, 0.010) * (0.5 + 0.5 * noise_at(&v->grain, 7 * x + 9 * k, 3));
    }
    const double warp = 0.06 * noise_clouds(&v->shape, 2 * x + s, 3 * y);
    const double fibres = noise_lines(&v->shape, 2.5 * x + s, 16 * (y + warp), 0.16) *
                          smooth_step(-0.3, 0.6, noise_clouds(&v->shape, 3 * x + s + 7, 3 * y));
    return level + fascia + p->streak * fibres - p->attenuation * y + 8 * bell(y, 0.015);
}

/* Coordinates along the shaft (0 at the edge of the image, 1 at the tip) and away from it, positive downwards. */
static void shaft_place(const struct needle *n, double x, double y, double *along, double *away) {
    const double dx = x - n->x, dy = y - n->y;
    *along = (dx * n->right + dy * n->down) / n->length;
    *away = dy * fabs(n->right) - dx * n->down * (n->right < 0 ? -1 : 1);
}

static bool is_shaft(const void *scene, double x, double y) {
    const struct view *v = scene;
    double along, away;
    shaft_place(&v->needle, x, y, &along, &away);
    return along <= 1 && fabs(away) < v->needle.radius;
}

static double level_at(const void *scene, double x, double y) {
    const struct view *v = scene;
    const struct needle *n = &v->needle;
    double along, away;
    shaft_place(n, x, y, &along, &away);
    const double end = 1 - smooth_step(0.99, 1.01, along);
    const double patchy = 0.5 + 0.5 * noise_at(&v->grain, 12 * along, 31);
    const double bright = n->gain - n->fade * patchy + 5 * bell(along - 0.97, 0.035);
    double above = bright * bell(away, 0.8 * n->radius); /* decibels above the tissue */
    for (int k = 1; k <= ECHOES; ++k) {
        const double echo = bright - n->decay * k;
        if (echo > 0) above += echo * bell(away - k * n->spacing, n->radius) * (0.6 + 0.4 * patchy);
    }
    const double behind = n->shadow * smooth_step(n->radius, 3 * n->radius, away) * exp(-away / 0.35);
    return tissue_level(v, x, y) + end * (above - (away > 0 ? behind : 0));
}

/* ---- the set ------------------------------------------------------------------------------------------------- */

static void draw(void *scene, uint64_t seed, int i, struct paced_rng *rng, struct synth_pair *pair) {
    static const struct synth_ultrasound view = {level_at, is_shaft};
    const char *folder = pair->phase == PACED_VAL ? "test" : "train"; /* the same for all images of a patient */
    const int patient = i % PATIENTS + 1, round = i / PATIENTS;
    compose(scene, seed, i, rng);
    synth_render(&view, scene, rng, pair);
    char *stem = paced_format("p%d_%d_%03d", patient, round / FRAMES + 1, round % FRAMES + 1);
    pair->image_name = paced_format("%s/%s.png", folder, stem);
    pair->mask_name = paced_format("%s_mask/%s_mask.png", folder, stem);
    free(stem);
}

enum paced_err paced_synth_needle(const char *dir, int64_t count, int64_t size, uint64_t seed) {
    static const char *const folders[] = {"train", "train_mask", "test", "test_mask"};
    static const struct synth_set set = {folders,       PACED_COUNT(folders), sizeof(struct view), PACED_STREAM_SYNTH,
                                         .channels = 1, .draw = draw};
    return synth_write(&set, dir, count, size, seed);
}
