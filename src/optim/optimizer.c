/* optimizer: update rules, one row each: a kernel over the flat range of all trained parameters. The host computes bias
 * corrections in double precision, as PyTorch does. The factor that clips gradients is computed on the device and stays
 * there; without clipping it is 1. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cl/parameters.h"
#include "paced/optim.h"

enum { MAX_MOMENTS = 2, CLIP_PARTS = 1024, MAX_VECTOR = 16 };

struct kind {
    const char *name;
    const char *moments[MAX_MOMENTS]; /* names in the state file */
    enum paced_err (*step)(struct paced_optimizer *o, double lr);
};

struct paced_optimizer {
    const struct kind *kind;
    struct paced_exec *exec;
    struct paced_buffer *moments[MAX_MOMENTS];
    struct paced_buffer *clip, *clip_parts; /* the factor; its partial sums of squares */
    double momentum, weight_decay, clip_norm;
    int64_t steps; /* steps taken */
};

static uint32_t count_of(const struct paced_optimizer *o) {
    return (uint32_t)(paced_buffer_bytes(paced_exec_trained(o->exec)) / 4);
}

/* Floats of a work-item's step: a whole vector on a CPU; one on a GPU, where neighbours read neighbouring memory. */
static int step_vector(const struct paced_optimizer *o) {
    return paced_device_info(paced_exec_device(o->exec))->variant == PACED_VARIANT_CPU ? MAX_VECTOR : 1;
}

/* A step of adam or adamw. decay * weight is added to the gradient; keep multiplies the weight. */
static enum paced_err adam_any(struct paced_optimizer *o, double lr, double decay, double keep) {
    static const struct paced_kernel adam = {"optimizer.cl", "adam"};
    const double beta1 = 0.9, beta2 = 0.999, t = (double)(o->steps + 1);
    double step_size = lr / (1 - pow(beta1, t)), root = sqrt(1 - pow(beta2, t));
    int vec = step_vector(o);
    uint32_t vectors = count_of(o) / (uint32_t)vec;
    const struct adam parameters = {(float)beta1,     (float)beta2, (float)(1 - beta1), (float)(1 - beta2),
                                    (float)step_size, (float)root,  (float)decay,       (float)keep};
    return PACED_LAUNCH(paced_exec_device(o->exec), &adam, paced_range_items(vectors), vec,
                        PACED_STRUCT(adam, &parameters), vectors, paced_exec_trained(o->exec),
                        paced_exec_trained_grad(o->exec), o->clip, o->moments[0], o->moments[1]);
}

static enum paced_err adam_step(struct paced_optimizer *o, double lr) {
    return adam_any(o, lr, o->weight_decay, 1);
}

static enum paced_err adamw_step(struct paced_optimizer *o, double lr) {
    return adam_any(o, lr, 0, 1 - lr * o->weight_decay);
}

static enum paced_err sgd_step(struct paced_optimizer *o, double lr) {
    static const struct paced_kernel sgd = {"optimizer.cl", "sgd"};
    int vec = step_vector(o);
    uint32_t vectors = count_of(o) / (uint32_t)vec;
    /* In the first step the moment is zero, so the formula gives the gradient alone, as PyTorch's first step does. */
    return PACED_LAUNCH(paced_exec_device(o->exec), &sgd, paced_range_items(vectors), vec, vectors,
                        paced_exec_trained(o->exec), paced_exec_trained_grad(o->exec), o->clip, o->moments[0],
                        (float)o->momentum, (float)lr, (float)o->weight_decay);
}

static const struct kind kinds[] = {
    [PACED_ADAM] = {"adam", {"exp_avg", "exp_avg_sq"}, adam_step},
    [PACED_ADAMW] = {"adamw", {"exp_avg", "exp_avg_sq"}, adamw_step},
    [PACED_SGD] = {"sgd", {"momentum_buffer", NULL}, sgd_step},
};

const char *paced_optimizer_name(int kind) {
    return kind >= 0 && (size_t)kind < PACED_COUNT(kinds) ? kinds[kind].name : NULL;
}

/* ---- clipping ------------------------------------------------------------------------------------------------ */

