/* graph: a network as a list of nodes over tensors; where its tensors live; how it runs forward and backward.
 *
 * A builder (models) calls one function per layer (ops); each appends a node whose output tensor the next call takes.
 * Tensors are dense float32, NHWC. The planner (host only) gives every tensor a lifetime on the timeline of one step
 * (forward of node i of N is step i, the loss step N, backward of node i step 2N - i) and a place in a few arena
 * chunks, so that tensors that never live together share memory. Kept for backward is only what an operation says its
 * backward reads.
 *
 * What only moves or maps values (batch norm with its ReLU, upsampling, fitting, concatenation) is not stored where all
 * its readers can find it in what is: such a tensor is a view, and its readers look through it, forward and again in
 * backward.
 *
 * The law of gradients: a parameter's gradient is overwritten in each step (every parameter has one reader). A tensor's
 * gradient is overwritten by its first writer of the step and added to by the others; an operation asks
 * paced_exec_grad_beta once per input and passes the answer to its kernel. */
#ifndef PACED_GRAPH_H
#define PACED_GRAPH_H

#include "paced/device.h"
#include "paced/weights.h"

/* ---- what a network consists of ------------------------------------------------------------------------------ */

struct paced_shape {
    int h, w, c; /* of one sample; the batch is the run's */
};

static inline uint64_t paced_shape_count(struct paced_shape s) {
    return (uint64_t)s.h * (uint64_t)s.w * (uint64_t)s.c;
}

struct paced_node;
struct paced_tensor;

/* Values of a view, found in a stored tensor: each of its pixels stands for factor x factor pixels, the first of them
 * at (top, left) of the view, zeros around; where `map` is there, its two rows scale and shift each channel, and a ReLU
 * may follow. */
struct paced_part {
    const struct paced_tensor *stored, *map;
    bool relu;
    int factor, top, left;
};
#define PACED_MAX_PARTS 2
struct paced_source {
    int parts; /* their channels follow one another */
    struct paced_part part[PACED_MAX_PARTS];
};

struct paced_tensor {
    const char *name;
    struct paced_shape shape;
    bool per_sample;             /* one such shape for each; else one in all (BN's batch statistics) */
    unsigned element_bytes;      /* 4, or 1 for indices */
    struct paced_node *producer; /* NULL: an input of the network */
    bool needs_grad;
    int index;                  /* position in the graph's list */
    bool view;                  /* not stored */
    struct paced_source source; /* where readers that look through views find it (a stored tensor: itself) */
};

/* What the file calls it and how the device holds it. */
enum paced_param_kind {
    PACED_PARAM_TRAINED,   /* has a gradient and moments */
    PACED_PARAM_STATISTIC, /* running mean or variance: saved, not trained */
    PACED_PARAM_COUNTER,   /* num_batches_tracked: int64, kept on the host */
};
enum paced_param_layout {
    PACED_LAYOUT_PLAIN, /* as in the file */
    PACED_LAYOUT_KRSC,  /* convolution weights: [k][c][kh][kw] in the file, [k][kh][kw][c] on the device */
};
enum paced_init_kind { PACED_INIT_CONSTANT, PACED_INIT_UNIFORM, PACED_INIT_NORMAL };

struct paced_param {
    char *name; /* the reference's state-dict name */
    int index;  /* position in the graph's list */
    enum paced_param_kind kind;
    enum paced_param_layout layout;
    int rank, dims[4]; /* as in the file */
    enum paced_init_kind init;
    float init_value; /* the constant, the uniform bound or the deviation */
    uint64_t count; /* elements */
};

#define PACED_MAX_INPUTS 5
#define PACED_MAX_PARAMS 5

struct paced_exec;

/* What an operation is to the graph: one row, defined in its own file. */
struct paced_op {
    const char *name;
    unsigned backward_reads; /* which values backward reads, besides the output's gradient */
    enum paced_err (*forward)(struct paced_exec *exec, const struct paced_node *node);
    enum paced_err (*backward)(struct paced_exec *exec, const struct paced_node *node);
    bool reads_views; /* finds its inputs by their source, so they need not be stored */
    /* Where the output is found without being stored, from the sources of the inputs; false: not in PACED_MAX_PARTS
     * parts of such a form. NULL: the output is always stored. */
    bool (*view)(const struct paced_node *node, struct paced_source *source);
    /* Scratch that forward or backward would use on `batch` samples, within `limit` bytes if they can; NULL: none but
     * the node's workspace_bytes. */
    uint64_t (*workspace)(const struct paced_node *node, int batch, uint64_t limit);
};
enum { PACED_READS_NOTHING = 0, PACED_READS_INPUT = 1, PACED_READS_OUTPUT = 2 };

