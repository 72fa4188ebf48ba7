/* Private to the graph module: the state of an execution. */
#ifndef PACED_GRAPH_EXEC_H
#define PACED_GRAPH_EXEC_H

#include "src/graph/graph.h"

struct workspace_view;

struct cached {
    struct paced_buffer *whole, *buffer; /* the memory, and it in the caller's format; NULL: none yet */
    bool filled;
};

struct param_place {
    uint64_t offset;                   /* bytes into its arena */
    struct paced_buffer *value, *grad; /* views of the arenas; grad: TRAINED only, in training */
    int64_t counter;                   /* COUNTER only, without buffers */
};

struct paced_exec {
    const struct paced_graph *graph;
    struct paced_device *device;
    int batch;
    enum paced_mode mode;
    enum paced_precision precision;
    struct paced_plan plan;
    struct paced_buffer **chunks;
    struct paced_buffer **values, **grads; /* by tensor index; NULL if not in the plan */
    struct paced_buffer *workspace;
    struct workspace_view *views;
    size_t view_count;
    struct cached *cached;                   /* by node index */
    uint64_t trained_bytes, statistic_bytes; /* of the arenas */
    struct paced_buffer *trained, *trained_grad, *statistics;
    struct param_place *params; /* by index in the graph */
    /* The current pass. */
    int samples;
    bool training;
    bool *written; /* by tensor index: its gradient has a value in this step */
};

void exec_place_params(struct paced_exec *exec); /* sets offsets and the sizes of the arenas */
enum paced_err exec_make_params(struct paced_exec *exec);
void exec_destroy_params(struct paced_exec *exec);

#endif
