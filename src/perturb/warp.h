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

struct warp {
    double xx, xy, yx, yy, x, y; /* M and t */
    float *dx, *dy;              /* d, each [height][width]; NULL: none */
};

/* The moves, each applied to the result of those before. warp_finish releases the displacement field. */
void warp_init(struct warp *warp); /* the identity */
void warp_flip(struct warp *warp, bool horizontally, bool vertically);
void warp_rotate(struct warp *warp, double degrees); /* counter-clockwise */
void warp_scale(struct warp *warp, double factor);   /* above 1 enlarges */
void warp_shift(struct warp *warp, double x, double y);
/* ImageNet-C's elastic deformation, applied after all other moves. Replaces an earlier one. */
void warp_elastic(struct warp *warp, double alpha, struct paced_rng *rng, struct paced_extent extent);
void warp_finish(struct warp *warp);

/* Moves the sample's pixels in place. Border: black (with the label `outside`) or doubled. */
void warp_apply(const struct warp *warp, enum border border, struct paced_sample *sample);

#endif
