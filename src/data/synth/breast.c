/* Synthetic breast ultrasound: B-mode-like images with lesion masks, in BUSI's layout.
 *
 * An image is computed in decibels relative to white at (x, y) in the unit square, y = depth, and compressed to grey as
 * in a scanner:   grey = 255 * (1 + (level(x, y) + 20 log10(speckle)) / RANGE_DB)
 *   level    skin, fat, gland, muscle and deep tissue (undulating borders, bright fascia lines, fat lobules), lesion
 *            with posterior enhancement or shadow, contact shadows, attenuation with depth
 *   speckle  magnitude of a complex Gaussian field (see synth.c)
 * Dark tissue and shadows are about as dark as lesions, so no grey threshold segments the lesions.
 *
 * Invariant: image i depends on (seed, i, size) only; it has its own random stream. */
#include "src/data/synth/synth.h"

enum { HARMONICS = 12, LOBULES = 7, SHADOWS = 2, LAYERS = 4 };
enum { PER_BLOCK = 10 }; /* one image of each block of ten is normal */

enum finding { BENIGN, MALIGNANT, NORMAL, FINDINGS };
static const char *const finding_names[FINDINGS] = {"benign", "malignant", "normal"};

/* ---- parameters ---------------------------------------------------------------------------------------------- */

struct lesion {
    double x, y, a, b; /* centre and half axes */
    double cos_tilt, sin_tilt;
    double amplitude[HARMONICS], phase[HARMONICS]; /* harmonics of the radius; harmonic k at index k - 1 */
    double level, texture;                         /* inside the lesion */
    double sharp, blur, blur_phase;                /* width of the border, varying with the angle */
    double ragged;                                 /* roughness of the outline */
    double rim, halo;                              /* thin bright capsule; broad echogenic halo */
    double posterior, edge_shadow;
};

struct lobule {
    double x, y, a, b, tilt, depth;
};

struct column {
    double x, slope, width, depth, length;
};

struct scene {
    enum finding finding;
    struct noise shape, grain, streaks;
    double border[LAYERS], tilt[LAYERS], wave[LAYERS]; /* lower borders of skin, fat, gland and muscle */
    double skin, fat, gland, muscle, deep;             /* levels */
    double line_gain, line_density, attenuation, fade, sector;
    struct lobule lobules[LOBULES];
    int lobule_count, shadow_count;
    struct column shadows[SHADOWS];
    struct lesion lesion;
    int numbers[FINDINGS]; /* images of each finding so far */
};

static enum finding choose_finding(uint64_t seed, int i, struct paced_rng *rng) {
    struct paced_rng block;
    paced_rng_seed(&block, seed, PACED_STREAM_BREAST_BLOCK + (uint64_t)(i / PER_BLOCK));
    const bool malignant = paced_rng_uniform(rng) < 0.35;
    if (paced_rng_below(&block, PER_BLOCK) == (uint32_t)(i % PER_BLOCK)) return NORMAL;
    return malignant ? MALIGNANT : BENIGN;
}

static void choose_tissue(struct scene *s, struct paced_rng *rng) {
    noise_fill(&s->shape, rng);
    noise_fill(&s->grain, rng);
    noise_fill(&s->streaks, rng);
    s->border[0] = between(rng, 0.03, 0.06);
    s->border[1] = between(rng, 0.16, 0.34);
    s->border[2] = s->border[1] + between(rng, 0.24, 0.42);
    s->border[3] = s->border[2] + between(rng, 0.12, 0.24);
    const double tilt[LAYERS] = {0.01, 0.08, 0.10, 0.08}, wave[LAYERS] = {0.004, 0.045, 0.05, 0.025};
    for (int k = 0; k < LAYERS; ++k) {
        s->tilt[k] = between(rng, -tilt[k], tilt[k]);
        s->wave[k] = wave[k] * between(rng, 0.5, 1.5);
    }
    s->skin = between(rng, -19, -12);
    s->fat = between(rng, -36, -27);
    s->gland = between(rng, -23, -15);
    s->muscle = between(rng, -38, -28);
    s->deep = between(rng, -48, -38);
    s->line_gain = between(rng, 9, 17);
    s->line_density = between(rng, 0.8, 1.3);
    s->attenuation = between(rng, 0, 8);
    s->fade = between(rng, 4, 18);
    s->sector = paced_rng_uniform(rng) < 0.15 ? between(rng, 0.06, 0.16) : 0;
}

