/* A network's logits in host memory: of one pixel, and over a whole data set. */
#ifndef PACED_RUN_LOGITS_H
#define PACED_RUN_LOGITS_H

#include "paced/data.h"
#include "src/run/network.h"

/* The likeliest class of a pixel's logits[classes], the first of equals. */
int logits_likeliest(const float *logits, int classes);

struct logits {
    float *values;   /* [images][size][size][classes]; NULL: not kept */
    uint8_t *labels; /* [images][size][size]; NULL: not kept */
    size_t images, pixels_per_image;
    int classes;
};

/* Runs the network (evaluation mode) over all images in the data set's order, each changed by `change` (NULL: as it
 * is), so that the numbers are the same however the images are met later. `labels`: they are kept, too. */
enum paced_err logits_collect(struct logits *logits, struct network *network, struct paced_dataset *dataset, int batch,
                              int workers, int classes, const struct paced_change *change, bool labels,
                              const char *label);
void logits_finish(struct logits *logits);

#endif
