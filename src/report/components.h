/* Connected components of label maps. Private to the report room. */
#ifndef PACED_REPORT_COMPONENTS_H
#define PACED_REPORT_COMPONENTS_H

#include "paced/base.h"

/* Memory for maps [height][width]. */
struct components;
struct components *components_create(int width, int height);
void components_destroy(struct components *components);

/* Of each class from 1 on, leaves the component (8 neighbours) of most pixels, the first of equals in reading order;
 * the others become background. */
void components_keep_largest(struct components *components, uint8_t *map, int classes);

/* Leaves, as 1, the component of non-zero pixels (8 neighbours) whose outer contour, the polygon through the centres of
 * its border pixels, encloses the largest area, and all that this contour encloses. Of equal areas the one whose first
 * pixel is the last in reading order: OpenCV lists its contour before the others. */
void components_keep_outline(struct components *components, uint8_t *map);

#endif
