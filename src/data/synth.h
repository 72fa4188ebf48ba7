/* synth: what the synthetic sets share: smooth random fields, speckle, and their files. Private to the data room. */
#ifndef PACED_SRC_DATA_SYNTH_H
#define PACED_SRC_DATA_SYNTH_H

#include <math.h>

#include "paced/data.h"

#define PI 3.14159265358979323846

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static inline double between(struct paced_rng *rng, double low, double high) {
    return low + (high - low) * paced_rng_uniform(rng);
}

static inline double mix(double a, double b, double t) {
    return a + (b - a) * t;
}

/* 0 below `from`, 1 above `to`, smooth between. */
static inline double smooth_step(double from, double to, double x) {
    double t = (x - from) / (to - from);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

static inline double bell(double x, double width) {
    return exp(-(x / width) * (x / width));
}

/* ---- smooth random fields ------------------------------------------------------------------------------------ */

enum { NOISE_LATTICE = 64 };

/* Value noise: random values on a lattice that repeats after NOISE_LATTICE cells, joined smoothly. */
struct noise {
    float value[NOISE_LATTICE][NOISE_LATTICE];
};

void noise_fill(struct noise *n, struct paced_rng *rng);
double noise_at(const struct noise *n, double x, double y);     /* -1..1 */
double noise_clouds(const struct noise *n, double x, double y); /* three octaves; about -1..1 */
/* Bright thin curves (1 on the line, 0 away from it): the zero lines of a noise field. */
double noise_lines(const struct noise *n, double x, double y, double thickness);

/* ---- speckle ------------------------------------------------------------------------------------------------- */

#define SYNTH_RANGE_DB 60.0 /* from black to white */

/* power[size * size]: mean 1. The grain is wider than tall, as a scanner's resolution cell is. */
void speckle_make(float *power, int size, struct paced_rng *rng);
/* level in decibels below white. */
uint8_t speckle_grey(double level, double power);

/* ---- files --------------------------------------------------------------------------------------------------- */

/* PACED_INVALID for a number or a size of pictures that is not possible. */
enum paced_err synth_check(int64_t count, int64_t size);
/* Makes the folders below dir, and removes the splits of an earlier set there, which this one's pictures replace. */
enum paced_err synth_begin(const char *dir, const char *const *folders, size_t count);
/* Before each picture, i from 0: says on the terminal's status line which is at work; PACED_STOPPED after Ctrl-C. */
enum paced_err synth_next(int i, int count);
/* Every fifth picture is for validation. */
enum paced_phase synth_phase(int i);
/* image and mask [size][size][channels]; names below dir. */
enum paced_err synth_write_pair(const char *dir, const char *image_name, const char *mask_name, int size, int channels,
                                const uint8_t *image, const uint8_t *mask);
/* Adds a pair to the list of its split; names that need no escaping. */
void synth_list_pair(struct paced_text *split, const char *image_name, const char *mask_name);
/* Writes dir/train.json and dir/val.json where `err` is PACED_OK, and releases the lists. They come last: where they
 * are, the images are. Returns the first error. */
enum paced_err synth_write_splits(const char *dir, struct paced_text splits[2], enum paced_err err);

#endif