static enum paced_err find_clip(struct paced_optimizer *o) {
    static const struct paced_kernel clip_partial = {"optimizer.cl", "clip_partial"};
    static const struct paced_kernel clip_finish = {"optimizer.cl", "clip_finish"};
    struct paced_device *device = paced_exec_device(o->exec);
    int vec = paced_device_vector(device, MAX_VECTOR);
    uint32_t vectors = count_of(o) / (uint32_t)vec, parts = CLIP_PARTS;
    PACED_TRY(PACED_LAUNCH(device, &clip_partial, paced_range_chunks(parts), vec, vectors, parts,
                           paced_exec_trained_grad(o->exec), o->clip_parts));
    return PACED_LAUNCH(device, &clip_finish, paced_range_chunks(1), vec, parts, (float)o->clip_norm, o->clip_parts,
                        o->clip);
}

/* ---- public functions ---------------------------------------------------------------------------------------- */

static enum paced_err make_buffers(struct paced_optimizer *o) {
    const float one = 1;
    uint64_t bytes = paced_buffer_bytes(paced_exec_trained(o->exec));
    struct paced_device *device = paced_exec_device(o->exec);
    PACED_TRY(paced_buffer_create(&o->clip, device, sizeof one));
    PACED_TRY(paced_buffer_write(o->clip, &one, sizeof one));
    if (o->clip_norm > 0)
        PACED_TRY(paced_buffer_create(&o->clip_parts, device, CLIP_PARTS * MAX_VECTOR * sizeof(float)));
    for (int i = 0; i < MAX_MOMENTS && o->kind->moments[i]; ++i) {
        PACED_TRY(paced_buffer_create(&o->moments[i], device, bytes));
        PACED_TRY(paced_buffer_zero(o->moments[i], bytes));
    }
    return PACED_OK;
}

enum paced_err paced_optimizer_create(struct paced_optimizer **out, const struct paced_train_options *options,
                                      struct paced_exec *exec) {
    *out = NULL;
    struct paced_optimizer *o = paced_alloc(1, sizeof *o);
    *o = (struct paced_optimizer){.kind = &kinds[options->optimizer],
                                  .exec = exec,
                                  .momentum = options->momentum,
                                  .weight_decay = options->weight_decay,
                                  .clip_norm = options->clip_norm};
    enum paced_err err = make_buffers(o);
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
    paced_buffer_destroy(o->clip_parts);
    paced_buffer_destroy(o->clip);
    free(o);
}

enum paced_err paced_optimizer_step(struct paced_optimizer *o, double lr) {
    if (o->clip_norm > 0) PACED_TRY(find_clip(o));
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

/* True if the state has moments, but none with this prefix. */
static bool is_of_another(const struct paced_weights *weights, const char *prefix) {
    bool any = false;
    for (size_t i = 0; i < weights->count; ++i) {
        const char *name = weights->entries[i].name;
        if (strncmp(name, prefix, strlen(prefix)) == 0) return false;
        any |= strncmp(name, "optimizer.", strlen("optimizer.")) == 0 && strcmp(name, "optimizer.step") != 0;
    }
    return any;
}

enum paced_err paced_optimizer_load(struct paced_optimizer *o, const struct paced_weights *weights, const char *path) {
    const struct paced_entry *step = paced_weights_find(weights, "optimizer.step");
    if (!step || step->dtype != PACED_I64 || step->rank != 0)
        return paced_error_at(PACED_INVALID, path,
                              "tensor optimizer.step is missing; this is not the state of an interrupted training");
    o->steps = *(const int64_t *)step->data;
    enum paced_err err = PACED_OK;
    for (int i = 0; i < MAX_MOMENTS && o->kind->moments[i] && !err; ++i) {
        char *prefix = prefix_of(o, i);
        if (is_of_another(weights, prefix))
            err = paced_error_at(PACED_INVALID, path,
                                 "was saved with another optimizer than %s; resume with the original one, or start "
                                 "again with --overwrite",
                                 o->kind->name);
        if (!err) err = paced_exec_load_flat(o->exec, o->moments[i], prefix, weights, path);
        free(prefix);
    }
    return err;
}