static void choose_lobule(struct lobule *o, const struct scene *s, struct paced_rng *rng) {
    o->a = between(rng, 0.05, 0.15);
    o->x = between(rng, 0, 1);
    o->y = between(rng, s->border[1] * 0.7, s->border[3]);
    o->b = o->a * between(rng, 0.22, 0.4);
    o->tilt = between(rng, -0.4, 0.4);
    o->depth = between(rng, 5, 11);
}

static void choose_shadow(struct column *o, struct paced_rng *rng) {
    o->x = between(rng, 0, 1);
    o->slope = between(rng, -0.15, 0.15);
    o->width = between(rng, 0.025, 0.09);
    o->depth = between(rng, 6, 14);
    o->length = between(rng, 0.4, 1.2);
}

static void choose_decoys(struct scene *s, struct paced_rng *rng) {
    s->lobule_count = 2 + (int)paced_rng_below(rng, LOBULES - 1);
    for (int k = 0; k < s->lobule_count; ++k) choose_lobule(&s->lobules[k], s, rng);
    s->shadow_count = (int)paced_rng_below(rng, SHADOWS + 1);
    for (int k = 0; k < s->shadow_count; ++k) choose_shadow(&s->shadows[k], rng);
}

/* Benign lesions are smooth and wider than tall; malignant ones spiculated and tall. */
static void choose_shape(struct lesion *l, bool malignant, struct paced_rng *rng) {
    const double part = paced_rng_uniform(rng), area = 0.042 + 0.11 * part * part;
    const double tall = malignant ? between(rng, 0.85, 1.35) : between(rng, 0.55, 0.85);
    const double angle = malignant ? between(rng, -0.5, 0.5) : between(rng, -0.3, 0.3);
    double swell = 1; /* area gained by the harmonics */
    for (int k = 2; k <= HARMONICS; ++k) {
        double size = malignant ? (k < 5 ? 0.16 / k : 0.06) : (k < 5 ? 0.12 / k : 0.004);
        const double u = paced_rng_uniform(rng);
        l->amplitude[k - 1] = size * u * u; /* a few dominate */
        l->phase[k - 1] = between(rng, 0, 2 * M_PI);
        swell += 0.5 * l->amplitude[k - 1] * l->amplitude[k - 1];
    }
    l->a = sqrt(area / (M_PI * tall * swell));
    l->b = l->a * tall;
    l->cos_tilt = cos(angle);
    l->sin_tilt = sin(angle);
}

static void choose_lesion(struct scene *s, struct paced_rng *rng) {
    struct lesion *l = &s->lesion;
    const bool malignant = s->finding == MALIGNANT;
    choose_shape(l, malignant, rng);
    const double reach_x = 1.15 * (l->a > l->b ? l->a : 0.9 * l->b), reach_y = 1.2 * l->b + 0.1 * l->a;
    l->x = between(rng, reach_x + 0.02, 0.98 - reach_x);
    const double top = reach_y + 0.07, bottom = 0.80 - reach_y > top ? 0.80 - reach_y : top + 0.02;
    l->y = between(rng, top, bottom);
    l->level = malignant ? between(rng, -49, -41) : between(rng, -53, -41);
    l->texture = between(rng, 2, 6);
    l->sharp = malignant ? between(rng, 0.07, 0.14) : between(rng, 0.04, 0.10);
    l->blur = malignant ? between(rng, 0.15, 0.32) : between(rng, 0.04, 0.22);
    l->blur_phase = between(rng, 0, 2 * M_PI);
    l->ragged = malignant ? between(rng, 0.06, 0.16) : between(rng, 0.02, 0.09);
    l->rim = malignant ? 0 : between(rng, 2, 8);
    l->halo = malignant ? between(rng, 2, 7) : 0;
    l->posterior = malignant ? -between(rng, 6, 16) : between(rng, 4, 11);
    l->edge_shadow = malignant ? 0 : between(rng, 0, 7);
}

