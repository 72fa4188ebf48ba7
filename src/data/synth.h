/* synth: common functions of the synthetic sets: smooth random fields, speckle, files. Private to the data module. */
#ifndef PACED_DATA_SYNTH_H
#define PACED_DATA_SYNTH_H

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

/* Smooth step: 0 below `from`, 1 above `to`. */
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

/* Value noise: smoothly interpolated random values on a lattice with a period of NOISE_LATTICE cells. */
struct noise {
    float value[NOISE_LATTICE][NOISE_LATTICE];
};

void noise_fill(struct noise *n, struct paced_rng *rng);
double noise_at(const struct noise *n, double x, double y);     /* -1..1 */
double noise_clouds(const struct noise *n, double x, double y); /* three octaves; about -1..1 */
/* Thin bright curves along the zero lines of a noise field: 1 on the line, 0 away from it. */
double noise_lines(const struct noise *n, double x, double y, double thickness);

/* ---- speckle ------------------------------------------------------------------------------------------------- */

#define SYNTH_RANGE_DB 60.0 /* from black to white */

/* Speckle power[size * size] with mean 1. The grain is wider than tall, like a scanner's resolution cell. */
void speckle_make(float *power, int size, struct paced_rng *rng);
/* Grey value of a level in decibels relative to white (negative: darker) and a speckle power. */
uint8_t speckle_grey(double level, double power);

/* ---- files --------------------------------------------------------------------------------------------------- */

/* Checks the number and the size of images; PACED_INVALID if out of range. */
enum paced_err synth_check(int64_t count, int64_t size);
/* Creates the folders below dir and removes the splits of an earlier set, whose images will be replaced. */
enum paced_err synth_begin(const char *dir, const char *const *folders, size_t count);
/* Shows progress before image i (from 0) on the terminal's status line; PACED_STOPPED after Ctrl-C. */
enum paced_err synth_next(int i, int count);
/* Phase of image i: every fifth is for validation. */
enum paced_phase synth_phase(int i);
/* Writes image and mask, both [size][size][channels]; names are relative to dir. */
enum paced_err synth_write_pair(const char *dir, const char *image_name, const char *mask_name, int size, int channels,
                                const uint8_t *image, const uint8_t *mask);
/* Adds a pair to the list of its split. Names must not need JSON escaping. */
void synth_list_pair(struct paced_text *split, const char *image_name, const char *mask_name);
/* Writes dir/train.json and dir/val.json if `err` is PACED_OK, and releases the lists. Splits are written last, so that
 * their presence implies a complete set. Returns the first error. */
enum paced_err synth_write_splits(const char *dir, struct paced_text splits[2], enum paced_err err);

#endif
