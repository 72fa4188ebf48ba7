/* graph: a network as a list of nodes over tensors, its memory plan and its execution.
 *
 * A builder (models) calls one function per layer (ops); each appends a node and returns its output tensor, the input
 * of the next call. Tensors are dense, NHWC, of float32 or bfloat16 (enum paced_precision). The planner (host only)
 * assigns each tensor a lifetime on the timeline of one step (forward of node i of N is step i, the loss step N,
 * backward of node i step 2N - i) and a place in a few memory chunks. Tensors whose lifetimes are disjoint share
 * memory. A value outlives the forward pass only if an operation declares that its backward reads it.
 *
 * The output of an operation that only moves or maps values (batch norm with its ReLU, upsampling, padding,
 * concatenation) is a view, and not stored, if all its readers can compute it from stored tensors. Readers do so in the
 * forward pass and again in the backward pass.
 *
 * Gradients: a parameter's gradient is overwritten in each step (every parameter has one reader). A tensor's gradient
 * is overwritten by its first writer of the step, and the other writers add to it; an operation calls
 * paced_exec_grad_beta once per input and passes the result to its kernel. */
#ifndef PACED_GRAPH_H
#define PACED_GRAPH_H

#include "paced/device.h"
#include "paced/weights.h"

/* ---- data structures ----------------------------------------------------------------------------------------- */

struct paced_shape {
    int h, w, c; /* of one sample */
};

static inline uint64_t paced_shape_count(struct paced_shape s) {
    return (uint64_t)s.h * (uint64_t)s.w * (uint64_t)s.c;
}

struct paced_node;
struct paced_tensor;

/* A part of a view, computed from a stored tensor: each stored pixel fills factor x factor pixels, the first of them at
 * (top, left) of the view, zeros around. If `map` is not NULL, its two rows scale and shift each channel, and a ReLU
 * may follow. */
struct paced_part {
    const struct paced_tensor *stored, *map;
    bool relu;
    int factor, top, left;
};
#define PACED_MAX_PARTS 2
struct paced_source {
    int parts; /* concatenated along the channels */
    struct paced_part part[PACED_MAX_PARTS];
};

struct paced_tensor {
    const char *name;
    struct paced_shape shape;
    bool per_sample;             /* false: `shape` is the whole tensor's (BN's batch statistics) */
    unsigned element_bytes;      /* 4, or 1 for indices; in mixed precision 2 for most (paced_tensor_format) */
    bool full_precision;         /* float32 in mixed precision, too: the network's input and output */
    struct paced_node *producer; /* NULL: an input of the network */
    bool needs_grad;
    int index;                  /* position in the graph's list */
    bool view;                  /* not stored */
    struct paced_source source; /* for readers that accept views (a stored tensor: itself) */
};

enum paced_param_kind {
    PACED_PARAM_TRAINED,   /* has a gradient and moments */
    PACED_PARAM_STATISTIC, /* running mean or variance: saved, not trained */
    PACED_PARAM_COUNTER,   /* num_batches_tracked: int64, on the host */
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
    float init_value; /* the constant, the uniform bound or the standard deviation */
    uint64_t count;   /* elements */
};

#define PACED_MAX_INPUTS 5
#define PACED_MAX_PARAMS 5

struct paced_exec;

/* An operation: one constant struct, defined in the operation's own file. */
struct paced_op {
    const char *name;
    unsigned backward_reads; /* values that backward reads, besides the output's gradient */
    enum paced_err (*forward)(struct paced_exec *exec, const struct paced_node *node);
    enum paced_err (*backward)(struct paced_exec *exec, const struct paced_node *node);
    bool reads_views; /* reads its inputs through their sources, so they need not be stored */
    /* The source of the output, from the sources of the inputs; false if it takes more than PACED_MAX_PARTS parts or
     * another form. NULL: the output is always stored. */
    bool (*view)(const struct paced_node *node, struct paced_source *source);
    /* Workspace for `batch` samples, in bytes, within `limit` where possible; NULL: only the node's workspace_bytes. */
    uint64_t (*workspace)(const struct paced_node *node, int batch, uint64_t limit);
};
enum { PACED_READS_NOTHING = 0, PACED_READS_INPUT = 1, PACED_READS_OUTPUT = 2 };

struct paced_node {
    const struct paced_op *op;
    const char *name;
    int index;
    int inputs;
    struct paced_tensor *in[PACED_MAX_INPUTS], *out;
    const struct paced_tensor *like; /* reference of the output's height and width, or NULL */
    struct paced_tensor *saved; /* written by forward, read by backward (pooling's indices, BN's statistics); or NULL */
    struct paced_param *params[PACED_MAX_PARAMS];
    void *attributes;         /* private to the operation, released with free() */
    uint64_t workspace_bytes; /* minimum workspace of forward and backward; shared by all nodes */
    uint64_t macs;            /* multiply-adds of forward per sample, for reports */
    int least_samples;        /* minimum batch of a training step, if more than one */
};