struct paced_node {
    const struct paced_op *op;
    const char *name;
    int index;
    int inputs;
    struct paced_tensor *in[PACED_MAX_INPUTS], *out;
    const struct paced_tensor *like; /* whose height and width the output takes, whatever they are; or NULL */
    struct paced_tensor *saved; /* written by forward, read by backward (pooling's indices, BN's statistics); or NULL */
    struct paced_param *params[PACED_MAX_PARAMS];
    void *attributes;         /* the operation's own description, released with free() */
    uint64_t workspace_bytes; /* scratch that forward or backward always uses; shared by all nodes */
    uint64_t macs;            /* multiply-adds of forward per sample, for reports */
    int least_samples;        /* that a training step needs here, where it is more than one */
};

struct paced_graph;

/* ---- building (models and ops) ------------------------------------------------------------------------------- */

struct paced_graph *paced_graph_create(void);
void paced_graph_destroy(struct paced_graph *graph);

/* Builders need not check each call: the first error is kept, later calls do nothing (they return NULL and accept NULL
 * tensors), and paced_graph_error gives it at the end. */
enum paced_err paced_graph_error(const struct paced_graph *graph);
void paced_graph_fail(struct paced_graph *graph, enum paced_err err);

struct paced_tensor *paced_graph_input(struct paced_graph *graph, const char *name, struct paced_shape shape);

/* A parameter named "<node>.<suffix>". */
struct paced_param *paced_graph_param(struct paced_graph *graph, const char *node, const char *suffix,
                                      enum paced_param_kind kind, enum paced_param_layout layout, int rank,
                                      const int *dims, enum paced_init_kind init, float init_value);

/* Appends a node with an output of `shape`. The caller fills saved, params, attributes, workspace and macs after. */
struct paced_node *paced_graph_add(struct paced_graph *graph, const struct paced_op *op, const char *name, int inputs,
                                   struct paced_tensor *const *in, struct paced_shape shape);
/* A tensor for node->saved: `shape` of elements per sample, or in all. */
struct paced_tensor *paced_graph_saved(struct paced_graph *graph, struct paced_node *node, struct paced_shape shape,
                                       unsigned element_bytes, bool per_sample);
/* Ends the building: names the output, and decides which tensors are views. */
void paced_graph_output(struct paced_graph *graph, struct paced_tensor *tensor);
/* From here on every tensor is stored: what tests compare views with. Before paced_graph_output. */
void paced_graph_store_all(struct paced_graph *graph);
/* From here on a tensor is fitted to another also where their sizes happen to agree: the graph then holds for images of
 * any size, and can be written for other programs. */
void paced_graph_fit_all(struct paced_graph *graph);
bool paced_graph_fits_all(const struct paced_graph *graph);

/* ---- looking at a network ------------------------------------------------------------------------------------ */

size_t paced_graph_node_count(const struct paced_graph *graph);
const struct paced_node *paced_graph_node(const struct paced_graph *graph, size_t i);
size_t paced_graph_param_count(const struct paced_graph *graph);
const struct paced_param *paced_graph_get_param(const struct paced_graph *graph, size_t i);
const struct paced_tensor *paced_graph_get_input(const struct paced_graph *graph);
const struct paced_tensor *paced_graph_get_output(const struct paced_graph *graph);
uint64_t paced_graph_trained_count(const struct paced_graph *graph); /* trained parameters' elements */
uint64_t paced_graph_macs(const struct paced_graph *graph);          /* per sample, forward */
/* A node that cannot be trained on batches of so few samples (BN over one value), or NULL. */
const struct paced_node *paced_graph_starved(const struct paced_graph *graph, int samples);

/* ---- the memory plan (host only) ----------------------------------------------------------------------------- */

enum paced_mode { PACED_INFERENCE, PACED_TRAINING };

struct paced_place {
    bool used;
    int first, last; /* lifetime: inclusive step numbers */
    int chunk;
    uint64_t offset, bytes;
};

struct paced_plan {
    int batch;
    enum paced_mode mode;
    struct paced_place *values, *grads; /* by tensor index; one array, the gradients' behind the values' */
    size_t tensor_count;
    int chunk_count;
    uint64_t *chunk_bytes;
    uint64_t unshared_bytes; /* what it would be without sharing */
    uint64_t workspace_bytes, workspace_limit;
};

struct paced_limits {
    uint64_t chunk_bytes, align_bytes; /* the largest chunk; of offsets */
    uint64_t workspace_bytes;          /* what operations keep to where they can */
};
/* Enough for every convolution to transform its weights once a step, up to a width of 64. */
#define PACED_WORKSPACE_BYTES (UINT64_C(192) << 20)

/* Places every tensor that is stored. PACED_FAILED where one alone is larger than a chunk may be. */
enum paced_err paced_plan_make(struct paced_plan *plan, const struct paced_graph *graph, int batch,
                               enum paced_mode mode, struct paced_limits limits);
