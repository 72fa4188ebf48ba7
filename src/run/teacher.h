/* The frozen teacher: its logits for every image that the student meets.
 *
 * The teacher never changes, so its logits are computed once per image and kept in host memory (float32), up to
 * distill.cache_mb per data set; above that they are computed anew for every batch. Of training images that are flipped
 * at random each version is kept, 2 or 4; where data.augment does more than that, no image comes twice, and the teacher
 * looks at every batch. */
#ifndef PACED_RUN_TEACHER_H
#define PACED_RUN_TEACHER_H

#include "paced/config.h"
#include "paced/perturb.h"
#include "src/run/logits.h"

struct teacher {
    const struct paced_config *config;
    int batch;
    const struct paced_augment *augment;      /* of the training images */
    struct network network;                   /* closed where all logits are kept */
    struct logits train[PACED_FLIP_VERSIONS]; /* by flips; [0], as they are: values NULL where none are kept */
    struct logits val;                        /* values NULL where not kept */
    float *staging[2];                        /* a batch's logits on their way to the device */
    unsigned staged;
};

/* The configuration of the teacher's own network: distill.teacher_arch and _width stand for [model]'s. Its strings are
 * the given one's. */
struct paced_config teacher_config(const struct paced_config *config);

/* Loads the weights and prepares the logits of both data sets. `augment` stays the caller's, who sets its epoch. Starts
 * as {0}; teacher_close accepts {0}. */
enum paced_err teacher_open(struct teacher *teacher, const struct paced_config *config, struct paced_device *device,
                            int batch, struct paced_dataset *train, struct paced_dataset *val,
                            const struct paced_augment *augment);
void teacher_close(struct teacher *teacher);

/* tau that minimises the negative log-likelihood on the validation set. */
enum paced_err teacher_fit_temperature(struct teacher *teacher, struct paced_dataset *val, double *tau);

/* Enqueues the logits of a batch of the training (`logits` = teacher->train) or validation set (&teacher->val) into
 * `to`; `augmented`: of training images that went through `augment`, in its epoch. Up to two batches may be under way.
 */
enum paced_err teacher_give(struct teacher *teacher, const struct logits *logits, bool augmented,
                            const struct paced_batch *batch, struct paced_buffer *to);

#endif
