/* The memory plan: a lifetime and a place for every tensor.
 *
 * Timeline of one training step over N nodes: forward of node i is step i, the loss is step N, backward of node i is
 * step 2N - i. A tensor lives from its first writer's step to its last reader's. Tensors are placed largest first, each
 * at the lowest offset of the first chunk that is free during its lifetime ("greedy by size", after Pisarchyk and Lee,
 * arXiv 2001.03288). */
#include <stdlib.h>
#include <string.h>

#include "src/graph/graph.h"

static void extend(struct paced_place *p, int step) {
    if (!p->used) {
        p->used = true;
        p->first = p->last = step;
    }
    if (step < p->first) p->first = step;
    if (step > p->last) p->last = step;
}

static void read_through(struct paced_plan *plan, const struct paced_source *source, int step) {
    for (int i = 0; i < source->parts; ++i) {
        extend(&plan->values[source->part[i].stored->index], step);
        if (source->part[i].map) extend(&plan->values[source->part[i].map->index], step);
    }
}

static void read_inputs(struct paced_plan *plan, const struct paced_node *node, int step) {
    for (int k = 0; k < node->inputs; ++k) read_through(plan, &node->in[k]->source, step);
}

static void find_lifetimes(struct paced_plan *plan, const struct paced_graph *g) {
    int n = (int)g->node_count;
    bool training = plan->mode == PACED_TRAINING;
    extend(&plan->values[g->input->index], 0);
    for (int i = 0; i < n; ++i) {
        const struct paced_node *node = g->nodes[i];
        int backward = 2 * n - i;
        if (!node->out->view) extend(&plan->values[node->out->index], i);
        if (node->saved) extend(&plan->values[node->saved->index], i);
        read_inputs(plan, node, i);
        if (!training) continue;
        if (node->saved) extend(&plan->values[node->saved->index], backward);
        if (node->op->backward_reads & PACED_READS_OUTPUT) extend(&plan->values[node->out->index], backward);
        extend(&plan->grads[node->out->index], backward);
        if (node->op->backward_reads & PACED_READS_INPUT) read_inputs(plan, node, backward);
        for (int k = 0; k < node->inputs; ++k)
            if (node->in[k]->needs_grad) extend(&plan->grads[node->in[k]->index], backward);
    }
    extend(&plan->values[g->output->index], n);
    if (training) extend(&plan->grads[g->output->index], n);
}

/* ---- formats ------------------------------------------------------------------------------------------------- */

PACED_NAMES(paced_precision_name, [PACED_PRECISION_FLOAT32] = "float32", [PACED_PRECISION_MIXED] = "mixed")

enum paced_format paced_tensor_format(const struct paced_tensor *t, enum paced_precision precision) {
    bool saved = t->producer && t->producer->saved == t;
    bool half = precision == PACED_PRECISION_MIXED && !t->full_precision && !saved;
    return half ? PACED_BFLOAT16 : PACED_FLOAT32;
}

/* A kernel has one type for all tensors that an operation reads. */
static enum paced_err check_formats(const struct paced_node *node, enum paced_precision precision) {
    const struct paced_tensor *first = node->in[0]->source.part[0].stored;
    for (int k = 0; k < node->inputs; ++k)
        for (int i = 0; i < node->in[k]->source.parts; ++i) {
            const struct paced_tensor *other = node->in[k]->source.part[i].stored;
            if (paced_tensor_format(other, precision) == paced_tensor_format(first, precision)) continue;
            return paced_error_at(PACED_INVALID, node->name,
                                  "reads %s and %s, of which mixed precision stores one as bfloat16 and one, the "
                                  "network's input or output, as float32; put an operation between, or use float32",
                                  first->name, other->name);
        }
    return PACED_OK;
}

/* ---- placing ------------------------------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b) {
    const struct paced_place *x = *(struct paced_place *const *)a, *y = *(struct paced_place *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    if (x->first != y->first) return x->first - y->first;
    return (x > y) - (x < y); /* both are in one array, gradients after values */
}

static bool lives_with(const struct paced_place *a, const struct paced_place *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest free offset in `chunk` for p, given the first `count` places. */
static uint64_t lowest_offset(const struct paced_place *p, struct paced_place *const *placed, size_t count, int chunk,
                              uint64_t align) {
    uint64_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < count; ++i) {
            const struct paced_place *q = placed[i];
            bool overlaps =
                q->chunk == chunk && lives_with(p, q) && offset < q->offset + q->bytes && q->offset < offset + p->bytes;
            if (!overlaps) continue;
            offset = align_up(q->offset + q->bytes, align);
            moved = true;
        }
    }
    return offset;
}

