/* Frozen teacher: logits of every image that the student trains on.
 *
 * The teacher never changes, so its logits are computed once per image and cached in host memory (float32), up to
 * distill.cache_mb per data set; above that they are recomputed for every batch. If data.augment only flips, each of
 * the 2 or 4 versions of a training image is cached. Other augmentations never repeat an image, so the teacher runs on
 * every batch. */
#ifndef PACED_RUN_TEACHER_H
#define PACED_RUN_TEACHER_H

#include "paced/config.h"
#include "paced/perturb.h"
#include "src/run/logits.h"

struct teacher {
    const struct paced_config *config;
    int batch;
    const struct paced_augment *augment;      /* of the training images */
    struct network network;                   /* closed if all logits are cached */
    uint64_t hash;                            /* of the weights */
    struct logits train[PACED_FLIP_VERSIONS]; /* by flips, [0] unflipped; values NULL if not cached */
    struct logits val;                        /* values NULL if not cached */
    float *staging[2];                        /* logits of a batch during the transfer to the device */
    unsigned staged;
};

/* Configuration of the teacher's network: distill.teacher_arch and _width replace those of [model]. The strings belong
 * to `config`. */
struct paced_config teacher_config(const struct paced_config *config);

/* Loads the weights and prepares the logits of both data sets. `augment` belongs to the caller, who sets its epoch.
 * teacher_close accepts {0}. */
enum paced_err teacher_open(struct teacher *teacher, const struct paced_config *config, struct paced_device *device,
                            int batch, struct paced_dataset *train, struct paced_dataset *val,
                            const struct paced_augment *augment);
void teacher_close(struct teacher *teacher);

/* Temperature tau that minimises the negative log-likelihood on the validation set. */
enum paced_err teacher_fit_temperature(struct teacher *teacher, struct paced_dataset *val, double *tau);

/* Enqueues the logits of a batch of the training (`logits` = teacher->train) or validation set (&teacher->val) into
 * `to`. `augmented`: the training images were changed by `augment`, in its epoch. At most two batches are pending. */
enum paced_err teacher_give(struct teacher *teacher, const struct logits *logits, bool augmented,
                            const struct paced_batch *batch, struct paced_buffer *to);

#endif