static void compose(struct scene *s, uint64_t seed, int i, struct paced_rng *rng) {
    s->finding = choose_finding(seed, i, rng);
    choose_tissue(s, rng);
    choose_decoys(s, rng);
    if (s->finding != NORMAL) choose_lesion(s, rng);
    ++s->numbers[s->finding];
}

/* ---- level at a point ---------------------------------------------------------------------------------------- */

static double border_depth(const struct scene *s, int k, double x) {
    return s->border[k] + s->tilt[k] * (x - 0.5) + s->wave[k] * noise_clouds(&s->shape, 2.5 * x + 7 * k, 40 + 3 * k);
}

/* Level of skin, fat, gland, muscle and deep tissue, each with its own texture. */
static double tissue_level(const struct scene *s, double x, double y) {
    const double warp = 0.05 * noise_clouds(&s->shape, 3 * x, 3 * y), yw = y + warp + 0.25 * s->tilt[2] * x;
    const double cloud = noise_clouds(&s->grain, 5 * x, 9 * y), d = s->line_density, gain = s->line_gain;
    const double patch = smooth_step(-0.4, 0.6, noise_clouds(&s->shape, 4 * x + 31, 4 * y + 31));
    const double sparse = noise_lines(&s->streaks, 3.0 * d * x, 11 * d * yw, 0.09) * patch;
    const double dense = noise_lines(&s->streaks, 3.5 * d * x + 9, 24 * d * yw + 13, 0.20);
    const double layer[LAYERS + 1] = {
        s->skin + 2 * cloud,
        s->fat + 3 * cloud + gain * sparse,
        s->gland + 5 * cloud + 0.75 * gain * (dense - 0.4),
        s->muscle + 3 * cloud + 1.2 * gain * dense * (0.5 + 0.5 * patch),
        s->deep + 4 * cloud + 1.1 * gain * dense * (0.2 + 0.8 * patch),
    };
    const double blend[LAYERS] = {0.010, 0.018, 0.06, 0.07}, fascia[LAYERS] = {9, 8, 3, 12};
    double level = layer[0], line = 0;
    for (int k = 0; k < LAYERS; ++k) {
        const double below = y - border_depth(s, k, x);
        const double broken = 0.5 + 0.5 * noise_at(&s->grain, 6 * x + 13 * k, 50);
        level = mix(level, layer[k + 1], smooth_step(-blend[k], blend[k], below));
        line += fascia[k] * (k == 0 ? 1 : broken) * bell(below, 0.009);
    }
    /* Transducer surface and the darker layer of the skin below it. */
    return level + line + 8 * bell(y, 0.012) - 9 * bell(y - 0.55 * border_depth(s, 0, x), 0.012);
}

static double lobule_level(const struct lobule *o, double x, double y) {
    const double c = cos(o->tilt), n = sin(o->tilt), dx = x - o->x, dy = y - o->y;
    const double u = (c * dx + n * dy) / o->a, v = (c * dy - n * dx) / o->b, d = sqrt(u * u + v * v);
    return -o->depth * (1 - smooth_step(0.75, 1.05, d)) + 5 * bell(d - 1.12, 0.14);
}

static double column_level(const struct column *c, double x, double y) {
    const double t = (x - c->x - c->slope * y) / (c->width * (1 + 0.6 * y));
    return -c->depth * bell(t, 1) * (1 - smooth_step(0.3 * c->length, c->length, y));
}

/* Distance from the lesion's centre in units of the radius in that direction; below 1 inside. */
static double lesion_distance(const struct scene *s, double x, double y, double *angle) {
    const struct lesion *l = &s->lesion;
    const double dx = x - l->x, dy = y - l->y;
    const double u = (l->cos_tilt * dx + l->sin_tilt * dy) / l->a, v = (l->cos_tilt * dy - l->sin_tilt * dx) / l->b;
    *angle = atan2(v, u);
    double radius = 1;
    for (int k = 2; k <= HARMONICS; ++k) radius += l->amplitude[k - 1] * sin(k * *angle + l->phase[k - 1]);
    return sqrt(u * u + v * v) / radius + l->ragged * noise_clouds(&s->shape, 9 * x + 3, 9 * y + 47);
}

