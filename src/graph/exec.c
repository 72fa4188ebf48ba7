/* Execution: memory for a graph on a device, and the forward and backward passes.
 *
 * Every tensor is a view into the plan's chunks and every parameter one into its arena, all created once; a pass only
 * enqueues kernels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/graph/exec.h"

/* A cached view of the workspace: each operation asks for the same few in every pass. */
struct workspace_view {
    uint64_t offset, bytes;
    enum paced_format format;
    struct paced_buffer *buffer;
};

static enum paced_err make_views(struct paced_exec *e, const struct paced_place *places, struct paced_buffer ***out) {
    *out = paced_alloc(e->plan.tensor_count, sizeof **out);
    for (size_t i = 0; i < e->plan.tensor_count; ++i) {
        const struct paced_place *p = &places[i];
        enum paced_format format = paced_tensor_format(e->graph->tensors[i], e->precision);
        if (p->used) PACED_TRY(paced_buffer_view_as(&(*out)[i], e->chunks[p->chunk], p->offset, p->bytes, format));
    }
    return PACED_OK;
}

static const uint64_t LEAST_WORKSPACE_BYTES = 1 << 20;

/* Bytes of the parameters and, in training, of their gradients and an optimiser's maximum: two moments of the same size
 * and a few sums. */
static uint64_t parameter_bytes(const struct paced_exec *e) {
    enum { OPTIMIZER_SUMS_BYTES = 128 << 10 };
    if (e->mode != PACED_TRAINING) return e->trained_bytes + e->statistic_bytes;
    return 4 * e->trained_bytes + e->statistic_bytes + OPTIMIZER_SUMS_BYTES;
}

/* Makes the plan with the largest workspace that fits: with less of it, convolutions transform their weights
 * repeatedly. One error reports what a run needs, before anything is allocated. */
static enum paced_err make_plan(struct paced_exec *e) {
    const struct paced_device_info *info = paced_device_info(e->device);
    uint64_t used = paced_device_allocated(e->device), needed = 0;
    for (uint64_t bytes = PACED_WORKSPACE_BYTES; bytes >= LEAST_WORKSPACE_BYTES; bytes /= 2) {
        struct paced_limits limits = {info->max_alloc_bytes, info->align_bytes, bytes};
        PACED_TRY(paced_plan_make(&e->plan, e->graph, e->batch, e->mode, e->precision, limits));
        needed = paced_plan_bytes(&e->plan) + parameter_bytes(e);
        if (used + needed <= info->global_bytes && e->plan.workspace_bytes <= info->max_alloc_bytes) return PACED_OK;
        paced_plan_finish(&e->plan);
    }
    return paced_error(PACED_FAILED, "a batch of %d needs at least %.0f MiB on device %s, which has %.0f MiB; %s",
                       e->batch, ceil((double)(used + needed) / 1048576), info->name,
                       (double)info->global_bytes / 1048576, paced_advice(PACED_CAUSE_MEMORY_LIMIT));
}

static enum paced_err make_memory(struct paced_exec *e) {
    PACED_TRY(make_plan(e));
    e->chunks = paced_alloc((size_t)e->plan.chunk_count, sizeof(struct paced_buffer *));
    for (int i = 0; i < e->plan.chunk_count; ++i)
        PACED_TRY(paced_buffer_create(&e->chunks[i], e->device, e->plan.chunk_bytes[i]));
    PACED_TRY(make_views(e, e->plan.values, &e->values));
    PACED_TRY(make_views(e, e->plan.grads, &e->grads));
    return paced_buffer_create(&e->workspace, e->device, e->plan.workspace_bytes);
}

/* Makes the trials that mixed precision depends on, before any memory is taken. */
static enum paced_err try_bfloat16(struct paced_device *device) {
    enum paced_products products;
    PACED_TRY(paced_device_check_format(device, PACED_BFLOAT16));
    return paced_device_products(device, &products);
}

enum paced_err paced_exec_create(struct paced_exec **out, const struct paced_graph *graph, struct paced_device *device,
                                 int batch, enum paced_mode mode, enum paced_precision precision) {
    *out = NULL;
    struct paced_exec *e = paced_alloc(1, sizeof *e);
    e->graph = graph;
    e->device = device;
    e->batch = batch;
    e->mode = mode;
    e->precision = precision;
    e->written = paced_alloc(graph->tensor_count, sizeof *e->written);
    e->cached = paced_alloc(graph->node_count, sizeof *e->cached);
    exec_place_params(e);
    enum paced_err err = PACED_OK;
    if (precision == PACED_PRECISION_MIXED) err = try_bfloat16(device);
    if (!err) err = make_memory(e);
    if (!err) err = exec_make_params(e);
    if (err) {
        paced_exec_destroy(e);
        return err;
    }
    *out = e;
    return PACED_OK;
}

static void destroy_all(struct paced_buffer **buffers, size_t count) {
    for (size_t i = 0; buffers && i < count; ++i) paced_buffer_destroy(buffers[i]);
    free(buffers);
}

