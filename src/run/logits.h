/* Logits of a network in host memory. */
#ifndef PACED_RUN_LOGITS_H
#define PACED_RUN_LOGITS_H

#include "paced/data.h"
#include "src/run/network.h"

/* Class of the largest of a pixel's logits[classes], the first of equals. */
int logits_likeliest(const float *logits, int classes);

struct logits {
    float *values;   /* [images][height][width][classes]; NULL: not cached */
    uint8_t *labels; /* [images][height][width]; NULL: not cached */
    size_t images, pixels_per_image;
    int classes;
};

/* Runs the network in evaluation mode over all images in the data set's order, each changed by `change` (NULL:
 * unchanged). `labels` retains the labels, too. `label` is shown on the progress line. PACED_STOPPED after Ctrl-C.
 * Nothing is left to release after an error. */
enum paced_err logits_collect(struct logits *logits, struct network *network, struct paced_dataset *dataset, int batch,
                              int workers, int classes, const struct paced_change *change, bool labels,
                              const char *label);
void logits_finish(struct logits *logits);

#endif
