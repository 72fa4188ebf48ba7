/* Synthetic surgical scenes: an endoscopic view of tissue, an organ, instruments and a thread, in robo's layout
 * (root/train, root/val, colour-coded masks, labels.json).
 *
 * A point has a class and a colour. From back to front: tissue with vessels; the organ, a bulging blob; the thread; one
 * to three instruments, each a dark shaft from the image's edge, a metal wrist and two jaws. Light decreases towards
 * the edges; wet tissue and round metal have highlights. The colour of a pixel is the mean of 2 x 2 points; its class
 * is that of its centre.
 *
 * Invariant: image i depends on (seed, i, size) only. */
#include "src/data/synth/synth.h"

#include <stdlib.h>
#include <string.h>

enum class { TISSUE, SHAFT, WRIST, CLASPER, KIDNEY, THREAD, CLASSES };

static const struct {
    const char *name;
    uint8_t colour[3];
} classes[CLASSES] = {
    [TISSUE] = {"background-tissue", {0, 0, 0}},    [SHAFT] = {"instrument-shaft", {0, 255, 0}},
    [WRIST] = {"instrument-wrist", {125, 255, 12}}, [CLASPER] = {"instrument-clasper", {0, 255, 255}},
    [KIDNEY] = {"kidney-parenchyma", {255, 55, 0}}, [THREAD] = {"thread", {187, 155, 25}},
};

enum { INSTRUMENTS = 3 };

struct instrument {
    double x, y, right, down;   /* joint of the wrist; unit vector from the shaft to it */
    double radius, wrist, jaws; /* half the shaft's width; lengths of wrist and jaws */
    double bend, open, metal;   /* rotation and half opening of the jaws, radians; brightness */
};

struct scene {
    struct noise shape, grain;
    double hue, warmth, shine;           /* tissue */
    double x, y, a, b, tilt;             /* organ */
    double thread[4][2];                 /* control points of a Bezier curve */
    double thread_radius, thread_colour; /* 0 violet .. 1 blue */
    struct instrument instruments[INSTRUMENTS];
    int count;
};

struct point {
    enum class class;
    double rgb[3];
};

/* ---- parameters ---------------------------------------------------------------------------------------------- */

static void choose_instrument(struct instrument *t, struct paced_rng *rng, double from) {
    const double angle = from + between(rng, -0.35, 0.35);
    t->right = cos(angle);
    t->down = sin(angle);
    t->x = 0.5 - between(rng, -0.02, 0.24) * t->right;
    t->x += between(rng, -0.12, 0.12) * t->down;
    t->y = 0.5 - between(rng, -0.02, 0.24) * t->down;
    t->y -= between(rng, -0.12, 0.12) * t->right;
    t->radius = between(rng, 0.045, 0.07);
    t->wrist = between(rng, 1.6, 2.4) * t->radius;
    t->jaws = between(rng, 2.2, 3.2) * t->radius;
    t->bend = between(rng, -0.6, 0.6);
    t->open = between(rng, 0.08, 0.5);
    t->metal = between(rng, 0.75, 1);
}

static void compose(struct scene *s, struct paced_rng *rng) {
    noise_fill(&s->shape, rng);
    noise_fill(&s->grain, rng);
    s->hue = between(rng, 0, 1);
    s->warmth = between(rng, 0.75, 1);
    s->shine = between(rng, 0.35, 0.5);
    s->x = between(rng, 0.25, 0.75);
    s->y = between(rng, 0.3, 0.8);
    s->a = between(rng, 0.2, 0.34);
    s->b = s->a * between(rng, 0.6, 0.85);
    s->tilt = between(rng, 0, M_PI);
    for (int k = 0; k < 4; ++k)
        for (int c = 0; c < 2; ++c) s->thread[k][c] = between(rng, 0.15, 0.85);
    s->thread_radius = between(rng, 0.008, 0.012);
    s->thread_colour = between(rng, 0, 1);
    s->count = 1 + (int)paced_rng_below(rng, INSTRUMENTS);
    const double first = between(rng, 0, 2 * M_PI);
    for (int k = 0; k < s->count; ++k) choose_instrument(&s->instruments[k], rng, first + 2 * M_PI * k / 3);
}

/* ---- colours at a point -------------------------------------------------------------------------------------- */

static void paint(struct point *p, enum class class, double r, double g, double b) {
    *p = (struct point){class, {r, g, b}};
}

static void add_shine(struct point *p, double amount) {
    for (int c = 0; c < 3; ++c) p->rgb[c] = mix(p->rgb[c], 1, amount < 0 ? 0 : amount);
}

