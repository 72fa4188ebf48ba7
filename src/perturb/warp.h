/* warp: moves the pixels of an image and its mask together. Private to the perturb module.
 *
 * A warp maps each pixel of the result to its source, in pixels from the image's centre, x to the right, y downwards:
 *     source = M (pixel + d(pixel)) + t        d: an optional displacement field
 * The image is interpolated bilinearly, the label taken from the nearest pixel. The identity, flips, quarter turns and
 * shifts by whole pixels are exact. Moves are composed first, so that an image is interpolated only once. */
#ifndef PACED_PERTURB_WARP_H
#define PACED_PERTURB_WARP_H

#include "paced/perturb.h"
#include "src/perturb/filter.h"

struct paced_warp {
    double xx, xy, yx, yy, x, y; /* M and t */
    float *dx, *dy;              /* d, each [size][size], x first; NULL: none */
};

/* The moves, each applied to the result of those before. paced_warp_finish releases the displacement field. */
void paced_warp_init(struct paced_warp *warp); /* the identity */
void paced_warp_flip(struct paced_warp *warp, bool horizontally, bool vertically);
void paced_warp_rotate(struct paced_warp *warp, double degrees); /* counter-clockwise */
void paced_warp_scale(struct paced_warp *warp, double factor);   /* above 1 enlarges */
void paced_warp_shift(struct paced_warp *warp, double x, double y);
/* ImageNet-C's elastic deformation, applied after all other moves. Replaces an earlier one. */
void paced_warp_elastic(struct paced_warp *warp, double alpha, struct paced_rng *rng, int size);
void paced_warp_finish(struct paced_warp *warp);

/* Moves the sample's pixels in place. Border: black (and background) or doubled. */
void paced_warp_apply(const struct paced_warp *warp, enum paced_border border, struct paced_sample *sample);

#endif
