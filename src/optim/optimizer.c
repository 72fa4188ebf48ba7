/* Optimisers: one row each, one kernel each, over the flat range that holds all trained parameters. Bias corrections
 * are taken in double precision on the host, as PyTorch does. */
#include <math.h>
#include <stdlib.h>

#include "paced/optim.h"

enum { MAX_MOMENTS = 2 };

struct kind {
    const char *moments[MAX_MOMENTS]; /* names in the state file */
    enum paced_err (*step)(struct paced_optimizer *o, double lr);
};

struct paced_optimizer {
    const struct kind *kind;
    struct paced_exec *exec;
    struct paced_buffer *moments[MAX_MOMENTS];
    double momentum, weight_decay;
    int64_t steps; /* done so far */
};

static uint32_t count_of(const struct paced_optimizer *o) {
    return (uint32_t)(paced_buffer_bytes(paced_exec_trained(o->exec)) / 4);
}

static enum paced_err adam_step(struct paced_optimizer *o, double lr) {
    static const struct paced_kernel adam = {"optimizer.cl", "adam"};
    const double beta1 = 0.9, beta2 = 0.999, t = (double)(o->steps + 1);
    double step_size = lr / (1 - pow(beta1, t)), root = sqrt(1 - pow(beta2, t));
    uint32_t count = count_of(o);
    return PACED_LAUNCH(paced_exec_device(o->exec), &adam, paced_range_items(count), 1, PACED_ARG(count),
                        PACED_ARG(paced_exec_trained(o->exec)), PACED_ARG(paced_exec_trained_grad(o->exec)),
                        PACED_ARG(o->moments[0]), PACED_ARG(o->moments[1]), PACED_ARG((float)beta1),
                        PACED_ARG((float)beta2), PACED_ARG((float)(1 - beta1)), PACED_ARG((float)(1 - beta2)),
                        PACED_ARG((float)step_size), PACED_ARG((float)root), PACED_ARG((float)o->weight_decay));
}

static enum paced_err sgd_step(struct paced_optimizer *o, double lr) {
    static const struct paced_kernel sgd = {"optimizer.cl", "sgd"};
    uint32_t count = count_of(o);
    /* The first step takes the gradient alone: the moment is zero then, so the formula gives just that. */
    return PACED_LAUNCH(paced_exec_device(o->exec), &sgd, paced_range_items(count), 1, PACED_ARG(count),
                        PACED_ARG(paced_exec_trained(o->exec)), PACED_ARG(paced_exec_trained_grad(o->exec)),
                        PACED_ARG(o->moments[0]), PACED_ARG((float)o->momentum), PACED_ARG((float)lr),
                        PACED_ARG((float)o->weight_decay));
}

static const struct kind kinds[] = {
    [PACED_ADAM] = {{"exp_avg", "exp_avg_sq"}, adam_step},
    [PACED_SGD] = {{"momentum_buffer", NULL}, sgd_step},
};

enum paced_err paced_optimizer_create(struct paced_optimizer **out, const struct paced_config *config,
                                      struct paced_exec *exec) {
    *out = NULL;
    struct paced_optimizer *o = paced_alloc(1, sizeof *o);
    *o = (struct paced_optimizer){.kind = &kinds[config->train.optimizer],
                                  .exec = exec,
                                  .momentum = config->train.momentum,
                                  .weight_decay = config->train.weight_decay};
    enum paced_err err = PACED_OK;
    uint64_t bytes = paced_buffer_bytes(paced_exec_trained(exec));
    for (int i = 0; i < MAX_MOMENTS && o->kind->moments[i] && !err; ++i) {
        err = paced_buffer_create(&o->moments[i], paced_exec_device(exec), bytes);
        if (!err) err = paced_buffer_zero(o->moments[i], bytes);
    }
    if (err) {
        paced_optimizer_destroy(o);
        return err;
    }
    *out = o;
    return PACED_OK;
}

void paced_optimizer_destroy(struct paced_optimizer *o) {
    if (!o) return;
    for (int i = 0; i < MAX_MOMENTS; ++i) paced_buffer_destroy(o->moments[i]);
    free(o);
}

enum paced_err paced_optimizer_step(struct paced_optimizer *o, double lr) {
    PACED_TRY(o->kind->step(o, lr));
    o->steps += 1;
    return PACED_OK;
}

static char *prefix_of(const struct paced_optimizer *o, int i) {
    return paced_format("optimizer.%s.", o->kind->moments[i]);
}

enum paced_err paced_optimizer_save(struct paced_optimizer *o, struct paced_weights *weights) {
    paced_weights_add(weights, "optimizer.step", PACED_I64, 0, NULL, &o->steps);
    enum paced_err err = PACED_OK;
    for (int i = 0; i < MAX_MOMENTS && o->kind->moments[i] && !err; ++i) {
        char *prefix = prefix_of(o, i);
        err = paced_exec_save_flat(o->exec, o->moments[i], prefix, weights);
        free(prefix);
    }
    return err;
}

enum paced_err paced_optimizer_load(struct paced_optimizer *o, const struct paced_weights *weights, const char *path) {
    const struct paced_entry *step = paced_weights_find(weights, "optimizer.step");
    if (!step || step->dtype != PACED_I64 || step->rank != 0)
        return paced_error(PACED_INVALID, "%s: tensor optimizer.step is missing; this is not a state to resume from",
                           path);
    o->steps = *(const int64_t *)step->data;
    enum paced_err err = PACED_OK;
    for (int i = 0; i < MAX_MOMENTS && o->kind->moments[i] && !err; ++i) {
        char *prefix = prefix_of(o, i);
        err = paced_exec_load_flat(o->exec, o->moments[i], prefix, weights, path);
        free(prefix);
    }
    return err;
}
