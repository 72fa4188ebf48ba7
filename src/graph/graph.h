/* Private to the graph module: the lists of a graph. */
#ifndef PACED_GRAPH_GRAPH_H
#define PACED_GRAPH_GRAPH_H

#include "paced/graph.h"

struct paced_graph {
    struct paced_tensor **tensors;
    struct paced_node **nodes;
    struct paced_param **params;
    size_t tensor_count, node_count, param_count;
    struct paced_tensor *input, *output;
    bool store_all, pad_or_crop_all;
    enum paced_err err;
};

/* A stored tensor's source: itself. */
static inline struct paced_source source_itself(const struct paced_tensor *t) {
    return (struct paced_source){1, {{.stored = t, .factor = 1}}};
}

/* Decides which tensors are views, and sets their sources (views.c). */
void graph_choose_views(struct paced_graph *graph);

static inline uint64_t align_up(uint64_t n, uint64_t to) {
    return (n + to - 1) / to * to;
}

/* Bytes of a tensor and of its gradient. */
static inline uint64_t tensor_bytes(const struct paced_tensor *t, const struct paced_plan *plan) {
    bool is_index = t->element_bytes == 1;
    uint64_t element_bytes = is_index ? 1 : paced_format_bytes(paced_tensor_format(t, plan->precision));
    return paced_shape_count(t->shape) * element_bytes * (t->per_sample ? (uint64_t)plan->batch : 1);
}

#endif
