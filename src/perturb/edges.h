/* edges: outlines of a grey image, and distances to them. Private to the perturb module. */
#ifndef PACED_PERTURB_EDGES_H
#define PACED_PERTURB_EDGES_H

#include "paced/base.h"

/* edge[size][size]: 1 on the outlines of grey[size][size], else 0 (Canny, 1986). Outlines are ridges of the gradient
 * (Sobel, |dx| + |dy|) above `low` that are connected to a value above `high`. */
void paced_edges(const uint8_t *grey, int size, int low, int high, uint8_t *edge);

/* distance[size][size] to the nearest edge, at most `max` pixels: chamfer distance with a 5 x 5 neighbourhood
 * (Borgefors, 1986). */
void paced_distance(const uint8_t *edge, int size, float max, float *distance);

#endif