void paced_exec_destroy(struct paced_exec *e) {
    if (!e) return;
    for (size_t i = 0; i < e->view_count; ++i) paced_buffer_destroy(e->views[i].buffer);
    free(e->views);
    for (size_t i = 0; i < e->graph->node_count; ++i) {
        paced_buffer_destroy(e->cached[i].buffer);
        paced_buffer_destroy(e->cached[i].whole);
    }
    free(e->cached);
    exec_destroy_params(e);
    destroy_all(e->values, e->plan.tensor_count);
    destroy_all(e->grads, e->plan.tensor_count);
    destroy_all(e->chunks, (size_t)e->plan.chunk_count);
    paced_buffer_destroy(e->workspace);
    paced_plan_finish(&e->plan);
    free(e->written);
    free(e);
}

enum paced_err paced_exec_forward(struct paced_exec *e, int count, bool training) {
    e->samples = count;
    e->training = training;
    for (size_t i = 0; i < e->graph->node_count; ++i) {
        const struct paced_node *node = e->graph->nodes[i];
        PACED_TRY(node->op->forward(e, node));
    }
    return PACED_OK;
}

enum paced_err paced_exec_backward(struct paced_exec *e) {
    memset(e->written, 0, e->graph->tensor_count * sizeof *e->written);
    for (size_t i = e->graph->node_count; i-- > 0;) {
        const struct paced_node *node = e->graph->nodes[i];
        PACED_TRY(node->op->backward(e, node));
    }
    return PACED_OK;
}

/* ---- for operations ------------------------------------------------------------------------------------------ */

struct paced_device *paced_exec_device(const struct paced_exec *e) {
    return e->device;
}

int paced_exec_batch(const struct paced_exec *e) {
    return e->batch;
}

int paced_exec_samples(const struct paced_exec *e) {
    return e->samples;
}

bool paced_exec_is_training(const struct paced_exec *e) {
    return e->training;
}

enum paced_precision paced_exec_precision(const struct paced_exec *e) {
    return e->precision;
}

struct paced_buffer *paced_exec_value(const struct paced_exec *e, const struct paced_tensor *t) {
    return e->values[t->index];
}

struct paced_buffer *paced_exec_grad(const struct paced_exec *e, const struct paced_tensor *t) {
    return e->grads[t->index];
}

float paced_exec_grad_beta(struct paced_exec *e, const struct paced_tensor *t) {
    bool first = !e->written[t->index];
    e->written[t->index] = true;
    return first ? 0.0f : 1.0f;
}

uint64_t paced_exec_workspace_limit(const struct paced_exec *e) {
    return e->plan.workspace_limit;
}

/* Makes the cache if the memory suffices. */
static enum paced_err make_cache(struct paced_exec *e, struct cached *cached, uint64_t bytes,
                                 enum paced_format format) {
    const struct paced_device_info *info = paced_device_info(e->device);
    bool spare = bytes <= info->max_alloc_bytes && paced_device_allocated(e->device) + bytes <= info->global_bytes / 4;
    if (!spare) return PACED_OK;
    PACED_TRY(paced_buffer_create(&cached->whole, e->device, bytes));
    return paced_buffer_view_as(&cached->buffer, cached->whole, 0, bytes, format);
}

enum paced_err paced_exec_cached(struct paced_exec *e, const struct paced_node *node, uint64_t bytes,
                                 enum paced_format format, struct paced_buffer **buffer, bool *fresh) {
    struct cached *cached = &e->cached[node->index];
    *buffer = NULL;
    *fresh = true;
    if (e->mode == PACED_INFERENCE && !cached->whole) PACED_TRY(make_cache(e, cached, bytes, format));
    if (!cached->buffer || paced_buffer_bytes(cached->buffer) != bytes || paced_buffer_format(cached->buffer) != format)
        return PACED_OK; /* another algorithm's */
    *buffer = cached->buffer;
    *fresh = !cached->filled;
    cached->filled = true;
    return PACED_OK;
}

enum paced_err paced_exec_workspace(struct paced_exec *e, uint64_t offset, uint64_t bytes, struct paced_buffer **view) {
    return paced_exec_workspace_as(e, offset, bytes, PACED_FLOAT32, view);
}

enum paced_err paced_exec_workspace_as(struct paced_exec *e, uint64_t offset, uint64_t bytes, enum paced_format format,
                                       struct paced_buffer **view) {
    for (size_t i = 0; i < e->view_count; ++i)
        if (e->views[i].offset == offset && e->views[i].bytes == bytes && e->views[i].format == format) {
            *view = e->views[i].buffer;
            return PACED_OK;
        }
    PACED_TRY(paced_buffer_view_as(view, e->workspace, offset, bytes, format));
    e->views = paced_grow(e->views, e->view_count + 1, sizeof *e->views);
    e->views[e->view_count++] = (struct workspace_view){offset, bytes, format, *view};
    return PACED_OK;
}

struct paced_buffer *paced_exec_input(struct paced_exec *e) {
    return e->values[e->graph->input->index];
}

struct paced_buffer *paced_exec_output(struct paced_exec *e) {
    return e->values[e->graph->output->index];
}

struct paced_buffer *paced_exec_output_grad(struct paced_exec *e) {
    return e->grads[e->graph->output->index];
}
