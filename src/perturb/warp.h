/* warp: moves the pixels of an image and of its mask together. Private to the perturb room.
 *
 * A warp says of each pixel of the result where in the sample it comes from. With places in pixels from the image's
 * centre, x to the right and y downwards:
 *     source = M (pixel + d(pixel)) + t        d: a displacement field, or nothing
 * The image is read there bilinearly, the label from the nearest pixel. Whole pixels stay exact: an identity, flips,
 * quarter turns and whole shifts give the very values. Moves add up before anything is read, so that an image is
 * interpolated once, however many there are. */
#ifndef PACED_SRC_PERTURB_WARP_H
#define PACED_SRC_PERTURB_WARP_H

#include "paced/perturb.h"

struct paced_warp {
    double xx, xy, yx, yy, x, y; /* M and t */
    float *dx, *dy;              /* d, each [size][size]; NULL: none */
};

/* What is beyond the image: 0 and background, or its mirror image (d c b a | a b c d | d c b a). */
enum paced_beyond { PACED_BEYOND_BLACK, PACED_BEYOND_MIRROR };

/* The moves, each upon the result of those before; paced_warp_finish releases what they take. */
void paced_warp_init(struct paced_warp *warp); /* the identity */
void paced_warp_flip(struct paced_warp *warp, bool horizontally, bool vertically);
void paced_warp_rotate(struct paced_warp *warp, double degrees); /* counter-clockwise */
void paced_warp_scale(struct paced_warp *warp, double factor);   /* above 1: what is shown grows */
void paced_warp_shift(struct paced_warp *warp, double x, double y);
/* ImageNet-C's elastic deformation, which comes after all other moves: see elastic.c. */
void paced_warp_elastic(struct paced_warp *warp, double alpha, struct paced_rng *rng, int size);
void paced_warp_finish(struct paced_warp *warp);

void paced_warp_apply(const struct paced_warp *warp, enum paced_beyond border, struct paced_sample *sample);

#endif
