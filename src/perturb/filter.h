/* filter: filters over neighbourhoods of pixels. Private to the perturb module. */
#ifndef PACED_PERTURB_FILTER_H
#define PACED_PERTURB_FILTER_H

#include "paced/base.h"

/* Pixels beyond the border of a b c d:
 *   nearest  a a | a b c d | d d    mirrored  c b | a b c d | c b    doubled  b a | a b c d | d c    black  0 0 | ...
 */
enum border { BORDER_NEAREST, BORDER_MIRRORED, BORDER_DOUBLED, BORDER_BLACK };

/* The pixel, 0 to size - 1, that stands for pixel i of a line; -1 for black. */
int border_index(int i, int size, enum border border);

/* A copy of pixels[height][width][channels] with `margin` more pixels on each side, to be freed. The margin may be
 * wider than the image; mirroring then repeats. */
float *filter_pad(const float *pixels, struct paced_extent extent, int channels, int margin, enum border border);

/* Smooths pixels[height][width][channels] in place, per channel, first down its columns, then along its rows, by a
 * Gaussian of stddev `sigma` (pixels), truncated at `radius` pixels. */
void filter_smooth_within(float *pixels, struct paced_extent extent, int channels, double sigma, int radius,
                          enum border border);
/* The same, truncated at 4 sigma. Border: nearest. */
void filter_smooth(float *pixels, struct paced_extent extent, int channels, double sigma);

/* Replaces pixels[height][width][channels], per channel, with kernel[2 radius + 1][2 radius + 1]: the sum over (i, j)
 * of kernel[i][j] * pixel (y + i - radius, x + j - radius). Border: mirrored. */
void filter_correlate(float *pixels, struct paced_extent extent, int channels, const float *kernel, int radius);

/* Writes weights[2 radius + 1] of a Gaussian, whose sum is 1. */
void filter_gaussian(float *weights, int radius, double sigma);

/* out[count] += weight * in[count] */
void filter_add_row(float *restrict out, const float *restrict in, float weight, size_t count);

#endif
