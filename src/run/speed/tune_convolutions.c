/* Tuning of convolutions: for each distinct convolution of a network and each direction, the fastest algorithm whose
 * results agree with the plain sum over patches. A convolution is run as a separate network. One backward pass computes
 * both gradients; while the algorithm of one is tried, that of the other is fixed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/run/speed/speed.h"

/* Maximum relative L2 distance from the plain sum over patches. F(4x4) of bfloat16 is within 0.012 of it. */
static const double BOUNDS[] = {[PACED_PRECISION_FLOAT32] = 1e-4, [PACED_PRECISION_MIXED] = 2e-2};

/* The use of a convolution in that direction. */
static struct paced_conv_use use_of(const struct tuner *t, enum paced_conv_direction direction) {
    enum paced_precision precision = direction == PACED_CONV_FORWARD ? t->inference : t->training;
    return (struct paced_conv_use){direction, precision, t->device};
}

/* ---- convolutions to measure --------------------------------------------------------------------------------- */

/* True if the direction is used and has more than one algorithm. */
static bool is_open(const struct tuner *t, const struct paced_node *node, enum paced_conv_direction direction) {
    bool runs = direction != PACED_CONV_BACKWARD_DATA || node->in[0]->needs_grad;
    const char *second;
    return runs && paced_conv_algorithm_at(node, use_of(t, direction), 1, &second) == PACED_OK && second;
}

/* True for a convolution that differs from those of all earlier nodes, also in whether the input needs a gradient. */
static bool is_new(const struct paced_graph *graph, size_t i) {
    struct paced_conv conv;
    const struct paced_node *node = paced_graph_node(graph, i);
    if (!paced_conv_of(node, &conv)) return false;
    const struct paced_conv_use any = {PACED_CONV_FORWARD, PACED_PRECISION_FLOAT32, NULL};
    char *key = paced_conv_tuning_key(node, 1, any);
    bool known = false;
    for (size_t j = 0; j < i && !known; ++j) {
        const struct paced_node *before = paced_graph_node(graph, j);
        if (!paced_conv_of(before, &conv) || before->in[0]->needs_grad != node->in[0]->needs_grad) continue;
        char *other = paced_conv_tuning_key(before, 1, any);
        known = strcmp(key, other) == 0;
        free(other);
    }
    free(key);
    return !known;
}

size_t tune_convolutions_count(const struct tuner *t, const struct paced_graph *graph) {
    size_t count = 0;
    for (size_t i = 0; i < paced_graph_node_count(graph); ++i)
        for (int d = 0; d < PACED_CONV_DIRECTIONS; ++d)
            count += is_new(graph, i) && is_open(t, paced_graph_node(graph, i), (enum paced_conv_direction)d);
    return count;
}

/* ---- single convolution -------------------------------------------------------------------------------------- */

struct subject {
    struct paced_graph *graph;
    struct paced_exec *exec;
    const struct paced_node *node;
    int batch;
};

static void dispose(struct subject *s) {
    paced_exec_destroy(s->exec);
    paced_graph_destroy(s->graph);
    *s = (struct subject){0};
}

static enum paced_err build(struct subject *s, const struct paced_node *original) {
    struct paced_conv conv;
    paced_conv_of(original, &conv);
    s->graph = paced_graph_create();
    struct paced_tensor *x = paced_graph_input(s->graph, "x", original->in[0]->shape);
    x->needs_grad = original->in[0]->needs_grad;
    struct paced_tensor *y = paced_conv2d(s->graph, "conv", x, conv);
    PACED_TRY(paced_graph_error(s->graph));
    paced_graph_output(s->graph, y);
    x->full_precision = original->in[0]->source.part[0].stored->full_precision;
    y->full_precision = original->out->full_precision;
    s->node = y->producer;
    return PACED_OK;
}