void paced_plan_finish(struct paced_plan *plan);
uint64_t paced_plan_bytes(const struct paced_plan *plan); /* all chunks and the workspace */

/* Whether a file's tensors are the network's parameters: PACED_INVALID names `path` and the first tensor that is
 * missing, of another shape or dtype, or not part of the network, and says `hint` (NULL: how to configure the network
 * that the file is of); or the first that holds NaN or an infinite value. */
enum paced_err paced_graph_check_weights(const struct paced_graph *graph, const struct paced_weights *weights,
                                         const char *path, const char *hint);

/* Nodes, shapes, parameters, multiply-adds and the plan, for `paced graph`. */
void paced_graph_print(const struct paced_graph *graph, const struct paced_plan *plan, FILE *out);
void paced_plan_print(const struct paced_plan *plan, FILE *out);

/* ---- execution ----------------------------------------------------------------------------------------------- */

/* A graph with memory on a device. The graph must outlive it. */
enum paced_err paced_exec_create(struct paced_exec **exec, const struct paced_graph *graph, struct paced_device *device,
                                 int batch, enum paced_mode mode);
void paced_exec_destroy(struct paced_exec *exec);

/* Parameters: fresh from the generator (the same numbers on every device), or from a file's tensors (PACED_INVALID
 * names `path` and the first tensor that is missing, of another shape or dtype, or not part of the network). */
enum paced_err paced_exec_init_params(struct paced_exec *exec, uint64_t seed);
enum paced_err paced_exec_load_params(struct paced_exec *exec, const struct paced_weights *weights, const char *path);
enum paced_err paced_exec_save_params(struct paced_exec *exec, struct paced_weights *weights);

/* A flat buffer laid out like the trained parameters (a moment), to and from named tensors "<prefix><parameter>". */
enum paced_err paced_exec_load_flat(struct paced_exec *exec, struct paced_buffer *flat, const char *prefix,
                                    const struct paced_weights *weights, const char *path);
enum paced_err paced_exec_save_flat(struct paced_exec *exec, const struct paced_buffer *flat, const char *prefix,
                                    struct paced_weights *weights);

/* Runs the network on `count` (<= batch) samples already in the input tensor. `training`: BN uses and updates batch
 * statistics. */
enum paced_err paced_exec_forward(struct paced_exec *exec, int count, bool training);
/* After a forward with training: from the output's gradient to all parameters' gradients. */
enum paced_err paced_exec_backward(struct paced_exec *exec);

struct paced_buffer *paced_exec_input(struct paced_exec *exec);       /* [n][h][w][c] */
struct paced_buffer *paced_exec_output(struct paced_exec *exec);      /* [n][h][w][c] */
struct paced_buffer *paced_exec_output_grad(struct paced_exec *exec); /* the loss writes it */
/* All trained parameters, and their gradients, one after another, gaps zero: what an optimiser walks. */
struct paced_buffer *paced_exec_trained(struct paced_exec *exec);
struct paced_buffer *paced_exec_trained_grad(struct paced_exec *exec);

/* ---- for operations ------------------------------------------------------------------------------------------ */

struct paced_device *paced_exec_device(const struct paced_exec *exec);
int paced_exec_batch(const struct paced_exec *exec);   /* the most samples: what the plan was made for */
int paced_exec_samples(const struct paced_exec *exec); /* n of the running pass */
bool paced_exec_is_training(const struct paced_exec *exec);
struct paced_buffer *paced_exec_value(const struct paced_exec *exec, const struct paced_tensor *tensor); /* stored */
struct paced_buffer *paced_exec_grad(const struct paced_exec *exec, const struct paced_tensor *tensor);
/* 0 for the first writer of this tensor's gradient in this step, 1 for the others. Counts as writing. */
float paced_exec_grad_beta(struct paced_exec *exec, const struct paced_tensor *tensor);
struct paced_buffer *paced_exec_param(const struct paced_exec *exec, const struct paced_param *param);
struct paced_buffer *paced_exec_param_grad(const struct paced_exec *exec, const struct paced_param *param);
void paced_exec_count_batch(struct paced_exec *exec, const struct paced_param *counter);
uint64_t paced_exec_workspace_limit(const struct paced_exec *exec);
/* Memory of a node's own that lasts as long as the parameters stay the same, for what can be computed from them once
 * (inference only). `fresh`: it has to be filled. A NULL buffer: there is none to spare, or it is of another size. */
enum paced_err paced_exec_kept(struct paced_exec *exec, const struct paced_node *node, uint64_t bytes,
                               struct paced_buffer **buffer, bool *fresh);
/* A part of the workspace, laid out anew by each call of an operation: `offset` from its start, in bytes. Views are
 * kept, so asking again is cheap. */
enum paced_err paced_exec_workspace(struct paced_exec *exec, uint64_t offset, uint64_t bytes,
                                    struct paced_buffer **view);

#endif
