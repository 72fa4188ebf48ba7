/* Mask of a needle and the line through it. Private to the metrics module. */
#ifndef PACED_METRICS_NEEDLE_H
#define PACED_METRICS_NEEDLE_H

#include "src/metrics/components.h"

/* Computes mask[height][width] from logits[height][width][2]: the foreground probability is stretched to 0..255 and
 * thresholded above 127, and the outline of largest area is kept, filled. Empty if the probability is constant. */
void needle_mask(struct components *components, const float *logits, uint8_t *mask, size_t pixels);

/* Principal axis of the non-zero pixels (total least squares). */
struct needle_line {
    bool found;      /* false: the mask is empty */
    double angle;    /* counter-clockwise from the horizontal, degrees, -90 to 90; 0 for an isotropic mask */
    double distance; /* signed distance from the image centre, pixels; positive to the left of the direction */
};
struct needle_line needle_fit(const uint8_t *mask, int width, int height);

/* Squared differences, with angles modulo 180 degrees. 0 if both lines are missing; (90 degrees)^2 and diagonal^2 if
 * one is missing. diagonal: that of the image, pixels. */
struct needle_errors {
    double angle, distance;
};
struct needle_errors needle_compare(const struct needle_line *prediction, const struct needle_line *label,
                                    double diagonal);

#endif
