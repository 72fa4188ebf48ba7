/* Outlines of masks and how far apart they lie. Private to the report room.
 *
 * The outline of a mask is the mask without its erosion by the cross of a pixel and its four neighbours, what is beyond
 * the image being background. From each pixel of either outline, the Euclidean distance to the nearest pixel of the
 * other one:
 *   hd95 = the larger of the two directions' 95th percentiles (linear interpolation)
 *   nsd  = the share of all these distances that are at most `tolerance`
 * as MONAI's HausdorffDistanceMetric(percentile=95) and SurfaceDiceMetric have them. Where MONAI has no number: both
 * masks empty 0 and 1, one of them empty sqrt(width^2 + height^2) and 0. */
#ifndef PACED_REPORT_SURFACE_H
#define PACED_REPORT_SURFACE_H

#include "paced/base.h"

struct surface;
struct surface *surface_create(int width, int height);
void surface_destroy(struct surface *surface);

struct surface_figures {
    double hd95, nsd;
};
/* Of the pixels [height][width] where each map is `class_index`. */
struct surface_figures surface_compare(struct surface *surface, const uint8_t *prediction, const uint8_t *label,
                                       uint8_t class_index, double tolerance);

#endif
