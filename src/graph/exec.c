/* Execution: memory for a graph on a device, and the walks over it.
 *
 * Every tensor is a view into the plan's chunks and every parameter one into its arena, all made once; a pass only
 * enqueues kernels. */
#include <stdlib.h>
#include <string.h>

#include "src/graph/exec.h"

/* The workspace's views, by offset and size: each operation asks for the same few again and again. */
struct workspace_view {
    uint64_t offset, bytes;
    struct paced_buffer *buffer;
};

static enum paced_err make_views(struct paced_exec *e, const struct paced_place *places, struct paced_buffer ***out) {
    *out = paced_alloc(e->plan.tensor_count, sizeof **out);
    for (size_t i = 0; i < e->plan.tensor_count; ++i)
        if (places[i].used)
            PACED_TRY(paced_buffer_view(&(*out)[i], e->chunks[places[i].chunk], places[i].offset, places[i].bytes));
    return PACED_OK;
}

static enum paced_err make_memory(struct paced_exec *e) {
    const struct paced_device_info *info = paced_device_info(e->device);
    PACED_TRY(paced_plan_make(&e->plan, e->graph, e->batch, e->mode, info->max_alloc_bytes, info->align_bytes));
    e->chunks = paced_alloc((size_t)e->plan.chunk_count, sizeof(struct paced_buffer *));
    for (int i = 0; i < e->plan.chunk_count; ++i)
        PACED_TRY(paced_buffer_create(&e->chunks[i], e->device, e->plan.chunk_bytes[i]));
    PACED_TRY(make_views(e, e->plan.values, &e->values));
    PACED_TRY(make_views(e, e->plan.grads, &e->grads));
    return paced_buffer_create(&e->workspace, e->device, e->plan.workspace_bytes);
}

/* A user is told once, before anything is allocated, what the whole run needs. */
static enum paced_err check_fit(const struct paced_exec *e) {
    const struct paced_device_info *info = paced_device_info(e->device);
    struct paced_plan plan;
    PACED_TRY(paced_plan_make(&plan, e->graph, e->batch, e->mode, info->max_alloc_bytes, info->align_bytes));
    uint64_t weights = 4 * paced_graph_trained_count(e->graph) * (e->mode == PACED_TRAINING ? 4 : 1);
    uint64_t bytes = paced_plan_bytes(&plan) + weights;
    paced_plan_finish(&plan);
    if (bytes <= info->global_bytes) return PACED_OK;
    return paced_error(PACED_FAILED,
                       "a batch of %d needs %.1f MiB on device %s, which has %.1f MiB; lower train.batch, data.size or "
                       "model.width",
                       e->batch, (double)bytes / 1048576, info->name, (double)info->global_bytes / 1048576);
}

enum paced_err paced_exec_create(struct paced_exec **out, const struct paced_graph *graph, struct paced_device *device,
                                 int batch, enum paced_mode mode) {
    *out = NULL;
    struct paced_exec *e = paced_alloc(1, sizeof *e);
    e->graph = graph;
    e->device = device;
    e->batch = batch;
    e->mode = mode;
    e->written = paced_alloc(graph->tensor_count, sizeof *e->written);
    enum paced_err err = check_fit(e);
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

/* ---- what operations ask ------------------------------------------------------------------------------------- */

struct paced_device *paced_exec_device(const struct paced_exec *e) {
    return e->device;
}

int paced_exec_samples(const struct paced_exec *e) {
    return e->samples;
}

bool paced_exec_is_training(const struct paced_exec *e) {
    return e->training;
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

enum paced_err paced_exec_workspace(struct paced_exec *e, uint64_t offset, uint64_t bytes, struct paced_buffer **view) {
    for (size_t i = 0; i < e->view_count; ++i)
        if (e->views[i].offset == offset && e->views[i].bytes == bytes) {
            *view = e->views[i].buffer;
            return PACED_OK;
        }
    PACED_TRY(paced_buffer_view(view, e->workspace, offset, bytes));
    e->views = paced_grow(e->views, e->view_count + 1, sizeof *e->views);
    e->views[e->view_count++] = (struct workspace_view){offset, bytes, *view};
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