static void place(struct paced_plan *plan, struct paced_place *p, struct paced_place *const *placed, size_t count,
                  uint64_t chunk_limit, uint64_t align) {
    for (int chunk = 0;; ++chunk) {
        if (chunk == plan->chunk_count) {
            plan->chunk_bytes = paced_grow(plan->chunk_bytes, (size_t)chunk + 1, sizeof *plan->chunk_bytes);
            plan->chunk_bytes[plan->chunk_count++] = 0;
        }
        uint64_t offset = lowest_offset(p, placed, count, chunk, align);
        if (offset + p->bytes > chunk_limit) continue;
        p->chunk = chunk;
        p->offset = offset;
        if (offset + p->bytes > plan->chunk_bytes[chunk]) plan->chunk_bytes[chunk] = offset + p->bytes;
        return;
    }
}

static enum paced_err check_size(const struct paced_tensor *t, int batch, uint64_t bytes, uint64_t most) {
    if (bytes <= most) return PACED_OK;
    return paced_error(PACED_FAILED,
                       "tensor %s needs %.1f MiB in one buffer for a batch of %d, the device allows %.1f MiB; "
                       "%s",
                       t->name, (double)bytes / 1048576, batch, (double)most / 1048576,
                       paced_advice(PACED_CAUSE_MEMORY));
}

static enum paced_err place_all(struct paced_plan *plan, const struct paced_graph *g, struct paced_limits limits) {
    struct paced_place **order = paced_alloc(2 * g->tensor_count, sizeof *order);
    size_t count = 0;
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < g->tensor_count && !err; ++i) {
        uint64_t bytes = align_up(tensor_bytes(g->tensors[i], plan), limits.align_bytes);
        struct paced_place *both[] = {&plan->values[i], &plan->grads[i]};
        for (int k = 0; k < 2 && !err; ++k) {
            if (!both[k]->used) continue;
            err = check_size(g->tensors[i], plan->batch, bytes, limits.chunk_bytes);
            both[k]->bytes = bytes;
            plan->unshared_bytes += bytes;
            order[count++] = both[k];
        }
    }
    qsort(order, count, sizeof(struct paced_place *), larger_first);
    for (size_t i = 0; i < count && !err; ++i) place(plan, order[i], order, i, limits.chunk_bytes, limits.align_bytes);
    free(order);
    return err;
}

static uint64_t workspace_of(const struct paced_node *node, int batch, uint64_t limit) {
    uint64_t scaled = node->op->workspace ? node->op->workspace(node, batch, limit) : 0;
    return scaled > node->workspace_bytes ? scaled : node->workspace_bytes;
}

/* Kernels and their launches count the pixels of a batch in int. */
static enum paced_err check_pixels(const struct paced_graph *g, int batch) {
    const struct paced_shape *shape = &g->input->shape;
    if ((int64_t)batch * shape->h * shape->w <= INT32_MAX / 2) return PACED_OK;
    return paced_error(PACED_INVALID,
                       "a batch of %d images of %d x %d is too large, at most %d pixels are possible; %s", batch,
                       shape->h, shape->w, INT32_MAX / 2, paced_advice(PACED_CAUSE_TOO_MANY_PIXELS));
}

enum paced_err paced_plan_make(struct paced_plan *plan, const struct paced_graph *g, int batch, enum paced_mode mode,
                               enum paced_precision precision, struct paced_limits limits) {
    PACED_TRY(check_pixels(g, batch));
    for (size_t i = 0; i < g->node_count; ++i) PACED_TRY(check_formats(g->nodes[i], precision));
    *plan = (struct paced_plan){.batch = batch,
                                .mode = mode,
                                .precision = precision,
                                .tensor_count = g->tensor_count,
                                .workspace_limit = limits.workspace_bytes};
    plan->values = paced_alloc(2 * g->tensor_count, sizeof *plan->values);
    plan->grads = plan->values + g->tensor_count;
    find_lifetimes(plan, g);
    for (size_t i = 0; i < g->node_count; ++i) {
        uint64_t bytes = workspace_of(g->nodes[i], batch, limits.workspace_bytes);
        if (bytes > plan->workspace_bytes) plan->workspace_bytes = bytes;
    }
    enum paced_err err = place_all(plan, g, limits);
    if (err) paced_plan_finish(plan);
    return err;
}

void paced_plan_finish(struct paced_plan *plan) {
    free(plan->values);
    free(plan->chunk_bytes);
    *plan = (struct paced_plan){0};
}

uint64_t paced_plan_bytes(const struct paced_plan *plan) {
    uint64_t bytes = plan->workspace_bytes;
    for (int i = 0; i < plan->chunk_count; ++i) bytes += plan->chunk_bytes[i];
    return bytes;
}
