/* synth: common functions of the synthetic sets: smooth random fields, ultrasound, files. Private to the data module.
 */
#ifndef PACED_DATA_SYNTH_H
#define PACED_DATA_SYNTH_H

#include <math.h>

#include "paced/data.h"

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

/* ---- sets ---------------------------------------------------------------------------------------------------- */

/* An image and its mask, both [size][size][channels], and their files relative to the set's directory. */
struct synth_pair {
    int size;
    enum paced_phase phase;
    uint8_t *image, *mask;
    char *image_name, *mask_name;
};

#define LABELS "labels.json"

struct synth_set {
    const char *const *folders;
    size_t folder_count, scene_bytes;
    uint64_t stream; /* of image 0 */
    int channels;
    /* Draws image i and names its files; the driver frees the names. `scene` is zero before the first image. */
    void (*draw)(void *scene, uint64_t seed, int i, struct paced_rng *rng, struct synth_pair *pair);
    enum paced_err (*write_labels)(const char *dir); /* LABELS; NULL: none */
    bool lists_base_names;                           /* the splits omit the folders; names need no JSON escaping */
};

/* Writes the images of a set, then train.json and val.json, whose presence thus implies a complete set. Every fifth
 * image is for validation. PACED_STOPPED after Ctrl-C. */
enum paced_err synth_write(const struct synth_set *set, const char *dir, int64_t count, int64_t size, uint64_t seed);

/* Renders ultrasound: level(x, y) in decibels relative to white (-INFINITY: black), with speckle, and a mask. */
struct synth_ultrasound {
    double (*level)(const void *scene, double x, double y);
    bool (*is_object)(const void *scene, double x, double y);
};
void synth_render(const struct synth_ultrasound *view, const void *scene, struct paced_rng *rng,
                  struct synth_pair *pair);

#endif
