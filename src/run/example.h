/* One image with its label and a network's prediction. */
#ifndef PACED_RUN_EXAMPLE_H
#define PACED_RUN_EXAMPLE_H

#include "paced/data.h"
#include "src/run/network.h"

struct example {
    int size, classes;
    uint8_t *rgb;                /* [size][size][3] */
    uint8_t *label, *prediction; /* [size][size]; prediction: class of the largest logit, the first of equals */
    float *logits;               /* [size][size][classes] */
    float *uncertainty;          /* [size][size]: u = 1 - max_c softmax(logits)_c, 0 to 1 - 1/classes */
};

struct example example_create(int size, int classes);
void example_finish(struct example *example);

/* example_load reads image `index` of the data set, without changes, and its label. example_run then fills prediction,
 * logits and uncertainty. The network must be open for inference. */
enum paced_err example_load(struct example *example, struct paced_dataset *dataset, size_t index);
enum paced_err example_run(struct example *example, struct network *network);

/* True if any of label[pixels] is not background. */
bool label_has_foreground(const uint8_t *label, size_t pixels);

#endif
