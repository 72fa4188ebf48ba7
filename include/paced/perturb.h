/* perturb: changes of an image and its mask, on the host: corruptions and geometric perturbations, which measure
 * robustness. What they do follows ImageNet-C (Hendrycks and Dietterich, ICLR 2019), in its details the Python package
 * `imagecorruptions` ("the reference"). Its constants are in pixels and meant for about 224 x 224; they are the same at
 * every size, so that a small image suffers more. */
#ifndef PACED_PERTURB_H
#define PACED_PERTURB_H

#include "paced/base.h"

/* rgb[size][size][3], values in 0..1; label[size][size], which moves with the image where pixels move. */
struct paced_sample {
    int size;
    float *rgb;
    uint8_t *label;
};

enum { PACED_SEVERITIES = 5 };

/* The table's order: the corruptions of the appearance first, then the geometric perturbations. */
size_t paced_corruption_count(void);
const char *paced_corruption_name(size_t corruption);
bool paced_corruption_is_geometric(size_t corruption);
/* PACED_INVALID for a name that is not in the table; the nearest one is offered. */
enum paced_err paced_corruption_find(const char *name, size_t *corruption);

/* Changes the sample in place; severity 1..PACED_SEVERITIES. All that is random comes from `rng`. */
enum paced_err paced_corrupt(size_t corruption, int severity, struct paced_rng *rng, struct paced_sample *sample);

#endif
