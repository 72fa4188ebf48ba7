/* Batch normalisation with an optional ReLU.
 *
 *   y = (x - mean) / sqrt(var + eps) * weight + bias          per channel, mean and (biased) var over n, h, w
 *   training: running = 0.9 running + 0.1 batch (the variance unbiased); evaluation uses the running ones
 *   backward, with xhat = (x - mean) / sqrt(var + eps), dz = dy where y > 0 (ReLU) else 0, P = n h w:
 *     dbias = sum dz, dweight = sum dz xhat, dx = weight / sqrt(var + eps) (dz - dbias / P - xhat dweight / P)
 *
 * Statistics are a mean and a sum of squared deviations per chunk of pixels, merged by Chan's formula: one pass over
 * memory without the cancellation of E[x^2] - E[x]^2. `saved` holds four rows of c floats: y's scale and shift, the
 * mean, 1 / sqrt(var + eps). The ReLU's mask is recomputed from x, so y need not be retained. */
#include "src/ops/ops.h"

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR, BATCHES };

static const float EPS = PACED_BATCH_NORM_EPS, MOMENTUM = 0.1f;

struct batch_norm {
    int relu;
};

/* Launches a kernel over `items` heavy work-items of an extent x; in, dy: its tensors. */
#define LAUNCH_FOR(items, kernel, in, dy, ...)                                                                         \
    PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL_FOR(batch_norm, kernel, in, dy), paced_range_chunks(items), x.vec, \
                 __VA_ARGS__)
#define LAUNCH(items, kernel, ...) LAUNCH_FOR(items, kernel, NULL, NULL, __VA_ARGS__)

static enum paced_err batch_statistics(struct paced_exec *e, const struct paced_node *node) {
    struct extent x = extent_of(e, node->out);
    struct chunks chunks = chunks_of(x.pixels);
    const struct paced_buffer *in = paced_exec_value(e, node->in[0]);
    struct paced_buffer *partial;
    PACED_TRY(paced_exec_workspace(e, 0, 2 * sum_scratch_bytes(node->out->shape.c), &partial));
    PACED_TRY(LAUNCH_FOR((uint64_t)chunks.count * (uint64_t)x.vectors, bn_partial, in, NULL, x.pixels, x.vectors,
                         chunks.count, chunks.pixels, in, partial));
    paced_exec_count_batch(e, node->params[BATCHES]);
    return LAUNCH(x.vectors, bn_statistics, x.pixels, x.vectors, chunks.count, chunks.pixels, EPS, MOMENTUM, partial,
                  paced_exec_param(e, node->params[WEIGHT]), paced_exec_param(e, node->params[BIAS]),
                  paced_exec_param(e, node->params[RUNNING_MEAN]), paced_exec_param(e, node->params[RUNNING_VAR]),
                  paced_exec_value(e, node->saved));
}

static enum paced_err running_statistics(struct paced_exec *e, const struct paced_node *node) {
    struct extent x = extent_of(e, node->out);
    return LAUNCH(x.vectors, bn_running, x.vectors, EPS, paced_exec_param(e, node->params[WEIGHT]),
                  paced_exec_param(e, node->params[BIAS]), paced_exec_param(e, node->params[RUNNING_MEAN]),
                  paced_exec_param(e, node->params[RUNNING_VAR]), paced_exec_value(e, node->saved));
}

static enum paced_err forward(struct paced_exec *e, const struct paced_node *node) {
    bool training = paced_exec_is_training(e);
    if (training && pixels_of(e, node->out) == 1)
        return paced_error_at(PACED_FAILED, node->name, "batch normalisation over one value has no variance; %s",
                              paced_advice(PACED_CAUSE_ONE_VALUE));
    PACED_TRY(training ? batch_statistics(e, node) : running_statistics(e, node));
    return store_view(e, node);
}

/* y is x, mapped by `saved`. */
static bool view(const struct paced_node *node, struct paced_source *source) {
    const struct batch_norm *a = node->attributes;
    *source = (struct paced_source){1, {{node->in[0], node->saved, a->relu, .factor = 1}}};
    return true;
}

static enum paced_err backward(struct paced_exec *e, const struct paced_node *node) {
    const struct batch_norm *a = node->attributes;
    const struct paced_buffer *in = paced_exec_value(e, node->in[0]), *saved = paced_exec_value(e, node->saved),
                              *dy = paced_exec_grad(e, node->out);
    struct paced_buffer *dweight = paced_exec_param_grad(e, node->params[WEIGHT]),
                        *dbias = paced_exec_param_grad(e, node->params[BIAS]), *partial;
    struct extent x = extent_of(e, node->out);
    struct chunks chunks = chunks_of(x.pixels);
    PACED_TRY(paced_exec_workspace(e, 0, 2 * sum_scratch_bytes(node->out->shape.c), &partial));
    PACED_TRY(LAUNCH_FOR((uint64_t)chunks.count * (uint64_t)x.vectors, bn_bwd_partial, in, dy, x.pixels, x.vectors,
                         chunks.count, chunks.pixels, a->relu, in, saved, dy, partial));
    PACED_TRY(LAUNCH(x.vectors, bn_bwd_params, x.vectors, chunks.count, partial, dweight, dbias));
    if (!node->in[0]->needs_grad) return PACED_OK;
    return LAUNCH_PIXELS(e, x, PACED_KERNEL_FOR(batch_norm, bn_bwd_data, in, dy), a->relu, in, saved, dy, dweight,
                         dbias, GRAD_ARGS(e, node->in[0]));
}

static const struct paced_op batch_norm = {"batch_norm", PACED_READS_INPUT, forward, backward, .view = view};

bool paced_batch_norm_of(const struct paced_node *node, bool *relu) {
    if (node->op != &batch_norm) return false;
    *relu = ((const struct batch_norm *)node->attributes)->relu;
    return true;
}

struct paced_tensor *paced_batch_norm(struct paced_graph *graph, const char *name, struct paced_tensor *x, bool relu) {
    if (!x || paced_graph_error(graph)) return NULL;
    struct paced_node *node = paced_graph_add(graph, &batch_norm, name, 1, &x, x->shape);
    struct batch_norm *a = node->attributes = paced_alloc(1, sizeof *a);
    a->relu = relu;
    static const struct {
        const char *suffix;
        enum paced_param_kind kind;
        float init;
    } rows[] = {[WEIGHT] = {"weight", PACED_PARAM_TRAINED, 1},
                [BIAS] = {"bias", PACED_PARAM_TRAINED, 0},
                [RUNNING_MEAN] = {"running_mean", PACED_PARAM_STATISTIC, 0},
                [RUNNING_VAR] = {"running_var", PACED_PARAM_STATISTIC, 1},
                [BATCHES] = {"num_batches_tracked", PACED_PARAM_COUNTER, 0}};
    for (size_t i = 0; i < PACED_COUNT(rows); ++i)
        node->params[i] = paced_graph_param(graph, name, rows[i].suffix, rows[i].kind, PACED_LAYOUT_PLAIN,
                                            i == BATCHES ? 0 : 1, &x->shape.c, PACED_INIT_CONSTANT, rows[i].init);
    paced_graph_saved(graph, node, (struct paced_shape){1, 4, x->shape.c}, 4, false);
    node->workspace_bytes = 2 * sum_scratch_bytes(x->shape.c);
    node->least_samples = x->shape.h * x->shape.w == 1 ? 2 : 1; /* one value has no variance */
    return node->out;
}
