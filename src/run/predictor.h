/* A trained network for images of any size, one at a time. */
#ifndef PACED_RUN_PREDICTOR_H
#define PACED_RUN_PREDICTOR_H

#include "paced/data.h"
#include "src/run/network.h"

struct predictor {
    int size, classes;
    struct paced_device *device;
    struct network network; /* for batches of one */
    uint8_t *rgb;           /* [size][size][3]: the last image as the network sees it */
    float *values;          /* [size][size][classes]: after predictor_read */
};

/* Opens device and network ([model] of the configuration) and loads the weights. Starts as {0}; predictor_close accepts
 * {0}, and must follow a failure too. */
enum paced_err predictor_open(struct predictor *predictor, const struct paced_config *config, const char *weights);
void predictor_close(struct predictor *predictor);

/* Resizes the image and enqueues the network; the logits are paced_exec_output(predictor->network.exec). */
enum paced_err predictor_run(struct predictor *predictor, const struct paced_image *image);

/* Waits for the logits and brings them into `values`. */
enum paced_err predictor_read(struct predictor *predictor);

#endif
