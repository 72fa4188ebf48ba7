/* augment: a row of the table of augmentations. Private to the perturb room. */
#ifndef PACED_SRC_PERTURB_AUGMENT_H
#define PACED_SRC_PERTURB_AUGMENT_H

#include "src/perturb/warp.h"

/* Where a sample's pixels are moved. */
struct augment_moves {
    struct paced_rng *rng;
    int size;
    struct paced_warp warp;
    unsigned flips; /* that are part of it */
};

/* An augmentation either moves or changes what the values[count] are, in 0..1 before; they are cut off to that after.
 */
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
