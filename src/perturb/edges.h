/* edges: outlines in a grey image, and the distance to them. Private to the perturb room. */
#ifndef PACED_SRC_PERTURB_EDGES_H
#define PACED_SRC_PERTURB_EDGES_H

#include "paced/base.h"

/* edge[size][size]: 1 on the outlines of grey[size][size], else 0 (Canny, 1986). Outlines are ridges of the gradient
 * (Sobel, |dx| + |dy|) above `low` that are connected to one above `high`. */
void paced_edges(const uint8_t *grey, int size, int low, int high, uint8_t *edge);

/* distance[size][size], in pixels, to the nearest edge, at most `most`: chamfer distance over a 5 x 5 neighbourhood
 * (Borgefors, 1986). */
void paced_distance(const uint8_t *edge, int size, float most, float *distance);

#endif
