/* The frozen teacher: its logits for every image that the student meets.
 *
 * The teacher never changes and its input is never augmented at random, so its logits are computed once per image and
 * kept in host memory (float32), up to distill.cache_mb per data set; above that they are computed anew for every
 * batch. */
#ifndef PACED_RUN_TEACHER_H
#define PACED_RUN_TEACHER_H

#include "paced/config.h"
#include "src/run/logits.h"

struct teacher {
    const struct paced_config *config;
    int batch;
    struct network network;   /* closed where all logits are kept */
    struct logits train, val; /* values NULL where not kept */
    float *staging[2];        /* a batch's logits on their way to the device */
    int staged;
};

/* The configuration of the teacher's own network: distill.teacher_arch and _width stand for [model]'s. Its strings are
 * the given one's. */
struct paced_config teacher_config(const struct paced_config *config);

/* Loads the weights and prepares the logits of both data sets. Starts as {0}; teacher_close accepts {0}. */
enum paced_err teacher_open(struct teacher *teacher, const struct paced_config *config, struct paced_device *device,
                            int batch, struct paced_dataset *train, struct paced_dataset *val);
void teacher_close(struct teacher *teacher);

/* tau that minimises the negative log-likelihood on the validation set. */
enum paced_err teacher_fit_temperature(struct teacher *teacher, struct paced_dataset *val, double *tau);

/* Enqueues the logits of a batch of the training (`logits` = &teacher->train) or validation set into `to`. Up to two
 * batches may be under way. */
enum paced_err teacher_give(struct teacher *teacher, const struct logits *logits, const struct paced_batch *batch,
                            struct paced_buffer *to);

#endif