static enum paced_err prepare(struct subject *s, const struct paced_node *original, const struct tuner *t, int batch,
                              enum paced_mode mode) {
    *s = (struct subject){.batch = batch};
    PACED_TRY(build(s, original));
    enum paced_precision precision = mode == PACED_TRAINING ? t->training : t->inference;
    PACED_TRY(paced_exec_create(&s->exec, s->graph, t->device, batch, mode, precision));
    PACED_TRY(paced_exec_init_params(s->exec, 1));
    uint64_t n = (uint64_t)batch;
    PACED_TRY(tune_fill(paced_exec_input(s->exec), n * paced_shape_count(s->node->in[0]->shape), 1));
    if (mode == PACED_INFERENCE) return PACED_OK;
    PACED_TRY(tune_fill(paced_exec_output_grad(s->exec), n * paced_shape_count(s->node->out->shape), 2));
    return paced_exec_forward(s->exec, batch, true); /* backward needs a forward pass */
}

static enum paced_err run(struct subject *s, enum paced_conv_direction direction) {
    if (direction == PACED_CONV_FORWARD || direction == PACED_CONV_FORWARD_TRAINING)
        PACED_TRY(paced_exec_forward(s->exec, s->batch, direction == PACED_CONV_FORWARD_TRAINING));
    else
        PACED_TRY(paced_exec_backward(s->exec));
    return paced_device_finish(paced_exec_device(s->exec));
}

/* Reads the result of the last pass in that direction; free() it. */
static enum paced_err read_result(struct subject *s, enum paced_conv_direction direction, float **result,
                                  uint64_t *count, double *bound) {
    const struct paced_tensor *x = s->node->in[0], *y = s->node->out;
    const struct paced_param *weights = s->node->params[0];
    const struct paced_buffer *buffer = paced_exec_output(s->exec);
    *count = (uint64_t)s->batch * paced_shape_count(y->shape);
    if (direction == PACED_CONV_BACKWARD_DATA) {
        buffer = paced_exec_grad(s->exec, x);
        *count = (uint64_t)s->batch * paced_shape_count(x->shape);
    } else if (direction == PACED_CONV_BACKWARD_WEIGHTS) {
        buffer = paced_exec_param_grad(s->exec, weights);
        *count = weights->count;
    }
    *result = paced_alloc(*count, sizeof **result);
    *bound = BOUNDS[paced_exec_precision(s->exec)];
    return paced_buffer_read_floats(buffer, *result, *count);
}

/* ---- candidates ---------------------------------------------------------------------------------------------- */

struct candidate {
    const char *algorithm;
    struct subject own; /* for inference, where each algorithm caches its transformed weights; else unused */
    double seconds[TUNE_ROUNDS];
};

struct contest {
    struct tuner *tuner;
    const struct paced_node *node; /* in the network */
    enum paced_conv_direction direction;
    char *key;
    struct subject *shared;
    struct candidate candidates[TUNE_CANDIDATES]; /* verified ones */
    size_t count;
};

static struct subject *subject_of(struct contest *c, struct candidate *candidate) {
    return candidate->own.exec ? &candidate->own : c->shared;
}

static enum paced_err run_candidate(struct contest *c, struct candidate *candidate) {
    if (paced_stop_asked()) return PACED_STOPPED;
    paced_tuning_set(paced_device_tuning(c->tuner->device), "convolution", c->key, candidate->algorithm, NULL);
    return run(subject_of(c, candidate), c->direction);
}

static bool agrees(const float *got, const float *want, uint64_t count, double bound) {
    double error = 0, norm = 0;
    for (uint64_t i = 0; i < count; ++i) {
        double d = (double)got[i] - (double)want[i];
        error += d * d;
        norm += (double)want[i] * (double)want[i];
    }
    return sqrt(error) <= bound * sqrt(norm); /* false for NaN */
}