/* Enhancement or shadow behind the lesion, and narrow refraction shadows at its edges. */
static double behind_lesion(const struct scene *s, double x, double y) {
    const struct lesion *l = &s->lesion;
    const double t = (x - l->x) / (0.9 * l->a), below = (y - l->y) / l->b;
    const double streak = 0.75 + 0.5 * noise_at(&s->grain, 14 * x, 3 * y + 20);
    const double window = exp(-t * t * t * t) * smooth_step(0.3, 1.0, below) * exp(-(y - l->y) / 0.7);
    const double flank = bell(x - l->x - 1.02 * l->a, 0.018) + bell(x - l->x + 1.02 * l->a, 0.018);
    const double edge = flank * smooth_step(0, 0.5, below) * exp(-(y - l->y) / 0.35);
    return 1.5 * l->posterior * streak * window - l->edge_shadow * edge;
}

static double with_lesion(const struct scene *s, double level, double x, double y) {
    const struct lesion *l = &s->lesion;
    double angle;
    const double d = lesion_distance(s, x, y, &angle), wobble = 0.5 + 0.5 * sin(angle + l->blur_phase);
    const double width = l->sharp + l->blur * wobble * wobble;
    const double inside = l->level + l->texture * noise_clouds(&s->grain, 9 * x + 21, 9 * y + 33) +
                          3 * smooth_step(-1, 1, (y - l->y) / l->b);
    const double specular = sin(angle) * sin(angle);
    const double outside =
        level + behind_lesion(s, x, y) + l->rim * specular * bell(d - 1.08, 0.06) + l->halo * bell(d - 1.2, 0.22);
    return mix(inside, outside, smooth_step(1 - width, 1 + width, d));
}

static double level_at(const void *scene, double x, double y) {
    const struct scene *s = scene;
    const double inset = s->sector * (1 - y);
    if (x < inset || x > 1 - inset) return -INFINITY; /* outside the fan of a curved transducer */
    double level = tissue_level(s, x, y);
    const double wx = x + 0.025 * noise_clouds(&s->shape, 7 * x, 7 * y),
                 wy = y + 0.02 * noise_clouds(&s->shape, 7 * x + 19, 7 * y);
    for (int k = 0; k < s->lobule_count; ++k) level += lobule_level(&s->lobules[k], wx, wy);
    level -= s->attenuation * y + s->fade * smooth_step(0.5, 1.1, y);
    if (s->finding != NORMAL) level = with_lesion(s, level, x, y);
    for (int k = 0; k < s->shadow_count; ++k) level += column_level(&s->shadows[k], x, y);
    return level;
}

static bool is_lesion(const void *scene, double x, double y) {
    const struct scene *s = scene;
    double angle;
    return s->finding != NORMAL && lesion_distance(s, x, y, &angle) < 1;
}

/* ---- the set ------------------------------------------------------------------------------------------------- */

static void draw(void *scene, uint64_t seed, int i, struct paced_rng *rng, struct synth_pair *pair) {
    static const struct synth_ultrasound view = {level_at, is_lesion};
    struct scene *s = scene;
    compose(s, seed, i, rng);
    synth_render(&view, s, rng, pair);
    const char *kind = finding_names[s->finding];
    pair->image_name = paced_format("%s/%s (%d).png", kind, kind, s->numbers[s->finding]);
    pair->mask_name = paced_format("%s/%s (%d)_mask.png", kind, kind, s->numbers[s->finding]);
}

enum paced_err paced_synth_breast(const char *dir, int64_t count, int64_t size, uint64_t seed) {
    static const struct synth_set set = {finding_names,       FINDINGS,      sizeof(struct scene),
                                         PACED_STREAM_BREAST, .channels = 1, .draw = draw};
    return synth_write(&set, dir, count, size, seed);
}
