/* perturb: changes of an image and its mask on the host: corruptions and geometric perturbations for measuring
 * robustness, and augmentation for training. Corruptions follow ImageNet-C (Hendrycks and Dietterich, ICLR 2019) as
 * implemented by the Python package `imagecorruptions` ("the reference"). Its constants are in pixels, chosen for about
 * 224 x 224, and used unchanged at every size, so that small images are affected more. */
#ifndef PACED_PERTURB_H
#define PACED_PERTURB_H

#include "paced/base.h"

/* An image rgb[height][width][3], 0 to 1, and its mask label[height][width], which moves with the image. Pixels that
 * come from outside the image are black, with the label `outside`: 0, or PACED_IGNORED. */
struct paced_sample {
    struct paced_extent extent;
    float *rgb;
    uint8_t *label, outside;
};

enum { PACED_SEVERITIES = 5 };

/* Indices are rows of the table: first the corruptions of appearance, then the geometric perturbations. */
size_t paced_corruption_count(void);
const char *paced_corruption_name(size_t corruption);
bool paced_corruption_is_geometric(size_t corruption);
/* Returns false for a name that is not in the table. */
bool paced_corruption_find(const char *name, size_t *corruption);

/* Sets chosen[paced_corruption_count()] for the names of a list. "all" stands for the corruptions of appearance,
 * "geometric" for the others. PACED_INVALID for an empty list or an unknown name (suggests the nearest one); `where`
 * begins the message. */
enum paced_err paced_corruptions_read(const char *where, const char *list, bool *chosen);
enum paced_err paced_corruptions_check(const char *where, const char *list); /* the same without a result */

/* Sets chosen[severity] for the severities of a list, 1 to PACED_SEVERITIES. */
enum paced_err paced_severities_read(const char *where, const char *list, bool chosen[PACED_SEVERITIES + 1]);
enum paced_err paced_severities_check(const char *where, const char *list);

/* Changes the sample in place. Severity: 1 to PACED_SEVERITIES. All random numbers come from `rng`. */
enum paced_err paced_corrupt(size_t corruption, int severity, struct paced_rng *rng, struct paced_sample *sample);

/* ---- augmentation -------------------------------------------------------------------------------------------- */

/* Random changes of training samples, from a list such as "hflip, rotate(15), scale(0.9, 1.1)" or "none". Names are
 * rows of the table in src/perturb/augment.c; each may occur once. A sample's random numbers depend only on the seed,
 * the epoch and the sample's index. */
enum { PACED_AUGMENT_MOST = 16 };

struct paced_augment {
    uint64_t seed, epoch; /* these are 0 after parsing; the trainer sets them */
    uint8_t outside;      /* label of pixels from outside the image */
    size_t count;
    struct paced_augment_item {
        size_t kind; /* row of the table */
        double argument[2];
    } items[PACED_AUGMENT_MOST];
};

/* Parses a list. PACED_INVALID for a name, a number of arguments or an argument that the table does not allow; `where`
 * begins the message. */
enum paced_err paced_augment_parse(struct paced_augment *augment, const char *where, const char *list);
enum paced_err paced_augment_check(const char *where, const char *list); /* the same without a result */

/* Changes the sample of this index in place: first all moves (flips, rotation, ...) in one interpolation, in the list's
 * order but elastic last; then the changes of appearance, in the list's order. `augment`: a struct paced_augment. The
 * signature is that of paced_change's `apply`. */
enum paced_err paced_augment_apply(const void *augment, size_t index, struct paced_extent extent, float *rgb,
                                   uint8_t *label);

/* Flips of a sample, as bits. */
enum { PACED_FLIP_H = 1, PACED_FLIP_V = 2, PACED_FLIP_VERSIONS = 4 };

/* True if the list has only flips or is empty. *flips then receives the flips that a sample may have. */
bool paced_augment_only_flips(const struct paced_augment *augment, unsigned *flips);
/* The flips that paced_augment_apply gives this sample, for a list of flips only. */
unsigned paced_augment_flips(const struct paced_augment *augment, size_t index);
/* Flips a sample exactly. `flips`: an unsigned; `index` is ignored. The signature is that of paced_change's `apply`. */
enum paced_err paced_flip(const void *flips, size_t index, struct paced_extent extent, float *rgb, uint8_t *label);

#endif