/* Runs a candidate. The result of the first one becomes *want, the reference of the others. */
static enum paced_err check(struct contest *c, struct candidate *candidate, float **want, bool *passed) {
    float *got = NULL;
    uint64_t count;
    double bound;
    if (c->direction == PACED_CONV_FORWARD)
        PACED_TRY(prepare(&candidate->own, c->node, c->tuner, c->shared->batch, PACED_INFERENCE));
    PACED_TRY(run_candidate(c, candidate));
    enum paced_err err = read_result(subject_of(c, candidate), c->direction, &got, &count, &bound);
    *passed = !err && (!*want || agrees(got, *want, count, bound));
    if (!err && !*passed)
        paced_log(PACED_LOG_WARN, "tune: %s: %s differs by more than %g from the plain sum; it is not used", c->key,
                  candidate->algorithm, bound);
    if (!err && !*want)
        *want = got;
    else
        free(got);
    return err;
}

static enum paced_err find_candidates(struct contest *c) {
    const char *name;
    float *want = NULL;
    enum paced_err err = PACED_OK;
    const struct paced_conv_use use = use_of(c->tuner, c->direction);
    for (size_t i = 0; !err && c->count < TUNE_CANDIDATES; ++i) {
        err = paced_conv_algorithm_at(c->node, use, i, &name);
        if (err || !name) break;
        struct candidate *candidate = &c->candidates[c->count];
        candidate->algorithm = name;
        bool passed = false;
        err = check(c, candidate, &want, &passed);
        c->count += passed;
        if (!passed) dispose(&candidate->own);
    }
    free(want);
    return err;
}

static enum paced_err time_all(struct contest *c) {
    for (int round = 0; round < TUNE_ROUNDS; ++round)
        for (size_t i = 0; i < c->count; ++i) {
            double start = paced_now_s();
            PACED_TRY(run_candidate(c, &c->candidates[i]));
            c->candidates[i].seconds[round] = paced_now_s() - start;
        }
    return PACED_OK;
}

static enum paced_err choose(struct contest *c) {
    size_t best = 0;
    double min = INFINITY;
    struct paced_text times = {0};
    for (size_t i = 0; i < c->count; ++i) {
        double seconds = speed_median(c->candidates[i].seconds, TUNE_ROUNDS);
        if (seconds < min) best = i;
        min = fmin(seconds, min);
        paced_text_add(&times, "%s%s %.2f", i ? ", " : "", c->candidates[i].algorithm, 1e3 * seconds);
    }
    paced_text_add(&times, " ms");
    const char *name = c->candidates[best].algorithm;
    paced_tuning_set(paced_device_tuning(c->tuner->device), "convolution", c->key, name, times.data);
    paced_text_add(&c->tuner->table, "%-56s %-10s (%s)\n", c->key, name, times.data);
    free(times.data);
    return tune_say(c->tuner, c->key, name);
}

static enum paced_err tune_direction(struct tuner *t, const struct paced_node *node, struct subject *shared,
                                     enum paced_conv_direction direction) {
    struct contest contest = {.tuner = t, .node = node, .direction = direction, .shared = shared};
    contest.key = paced_conv_tuning_key(node, shared->batch, use_of(t, direction));
    enum paced_err err = find_candidates(&contest);
    if (!err) err = time_all(&contest);
    if (!err) err = choose(&contest);
    for (size_t i = 0; i < TUNE_CANDIDATES; ++i) dispose(&contest.candidates[i].own);
    free(contest.key);
    return err;
}

enum paced_err tune_convolutions(struct tuner *t, const struct paced_graph *graph, int batch) {
    paced_text_add(&t->table, "\nconvolutions: the fastest, and the medians of all\n");
    for (size_t i = 0; i < paced_graph_node_count(graph); ++i) {
        const struct paced_node *node = paced_graph_node(graph, i);
        struct subject shared;
        if (!is_new(graph, i)) continue;
        enum paced_err err = prepare(&shared, node, t, batch, PACED_TRAINING);
        for (int d = 0; !err && d < PACED_CONV_DIRECTIONS; ++d)
            if (is_open(t, node, (enum paced_conv_direction)d))
                err = tune_direction(t, node, &shared, (enum paced_conv_direction)d);
        dispose(&shared);
        if (err) return err;
    }
    return PACED_OK;
}
