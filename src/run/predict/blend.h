/* The weighted mean of overlapping windows' logits, row by row from the image's top to its bottom. Only the rows that
 * windows to come still reach are kept: as many as a window is high, whatever the image's height. */
#ifndef PACED_RUN_BLEND_H
#define PACED_RUN_BLEND_H

#include "paced/base.h"
#include "src/run/predict/windows.h"

/* Takes row y of the image, logits[width][classes], once it is whole. */
typedef enum paced_err blend_row(void *context, int y, const float *logits);

struct blend {
    const struct windows *down, *across;
    int classes, kept; /* kept: rows in `sum` */
    int next;          /* the first row that has not been given away */
    float *sum;        /* [kept][width][classes], from row `next` on */
    blend_row *row;
    void *context;
};

/* The windows must outlive the blend. */
void blend_start(struct blend *blend, const struct windows *down, const struct windows *across, int classes,
                 blend_row *row, void *context);
void blend_finish(struct blend *blend);

/* Adds logits[size][size][classes] of the window i down and j across, `part` of a whole one; mirrored: they stand from
 * right to left. Windows come with i rising: the rows above window i are given away. */
enum paced_err blend_add(struct blend *blend, int i, int j, float part, bool mirrored, const float *logits);
/* After the last window: gives the other rows away. */
enum paced_err blend_end(struct blend *blend);

#endif
