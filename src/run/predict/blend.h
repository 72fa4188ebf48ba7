/* Weighted mean of the logits of overlapping windows, row by row from top to bottom. Only the rows that later windows
 * reach are stored, at most the height of a window, whatever the height of the image. */
#ifndef PACED_RUN_BLEND_H
#define PACED_RUN_BLEND_H

#include "paced/base.h"
#include "src/run/predict/windows.h"

/* Receives row y of the image, logits[width][classes], once it is complete. */
typedef enum paced_err blend_row(void *context, int y, const float *logits);

struct blend {
    const struct windows *down, *across;
    int classes, kept; /* kept: rows in `sum` */
    int next;          /* first row that has not been delivered */
    float *sum;        /* [kept][width][classes], starting at row `next` */
    blend_row *row;
    void *context;
};

/* The windows must outlive the blend. */
void blend_start(struct blend *blend, const struct windows *down, const struct windows *across, int classes,
                 blend_row *row, void *context);
void blend_finish(struct blend *blend);

/* Adds logits[down->size][across->size][classes] of the window i down and j across, weighted by `part`; mirrored: the
 * columns run from right to left. i must not decrease, because the rows above window i are delivered. */
enum paced_err blend_add(struct blend *blend, int i, int j, float part, bool mirrored, const float *logits);
/* Delivers the remaining rows after the last window. */
enum paced_err blend_end(struct blend *blend);

#endif