static void paint_tissue(const struct scene *s, double x, double y, struct point *p) {
    const double relief = noise_clouds(&s->shape, 3 * x, 3 * y), fine = noise_clouds(&s->grain, 14 * x, 14 * y);
    const double light = 0.62 + 0.2 * relief + 0.06 * fine,
                 fat = smooth_step(0.0, 0.7, noise_clouds(&s->shape, 2 * x + 21, 2 * y + 9));
    paint(p, TISSUE, light * 1.05, light * mix(0.42, 0.72, 0.8 * fat + 0.1 * s->hue),
          light * mix(0.40, 0.42, fat) * s->warmth);
    const double vessel = noise_lines(&s->shape, 2.2 * x + 40, 2.2 * y + 13, 0.05) *
                          smooth_step(-0.2, 0.5, noise_at(&s->shape, 2 * x + 3, 2 * y + 50));
    const double dark[3] = {0.45, 0.1, 0.12};
    for (int c = 0; c < 3; ++c) p->rgb[c] = mix(p->rgb[c], dark[c], 0.6 * vessel);
    add_shine(p,
              0.8 * smooth_step(s->shine, s->shine + 0.25, noise_clouds(&s->grain, 9 * x + 5, 9 * y) * (0.7 + relief)));
}

static void paint_organ(const struct scene *s, double x, double y, struct point *p) {
    const double c = cos(s->tilt), n = sin(s->tilt), dx = x - s->x, dy = y - s->y;
    const double u = (c * dx + n * dy) / s->a, v = (c * dy - n * dx) / s->b;
    const double d = sqrt(u * u + v * v) + 0.12 * noise_clouds(&s->shape, 4 * x + 9, 4 * y + 33);
    if (d >= 1) {
        for (int k = 0; k < 3; ++k) p->rgb[k] *= 1 - 0.35 * bell(d - 1, 0.1); /* shadow of the organ */
        return;
    }
    const double bulge = sqrt(1 - d * d), mottle = noise_clouds(&s->grain, 11 * x + 30, 11 * y);
    const double light = 0.28 + 0.34 * bulge + 0.05 * mottle;
    paint(p, KIDNEY, light * 1.1, light * 0.42, light * 0.34);
    add_shine(p, 0.75 * smooth_step(0.35, 0.6, noise_clouds(&s->grain, 8 * x, 8 * y + 15) * bulge));
}

static void paint_thread(const struct scene *s, double x, double y, struct point *p) {
    enum { STEPS = 48 };
    double nearest = 1, px = 0, py = 0;
    for (int i = 0; i <= STEPS; ++i) { /* distance to the chords */
        const double t = (double)i / STEPS, r = 1 - t;
        const double w[4] = {r * r * r, 3 * r * r * t, 3 * r * t * t, t * t * t};
        double qx = 0, qy = 0;
        for (int k = 0; k < 4; ++k) {
            qx += w[k] * s->thread[k][0];
            qy += w[k] * s->thread[k][1];
        }
        if (i > 0) {
            const double ex = qx - px, ey = qy - py, length = ex * ex + ey * ey + 1e-12;
            double along = ((x - px) * ex + (y - py) * ey) / length;
            along = along < 0 ? 0 : along > 1 ? 1 : along;
            nearest = fmin(nearest, hypot(x - px - along * ex, y - py - along * ey));
        }
        px = qx;
        py = qy;
    }
    if (nearest > s->thread_radius) return;
    const double light = 0.75 + 0.5 * (1 - nearest / s->thread_radius);
    paint(p, THREAD, light * mix(0.42, 0.16, s->thread_colour), light * mix(0.2, 0.34, s->thread_colour), light * 0.62);
}

/* Round metal or plastic; `across` is -1..1 from edge to edge. */
static void paint_rod(struct point *p, enum class class, double across, double base, double gloss) {
    const double round = sqrt(1 - fmin(1, across * across)), light = base * (0.35 + 0.65 * round);
    paint(p, class, light, light * 1.01, light * 1.04);
    add_shine(p, gloss * (bell(across + 0.35, 0.16) + 0.35 * bell(across - 0.55, 0.12)));
}

/* True inside a jaw; u runs along it from the joint, v away from its inner edge. */
static bool is_jaw(const struct instrument *t, double u, double v) {
    return u >= 0 && u < t->jaws && v >= 0 && v < 0.62 * t->radius * (1 - 0.75 * u / t->jaws);
}

