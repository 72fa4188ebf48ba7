/* Parts of the evaluator, and the statistics of tests. Private to the metrics module. */
#ifndef PACED_METRICS_PARTS_H
#define PACED_METRICS_PARTS_H

#include "paced/metrics.h"

/* ---- statistics.c: order statistics and bootstrap draws ------------------------------------------------------ */

enum { RESAMPLES = 10000 };

/* Sorts values in ascending order; they must not include NaN. */
void statistics_sort(double *values, size_t count);

/* q-quantile of values in ascending order, count > 0, linearly interpolated at q (count - 1), as by default in NumPy
 * and PyTorch. */
double statistics_quantile(const double *sorted, size_t count, double q);

/* Sorts the means of resampled sets, values[RESAMPLES], and sets the limits of their 95 % interval. */
void statistics_interval(double *values, double *low, double *high);

/* Draws `count` indices below `count` with replacement. */
void statistics_draw(struct paced_rng *rng, uint32_t *draw, size_t count);

/* ---- components.c: connected components of label maps -------------------------------------------------------- */

/* Scratch memory for maps [height][width]. */
struct components;
struct components *components_create(int width, int height);
void components_destroy(struct components *components);

/* Keeps the largest component (8 neighbours) of each class from 1 on, of equal ones the first in reading order; the
 * others become background. */
void components_keep_largest(struct components *components, uint8_t *map, int classes);

/* Keeps, as 1, the component of non-zero pixels (8 neighbours) whose outer contour, the polygon through the centres of
 * its border pixels, encloses the largest area, with its holes filled. Of equal areas, the component whose first pixel
 * is last in reading order is kept, because OpenCV lists its contour first. */
void components_keep_outline(struct components *components, uint8_t *map);

/* ---- needle.c: mask of a needle and the line through it ------------------------------------------------------ */

/* Computes mask[height][width] from logits[height][width][2]: the foreground probability is stretched to 0..255 and
 * thresholded above 127, and the outline of largest area is kept, filled. Empty if the probability is constant. */
void needle_mask(struct components *components, const float *logits, uint8_t *mask, size_t pixels);

/* Principal axis of the pixels that are neither 0 nor ignored (total least squares). */
struct needle_line {
    bool found;      /* false: the mask is empty */
    double angle;    /* counter-clockwise from the horizontal, degrees, -90 to 90; 0 for an isotropic mask */
    double distance; /* signed distance from the image centre, pixels; positive to the left of the direction */
};
struct needle_line needle_fit(const uint8_t *mask, int width, int height);

/* Squared differences, with angles modulo 180 degrees. 0 if both lines are missing; (90 degrees)^2 and diagonal^2 if
 * one is missing. diagonal: that of the image, pixels. */
struct paced_metrics needle_compare(const struct needle_line *prediction, const struct needle_line *label,
                                    double diagonal);

/* ---- surface.c: distances between the outlines of masks ------------------------------------------------------ */

/* The outline of a mask is the mask without its erosion by a cross of five pixels; pixels outside the image are
 * background. Distances are Euclidean, from each pixel of either outline to the nearest pixel of the other one:
 *   hd95 = maximum of the 95th percentiles of the two directions (linear interpolation)
 *   nsd  = fraction of all these distances that are at most `tolerance`
 * as in MONAI's HausdorffDistanceMetric(percentile=95) and SurfaceDiceMetric. Ignored pixels are background. Cases that
 * MONAI leaves undefined: 0 and 1 if both masks are empty, sqrt(width^2 + height^2) and 0 if one is. */
struct surface;
struct surface *surface_create(int width, int height);
void surface_destroy(struct surface *surface);
/* Sets the distances between rows and between columns; both are 1 at first. */
void surface_set_spacing(struct surface *surface, const double spacing[2]);

/* Compares the masks of class `class_index` of two maps [height][width]. */
struct paced_metrics surface_compare(struct surface *surface, const uint8_t *prediction, const uint8_t *label,
                                     uint8_t class_index, double tolerance);

#endif
