/* Construction of a network: lists of tensors, nodes and parameters, independent of any device. */
#include <stdlib.h>
#include <string.h>

#include "src/graph/graph.h"

struct paced_graph *paced_graph_create(void) {
    return paced_alloc(1, sizeof(struct paced_graph));
}

void paced_graph_destroy(struct paced_graph *g) {
    if (!g) return;
    for (size_t i = 0; i < g->tensor_count; ++i) free(g->tensors[i]);
    for (size_t i = 0; i < g->param_count; ++i) {
        free(g->params[i]->name);
        free(g->params[i]);
    }
    for (size_t i = 0; i < g->node_count; ++i) {
        free((char *)g->nodes[i]->name);
        free(g->nodes[i]->attributes);
        free(g->nodes[i]);
    }
    free(g->tensors);
    free(g->params);
    free(g->nodes);
    free(g);
}

enum paced_err paced_graph_error(const struct paced_graph *g) {
    return g->err;
}

void paced_graph_fail(struct paced_graph *g, enum paced_err err) {
    if (!g->err) g->err = err;
}

static struct paced_tensor *add_tensor(struct paced_graph *g, const char *name, struct paced_shape shape) {
    struct paced_tensor *t = paced_alloc(1, sizeof *t);
    *t = (struct paced_tensor){.name = name, .shape = shape, .per_sample = true, .element_bytes = 4};
    t->source = source_itself(t);
    t->index = (int)g->tensor_count;
    g->tensors = paced_grow(g->tensors, g->tensor_count + 1, sizeof *g->tensors);
    g->tensors[g->tensor_count++] = t;
    return t;
}

struct paced_tensor *paced_graph_input(struct paced_graph *g, const char *name, struct paced_shape shape) {
    g->input = add_tensor(g, name, shape);
    g->input->full_precision = true;
    return g->input;
}

void paced_graph_output(struct paced_graph *g, struct paced_tensor *tensor) {
    g->output = tensor;
    if (tensor) tensor->full_precision = true;
    if (!g->err) graph_choose_views(g);
}

void paced_graph_store_all(struct paced_graph *g) {
    g->store_all = true;
}

void paced_graph_pad_or_crop_all(struct paced_graph *g) {
    g->pad_or_crop_all = true;
}

bool paced_graph_pads_or_crops_all(const struct paced_graph *g) {
    return g->pad_or_crop_all;
}

struct paced_param *paced_graph_param(struct paced_graph *g, const char *node, const char *suffix,
                                      enum paced_param_kind kind, enum paced_param_layout layout, int rank,
                                      const int *dims, enum paced_init_kind init, float init_value) {
    struct paced_param *p = paced_alloc(1, sizeof *p);
    *p = (struct paced_param){
        paced_format("%s.%s", node, suffix), (int)g->param_count, kind, layout, rank, {0}, init, init_value, 1};
    for (int i = 0; i < rank; ++i) {
        p->dims[i] = dims[i];
        p->count *= (uint64_t)dims[i];
    }
    g->params = paced_grow(g->params, g->param_count + 1, sizeof *g->params);
    g->params[g->param_count++] = p;
    return p;
}

struct paced_node *paced_graph_add(struct paced_graph *g, const struct paced_op *op, const char *name, int inputs,
                                   struct paced_tensor *const *in, struct paced_shape shape) {
    struct paced_node *node = paced_alloc(1, sizeof *node);
    node->op = op;
    node->name = name ? paced_strdup(name) : paced_format("%s%zu", op->name, g->node_count);
    node->index = (int)g->node_count;
    node->inputs = inputs;
    for (int i = 0; i < inputs; ++i) node->in[i] = in[i];
    node->out = add_tensor(g, node->name, shape);
    node->out->producer = node;
    node->out->needs_grad = true;
    g->nodes = paced_grow(g->nodes, g->node_count + 1, sizeof *g->nodes);
    g->nodes[g->node_count++] = node;
    return node;
}

struct paced_tensor *paced_graph_saved(struct paced_graph *g, struct paced_node *node, struct paced_shape shape,
                                       unsigned element_bytes, bool per_sample) {
    struct paced_tensor *t = add_tensor(g, node->name, shape);
    t->element_bytes = element_bytes;
    t->per_sample = per_sample;
    t->producer = node;
    node->saved = t;
    return t;
}

size_t paced_graph_node_count(const struct paced_graph *g) {
    return g->node_count;
}

const struct paced_node *paced_graph_node(const struct paced_graph *g, size_t i) {
    return g->nodes[i];
}

size_t paced_graph_param_count(const struct paced_graph *g) {
    return g->param_count;
}

const struct paced_param *paced_graph_get_param(const struct paced_graph *g, size_t i) {
    return g->params[i];
}

const struct paced_param *paced_graph_find_param(const struct paced_graph *g, const char *name) {
    for (size_t i = 0; i < g->param_count; ++i)
        if (strcmp(g->params[i]->name, name) == 0) return g->params[i];
    return NULL;
}

const struct paced_tensor *paced_graph_get_input(const struct paced_graph *g) {
    return g->input;
}

const struct paced_tensor *paced_graph_get_output(const struct paced_graph *g) {
    return g->output;
}

uint64_t paced_graph_trained_count(const struct paced_graph *g) {
    uint64_t count = 0;
    for (size_t i = 0; i < g->param_count; ++i)
        if (g->params[i]->kind == PACED_PARAM_TRAINED) count += g->params[i]->count;
    return count;
}

uint64_t paced_graph_macs(const struct paced_graph *g) {
    uint64_t macs = 0;
    for (size_t i = 0; i < g->node_count; ++i) macs += g->nodes[i]->macs;
    return macs;
}

const struct paced_node *paced_graph_starved(const struct paced_graph *g, int samples) {
    for (size_t i = 0; i < g->node_count; ++i)
        if (g->nodes[i]->least_samples > samples) return g->nodes[i];
    return NULL;
}