static void paint_jaws(const struct instrument *t, double along, double across, struct point *p) {
    for (int side = -1; side <= 1; side += 2) {
        const double angle = t->bend + side * t->open, u = cos(angle) * along + sin(angle) * across;
        const double v = side * (cos(angle) * across - sin(angle) * along);
        if (!is_jaw(t, u, v)) continue;
        const double ridge = 0.9 + 0.1 * sin(2 * M_PI * u / (0.22 * t->radius));
        paint_rod(p, CLASPER, 2 * v / (0.62 * t->radius) - 1, 0.72 * t->metal * ridge, 0.6);
    }
}

static void paint_instrument(const struct scene *s, const struct instrument *t, double x, double y, struct point *p) {
    const double dx = x - t->x, dy = y - t->y;
    const double along = dx * t->right + dy * t->down, across = dy * t->right - dx * t->down;
    if (along < 0 && fabs(across) > t->radius)
        for (int c = 0; c < 3; ++c) p->rgb[c] *= 1 - 0.4 * bell(across - 1.3 * t->radius, 0.5 * t->radius);
    paint_jaws(t, along, across, p);
    if (along > 0 || fabs(across) > t->radius) {
        if (hypot(along, across) < 0.8 * t->radius) paint_rod(p, WRIST, across / t->radius, 0.6 * t->metal, 0.5);
        return;
    }
    if (along > -t->wrist) {
        const double width = t->radius * (0.8 + 0.2 * smooth_step(0.4 * t->wrist, t->wrist, -along));
        if (fabs(across) < width) paint_rod(p, WRIST, across / width, 0.62 * t->metal, 0.55);
        return;
    }
    const double ring = bell(along + 1.25 * t->wrist, 0.1 * t->wrist);
    paint_rod(p, SHAFT, across / t->radius, 0.2 + 0.2 * ring + 0.02 * noise_at(&s->grain, 40 * x, 40 * y), 0.3);
}

static void look(const struct scene *s, double x, double y, struct point *p) {
    paint_tissue(s, x, y, p);
    paint_organ(s, x, y, p);
    paint_thread(s, x, y, p);
    for (int k = 0; k < s->count; ++k) paint_instrument(s, &s->instruments[k], x, y, p);
    const double edge = hypot(x - 0.5, y - 0.5), light = 1.08 - 0.9 * edge * edge;
    for (int c = 0; c < 3; ++c) p->rgb[c] *= light;
}

/* ---- the set ------------------------------------------------------------------------------------------------- */

static void render(const struct scene *s, struct paced_rng *rng, struct synth_pair *pair) {
    const int size = pair->size;
    for (int i = 0; i < size * size; ++i) {
        const int x = i % size, y = i / size;
        struct point p;
        double sum[3] = {0};
        for (int k = 0; k < 4; ++k) {
            look(s, (x + 0.25 + 0.5 * (k % 2)) / size, (y + 0.25 + 0.5 * (k / 2)) / size, &p);
            for (int c = 0; c < 3; ++c) sum[c] += p.rgb[c] / 4;
        }
        look(s, (x + 0.5) / size, (y + 0.5) / size, &p);
        for (int c = 0; c < 3; ++c) {
            const double value = 255 * sum[c] + 3 * paced_rng_normal(rng);
            pair->image[3 * i + c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
        }
        memcpy(pair->mask + 3 * i, classes[p.class].colour, 3);
    }
}

static void draw(void *scene, uint64_t seed, int i, struct paced_rng *rng, struct synth_pair *pair) {
    const char *folder = pair->phase == PACED_VAL ? "val" : "train";
    compose(scene, rng);
    render(scene, rng, pair);
    pair->image_name = paced_format("%s/scene_%05d.png", folder, i + 1);
    pair->mask_name = paced_format("%s/scene_%05d_mask.png", folder, i + 1);
}

static enum paced_err write_labels(const char *dir) {
    struct paced_text text = {0};
    for (int c = 0; c < CLASSES; ++c)
        paced_text_add(&text, "%s\n  {\"name\": \"%s\", \"color\": [%d, %d, %d], \"classid\": %d}", c == 0 ? "[" : ",",
                       classes[c].name, classes[c].colour[0], classes[c].colour[1], classes[c].colour[2], c);
    paced_text_add(&text, "\n]\n");
    char *path = paced_path_join(dir, LABELS);
    enum paced_err err = paced_file_write(path, text.data, text.size);
    free(path);
    free(text.data);
    return err;
}

enum paced_err paced_synth_scene(const char *dir, int64_t count, int64_t size, uint64_t seed) {
    static const char *const folders[] = {"train", "val"};
    static const struct synth_set set = {
        folders, PACED_COUNT(folders), sizeof(struct scene), PACED_STREAM_SYNTH, 3, draw, write_labels, true};
    return synth_write(&set, dir, count, size, seed);
}
