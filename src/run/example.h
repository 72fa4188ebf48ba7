/* One image with its label and a network's prediction. */
#ifndef PACED_RUN_EXAMPLE_H
#define PACED_RUN_EXAMPLE_H

#include "paced/data.h"
#include "src/run/network.h"

struct example {
    struct paced_extent extent;
    int classes;
    uint8_t *rgb;                /* [height][width][3] */
    uint8_t *label, *prediction; /* [height][width]; prediction: class of the largest logit, the first of equals */
    float *logits;               /* [height][width][classes] */
    float *uncertainty;          /* [height][width]: u = 1 - max_c softmax(logits)_c, 0 to 1 - 1/classes */
};

struct example example_create(struct paced_extent extent, int classes);
void example_finish(struct example *example);

/* example_load reads image `index` of the data set, without changes, and its label. example_run then fills prediction,
 * logits and uncertainty. The network must be open for inference. */
enum paced_err example_load(struct example *example, struct paced_dataset *dataset, size_t index);
enum paced_err example_run(struct example *example, struct network *network);

/* True if any of label[pixels] is neither background nor ignored. */
bool label_has_foreground(const uint8_t *label, size_t pixels);

#endif
