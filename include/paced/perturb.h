/* perturb: changes of an image and its mask, on the host: corruptions and geometric perturbations, which measure
 * robustness, and augmentation, which trains it. Corruptions follow ImageNet-C (Hendrycks and Dietterich, ICLR 2019),
 * in their details the Python package `imagecorruptions` ("the reference"); its constants are in pixels and meant for
 * about 224 x 224; they are the same at every size, so that a small image suffers more. */
#ifndef PACED_PERTURB_H
#define PACED_PERTURB_H

#include "paced/base.h"

/* rgb[size][size][3], values in 0..1; label[size][size], which moves with the image where pixels move. */
struct paced_sample {
    int size;
    float *rgb;
    uint8_t *label;
};

enum { PACED_SEVERITIES = 5 };

/* The table's order: the corruptions of the appearance first, then the geometric perturbations. */
size_t paced_corruption_count(void);
const char *paced_corruption_name(size_t corruption);
bool paced_corruption_is_geometric(size_t corruption);
/* False for a name that is not in the table. */
bool paced_corruption_find(const char *name, size_t *corruption);

/* Marks what a list names, in chosen[paced_corruption_count()]: "all" stands for the corruptions of the appearance,
 * "geometric" for the others. PACED_INVALID for a name that is not in the table, with the nearest one, or for none;
 * `where` begins the message. */
enum paced_err paced_corruptions_read(const char *where, const char *list, bool *chosen);
enum paced_err paced_corruptions_check(const char *where, const char *list); /* the same, for the message alone */

/* The same for a list of severities: chosen[severity]. */
enum paced_err paced_severities_read(const char *where, const char *list, bool chosen[PACED_SEVERITIES + 1]);
enum paced_err paced_severities_check(const char *where, const char *list);

/* Changes the sample in place; severity 1..PACED_SEVERITIES. All that is random comes from `rng`. */
enum paced_err paced_corrupt(size_t corruption, int severity, struct paced_rng *rng, struct paced_sample *sample);

/* ---- augmentation -------------------------------------------------------------------------------------------- */

/* What is done at random to training samples, from a list such as "hflip, rotate(15), scale(0.9, 1.1)"; "none":
 * nothing. The names are rows of a table in src/perturb/augment.c, each allowed once. A sample's random numbers come
 * from (seed, epoch, its index) alone. */
enum { PACED_AUGMENT_MOST = 16 };

struct paced_augment {
    uint64_t seed, epoch; /* 0 after parsing: the trainer's to set */
    size_t count;
    struct paced_augment_item {
        size_t kind; /* the table's row */
        double argument[2];
    } items[PACED_AUGMENT_MOST];
};

/* PACED_INVALID for a name, a number of arguments or an argument that the table does not allow; `where` begins the
 * message. */
enum paced_err paced_augment_parse(struct paced_augment *augment, const char *where, const char *list);
enum paced_err paced_augment_check(const char *where, const char *list); /* the same, for the message alone */

/* Changes the sample of this index in place: first the moves (flips, rotation, ...), all in one step, in the list's
 * order, elastic last; then the changes of appearance, in the list's order. `augment` is a struct paced_augment; the
 * type is that of paced_change's `apply`. */
enum paced_err paced_augment_apply(const void *augment, size_t index, int size, float *rgb, uint8_t *label);

/* Versions of a sample: bits of what it was flipped by. */
enum { PACED_FLIP_H = 1, PACED_FLIP_V = 2, PACED_FLIP_VERSIONS = 4 };

/* Is there nothing but flips in the list (or nothing at all)? Then *flips are those of which a sample may have any. */
bool paced_augment_only_flips(const struct paced_augment *augment, unsigned *flips);
/* Those that paced_augment_apply gives this sample; of a list of nothing but flips. */
unsigned paced_augment_flips(const struct paced_augment *augment, size_t index);
/* These flips for any sample (`flips`: an unsigned); exact. A paced_change's `apply`, too. */
enum paced_err paced_flip(const void *flips, size_t index, int size, float *rgb, uint8_t *label);

#endif
