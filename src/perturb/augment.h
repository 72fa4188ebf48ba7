/* augment: a row of the table of augmentations. Private to the perturb module. */
#ifndef PACED_PERTURB_AUGMENT_H
#define PACED_PERTURB_AUGMENT_H

#include "src/perturb/warp.h"

/* The moves of a sample's pixels. */
struct augment_moves {
    struct paced_rng *rng;
    int size;
    struct paced_warp warp;
    unsigned flips; /* the flips in `warp` */
};

/* An augmentation either moves pixels or changes values[count], 0 to 1 before; the caller clamps the results. */
struct augment_kind {
    const char *name;
    int arguments;
    double min, max; /* of each argument */
    const char *example;
    void (*move)(struct augment_moves *moves, const double *arguments);
    void (*look)(struct paced_rng *rng, const double *arguments, float *values, size_t count);
};

extern const struct augment_kind paced_augment_kinds[];
extern const size_t paced_augment_kind_count; /* at most PACED_AUGMENT_MOST */

#endif
