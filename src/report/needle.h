/* A needle's mask from probabilities, and the line that it lies on. Private to the report room. */
#ifndef PACED_REPORT_NEEDLE_H
#define PACED_REPORT_NEEDLE_H

#include "src/report/components.h"

/* mask[height][width] from logits[height][width][2]: the foreground's probability, stretched so that its least is 0 and
 * its greatest 255; where that is above 127, the outline of largest area, filled. Nothing where it is the same
 * everywhere. */
void needle_mask(struct components *components, const float *logits, uint8_t *mask, size_t pixels);

/* The principal axis of the pixels that are not 0 (total least squares). */
struct needle_line {
    bool found;      /* false: no pixels, no line */
    double angle;    /* degrees in -90 .. 90 from the horizontal, counter-clockwise; 0 where no direction stands out */
    double distance; /* pixels from the image's centre, positive to the left of that direction (above, at 0 degrees) */
};
struct needle_line needle_fit(const uint8_t *mask, int width, int height);

/* Squared differences, of angles modulo 180 degrees. Without either line 0; without one of them 90 degrees and the
 * image's diagonal, `diagonal`, squared. */
struct needle_errors {
    double angle, distance;
};
struct needle_errors needle_compare(const struct needle_line *prediction, const struct needle_line *label,
                                    double diagonal);

#endif
