/* Distances between the outlines of masks. Private to the metrics module.
 *
 * The outline of a mask is the mask without its erosion by a cross of five pixels; pixels outside the image are
 * background. Distances are Euclidean, from each pixel of either outline to the nearest pixel of the other one:
 *   hd95 = maximum of the 95th percentiles of the two directions (linear interpolation)
 *   nsd  = fraction of all these distances that are at most `tolerance`
 * as in MONAI's HausdorffDistanceMetric(percentile=95) and SurfaceDiceMetric. Cases that MONAI leaves undefined: 0 and
 * 1 if both masks are empty, sqrt(width^2 + height^2) and 0 if one is. */
#ifndef PACED_METRICS_SURFACE_H
#define PACED_METRICS_SURFACE_H

#include "paced/base.h"

struct surface;
struct surface *surface_create(int width, int height);
void surface_destroy(struct surface *surface);

struct surface_figures {
    double hd95, nsd;
};
/* Compares the masks of class `class_index` of two maps [height][width]. */
struct surface_figures surface_compare(struct surface *surface, const uint8_t *prediction, const uint8_t *label,
                                       uint8_t class_index, double tolerance);

#endif
