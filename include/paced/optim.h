/* optim: update rules and learning-rate schedules. */
#ifndef PACED_OPTIM_H
#define PACED_OPTIM_H

#include "paced/graph.h"

enum paced_optimizer_kind { PACED_ADAM, PACED_ADAMW, PACED_SGD };
enum paced_schedule_kind { PACED_SCHEDULE_STEP, PACED_SCHEDULE_COSINE, PACED_SCHEDULE_POLY, PACED_SCHEDULE_CONSTANT };
enum paced_select { PACED_SELECT_LOSS, PACED_SELECT_DICE };
const char *paced_optimizer_name(int kind);
const char *paced_schedule_name(int kind);
const char *paced_select_name(int select);

/* The section [train]: the update rule, the learning rate, and the loop over the epochs. */
struct paced_train_options {
    int64_t epochs, batch;
    int optimizer; /* enum paced_optimizer_kind */
    double momentum, weight_decay, lr;
    int schedule; /* enum paced_schedule_kind */
    int64_t step;
    double gamma, power;
    bool shuffle;
    int select;    /* enum paced_select */
    int precision; /* enum paced_precision */
    int64_t patience, save_every;
    double clip_norm;
};

/* The learning rate of a 0-based epoch e of E:
 *   step      lr gamma^floor(e / step)          cosine    lr (1 + cos(pi e / E)) / 2
 *   poly      lr (1 - e / E)^power              constant  lr */
double paced_schedule_lr(const struct paced_train_options *options, int epoch);

/* An optimiser of all trained parameters. Formulas of PyTorch (torch.optim), g = gradient + weight_decay * weight:
 *   adam  m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g^2, w -= lr / (1 - 0.9^t) m / (sqrt(v) / sqrt(1 - 0.999^t) + 1e-8)
 *   adamw the same with g = gradient, and w *= 1 - lr weight_decay before
 *   sgd   m = momentum m + g (the first step: m = g), w -= lr m; without momentum w -= lr g
 * With clip_norm > 0, the gradients of all parameters are first multiplied by min(1, clip_norm / (norm + 1e-6)), where
 * norm is their common L2 norm (torch.nn.utils.clip_grad_norm_). */
struct paced_optimizer;

enum paced_err paced_optimizer_create(struct paced_optimizer **optimizer, const struct paced_train_options *options,
                                      struct paced_exec *exec);
void paced_optimizer_destroy(struct paced_optimizer *optimizer);

/* Updates the weights once, with the gradients of the last backward pass. */
enum paced_err paced_optimizer_step(struct paced_optimizer *optimizer, double lr);

/* The state as tensors "optimizer.<moment>.<parameter>" and "optimizer.step". Load: PACED_INVALID, naming `path`, for a
 * missing tensor or one of another shape. */
enum paced_err paced_optimizer_save(struct paced_optimizer *optimizer, struct paced_weights *weights);
enum paced_err paced_optimizer_load(struct paced_optimizer *optimizer, const struct paced_weights *weights,
                                    const char *path);

#endif