struct paced_graph;

/* ---- building (models and ops) ------------------------------------------------------------------------------- */

struct paced_graph *paced_graph_create(void);
void paced_graph_destroy(struct paced_graph *graph);

/* Builders need not check each call: the graph keeps the first error, later calls do nothing (they return NULL and
 * accept NULL tensors), and paced_graph_error returns that error at the end. */
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
/* Sets node->saved to a new tensor; `shape` is that of one sample, or of the whole tensor if !per_sample. */
struct paced_tensor *paced_graph_saved(struct paced_graph *graph, struct paced_node *node, struct paced_shape shape,
                                       unsigned element_bytes, bool per_sample);
/* Ends the building: declares the output and decides which tensors are views. */
void paced_graph_output(struct paced_graph *graph, struct paced_tensor *tensor);
/* Stores every tensor, so that tests can compare views with stored values. Call it before paced_graph_output. */
void paced_graph_store_all(struct paced_graph *graph);
/* Makes paced_pad_or_crop add a node even if the sizes agree, so that the graph is valid for images of any size and can
 * be exported. */
void paced_graph_pad_or_crop_all(struct paced_graph *graph);
bool paced_graph_pads_or_crops_all(const struct paced_graph *graph);

/* ---- inspection ---------------------------------------------------------------------------------------------- */

size_t paced_graph_node_count(const struct paced_graph *graph);
const struct paced_node *paced_graph_node(const struct paced_graph *graph, size_t i);
size_t paced_graph_param_count(const struct paced_graph *graph);
const struct paced_param *paced_graph_get_param(const struct paced_graph *graph, size_t i);
const struct paced_param *paced_graph_find_param(const struct paced_graph *graph, const char *name); /* or NULL */
const struct paced_tensor *paced_graph_get_input(const struct paced_graph *graph);
const struct paced_tensor *paced_graph_get_output(const struct paced_graph *graph);
uint64_t paced_graph_trained_count(const struct paced_graph *graph); /* elements of trainable parameters */
uint64_t paced_graph_macs(const struct paced_graph *graph);          /* per sample, forward */
/* The first node that needs more than `samples` samples in a training step (BN over one value), or NULL. */
const struct paced_node *paced_graph_starved(const struct paced_graph *graph, int samples);

/* ---- the memory plan (host only) ----------------------------------------------------------------------------- */

enum paced_mode { PACED_INFERENCE, PACED_TRAINING };

/* float32: all tensors. mixed: the values of all samples that are kept between operations, and their gradients, are
 * stored as bfloat16, except the network's input and output. Convolutions multiply bfloat16 where the device has such
 * products (paced_device_products). Sums, parameters, their gradients and statistics are float32. */
enum paced_precision { PACED_PRECISION_FLOAT32, PACED_PRECISION_MIXED };
const char *paced_precision_name(int precision);

/* The format of a tensor and of its gradient. */
enum paced_format paced_tensor_format(const struct paced_tensor *tensor, enum paced_precision precision);

struct paced_place {
    bool used;
    int first, last; /* lifetime: inclusive step numbers */
    int chunk;
    uint64_t offset, bytes;
};

struct paced_plan {
    int batch;
    enum paced_mode mode;
    enum paced_precision precision;
    struct paced_place *values, *grads; /* by tensor index; one array, gradients after values */
    size_t tensor_count;
    int chunk_count;
    uint64_t *chunk_bytes;
    uint64_t unshared_bytes; /* memory of all tensors without sharing */
    uint64_t workspace_bytes, workspace_limit;
};

struct paced_limits {
    uint64_t chunk_bytes, align_bytes; /* maximum of a chunk; alignment of offsets */
    uint64_t workspace_bytes;          /* operations stay below it where possible */
};
/* Workspace in which every convolution transforms its weights once a step, for networks of a width of up to 64. */
#define PACED_WORKSPACE_BYTES (UINT64_C(192) << 20)

/* Places every stored tensor. PACED_FAILED if a tensor exceeds the maximum of a chunk; PACED_INVALID if the batch has
 * too many pixels, or if an operation would read tensors of both formats. */
enum paced_err paced_plan_make(struct paced_plan *plan, const struct paced_graph *graph, int batch,
                               enum paced_mode mode, enum paced_precision precision, struct paced_limits limits);
void paced_plan_finish(struct paced_plan *plan);
uint64_t paced_plan_bytes(const struct paced_plan *plan); /* all chunks and the workspace */

/* Checks that a file's tensors are the network's parameters. PACED_INVALID names `path` and the first tensor that is
 * missing, unexpected or of another shape or dtype, and ends in `hint` (NULL: the keys that configure the file's
 * network); or it names the first tensor that holds NaN or an infinite value. */
