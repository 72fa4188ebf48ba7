/* filter: neighbourhoods of pixels. Private to the perturb room. */
#ifndef PACED_SRC_PERTURB_FILTER_H
#define PACED_SRC_PERTURB_FILTER_H

#include "paced/base.h"

/* What stands beyond the border:  nearest  a a | a b c d | d d    mirrored  c b | a b c d | c b */
enum paced_border { PACED_BORDER_NEAREST, PACED_BORDER_MIRRORED };

/* pixels[size][size][channels] with `margin` pixels more on each side; to be freed. Any margin: a margin wider than
 * the image repeats it, back and forth where mirrored. */
float *paced_pad(const float *pixels, int size, int channels, int margin, enum paced_border border);

/* In place, pixels[size][size][channels], each channel for itself. */

/* A Gaussian of deviation `sigma` (pixels), cut off at 4 sigma; the border is continued by the nearest pixel. */
void paced_smooth(float *pixels, int size, int channels, double sigma);

/* sum over (i, j) of kernel[i][j] * pixel (y + i - radius, x + j - radius), kernel[2 radius + 1][2 radius + 1]; the
 * border is mirrored. */
void paced_correlate(float *pixels, int size, int channels, const float *kernel, int radius);

/* weights[2 radius + 1] of a Gaussian; their sum is 1. */
void paced_gaussian(float *weights, int radius, double sigma);

/* out += weight * in */
void paced_add_row(float *restrict out, const float *restrict in, float weight, size_t count);

#endif
