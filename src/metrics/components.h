/* Connected components of label maps. Private to the metrics module. */
#ifndef PACED_METRICS_COMPONENTS_H
#define PACED_METRICS_COMPONENTS_H

#include "paced/base.h"

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

#endif