enum paced_err paced_graph_check_weights(const struct paced_graph *graph, const struct paced_weights *weights,
                                         const char *path, const char *hint);

/* Prints nodes, shapes, parameters, multiply-adds and, unless NULL, the plan, for `paced graph`. */
void paced_graph_print(const struct paced_graph *graph, const struct paced_plan *plan, FILE *out);
void paced_plan_print(const struct paced_plan *plan, FILE *out);

/* ---- execution ----------------------------------------------------------------------------------------------- */

/* A graph with memory on a device. The graph must outlive it. Errors as of paced_plan_make and, in mixed precision,
 * paced_device_check_format and paced_device_products; PACED_FAILED if the memory does not suffice. */
enum paced_err paced_exec_create(struct paced_exec **exec, const struct paced_graph *graph, struct paced_device *device,
                                 int batch, enum paced_mode mode, enum paced_precision precision);
void paced_exec_destroy(struct paced_exec *exec);

/* Parameters: initialised from `seed` (the same numbers on every device), loaded from a file's tensors (errors as in
 * paced_graph_check_weights), and saved. */
enum paced_err paced_exec_init_params(struct paced_exec *exec, uint64_t seed);
enum paced_err paced_exec_load_params(struct paced_exec *exec, const struct paced_weights *weights, const char *path);
enum paced_err paced_exec_save_params(struct paced_exec *exec, struct paced_weights *weights);

/* A flat buffer in the layout of paced_exec_trained (a moment), to and from named tensors "<prefix><parameter>". */
enum paced_err paced_exec_load_flat(struct paced_exec *exec, struct paced_buffer *flat, const char *prefix,
                                    const struct paced_weights *weights, const char *path);
enum paced_err paced_exec_save_flat(struct paced_exec *exec, const struct paced_buffer *flat, const char *prefix,
                                    struct paced_weights *weights);

/* Runs the network on the first `count` (<= batch) samples of the input tensor. `training`: BN uses the batch's
 * statistics and updates the running ones. */
enum paced_err paced_exec_forward(struct paced_exec *exec, int count, bool training);
/* Computes the gradients of all parameters from the output's gradient, after a forward pass with `training`. */
enum paced_err paced_exec_backward(struct paced_exec *exec);

struct paced_buffer *paced_exec_input(struct paced_exec *exec);       /* [n][h][w][c], float32 */
struct paced_buffer *paced_exec_output(struct paced_exec *exec);      /* [n][h][w][c], float32 */
struct paced_buffer *paced_exec_output_grad(struct paced_exec *exec); /* float32; the loss writes it */
/* Contiguous trainable parameters and their gradients, for the optimiser. Alignment padding is zero. */
struct paced_buffer *paced_exec_trained(struct paced_exec *exec);
struct paced_buffer *paced_exec_trained_grad(struct paced_exec *exec);

/* ---- for operations ------------------------------------------------------------------------------------------ */

struct paced_device *paced_exec_device(const struct paced_exec *exec);
int paced_exec_batch(const struct paced_exec *exec);   /* maximum number of samples */
int paced_exec_samples(const struct paced_exec *exec); /* samples of the current pass */
bool paced_exec_is_training(const struct paced_exec *exec);
enum paced_precision paced_exec_precision(const struct paced_exec *exec);
struct paced_buffer *paced_exec_value(const struct paced_exec *exec, const struct paced_tensor *tensor); /* stored */
struct paced_buffer *paced_exec_grad(const struct paced_exec *exec, const struct paced_tensor *tensor);
/* 0 for the first writer of this tensor's gradient in this step, 1 for the others. The call marks it as written. */
float paced_exec_grad_beta(struct paced_exec *exec, const struct paced_tensor *tensor);
struct paced_buffer *paced_exec_param(const struct paced_exec *exec, const struct paced_param *param);
struct paced_buffer *paced_exec_param_grad(const struct paced_exec *exec, const struct paced_param *param);
void paced_exec_count_batch(struct paced_exec *exec, const struct paced_param *counter);
uint64_t paced_exec_workspace_limit(const struct paced_exec *exec);
/* A node's cache of values computed from its parameters, valid until they change (inference only). *fresh: the caller
 * must fill it. *buffer is NULL if memory is short or the cache exists with another size or format. */
enum paced_err paced_exec_cached(struct paced_exec *exec, const struct paced_node *node, uint64_t bytes,
                                 enum paced_format format, struct paced_buffer **buffer, bool *fresh);
/* A view of the workspace from `offset` bytes on, owned by exec. Its contents are valid within one call of an
 * operation. Views are cached, so that repeated calls are cheap. */
enum paced_err paced_exec_workspace(struct paced_exec *exec, uint64_t offset, uint64_t bytes,
                                    struct paced_buffer **view);
enum paced_err paced_exec_workspace_as(struct paced_exec *exec, uint64_t offset, uint64_t bytes,
                                       enum paced_format format, struct paced_buffer **view);

#endif
