/* operations: the table of ONNX nodes for each operation.
 *
 * ONNX's tensors are NCHW and its weights have PyTorch's layout, so weights are copied unchanged. If an operation
 * depends on another tensor's size, the model computes that size (Shape), so that it runs on images of any size.
 * Folding: a batch normalisation y = s x + t, s = weight / sqrt(var + eps), t = bias - s mean, after a convolution that
 * nothing else reads, becomes that convolution with filters s w and bias t + s b; computed in double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/ops.h"
#include "src/onnx/writer.h"

/* ---- nodes, attributes and initializers as messages of onnx.proto --------------------------------------------- */

enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_TYPE, NODE_ATTRIBUTE };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT, ATTRIBUTE_INTEGER, ATTRIBUTE_TEXT, ATTRIBUTE_INTEGERS = 8 };
enum { ATTRIBUTE_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INTEGER, TYPE_TEXT, TYPE_INTEGERS = 7 };
enum { TENSOR_DIM = 1, TENSOR_TYPE, TENSOR_NAME = 8, TENSOR_BYTES };
enum { ELEMENTS_FLOAT = 1, ELEMENTS_INT64 = 7 };

/* A node's attribute: a text, a number other than 0.0, a list of `count` equal integers, or else an integer. */
struct attribute {
    const char *name;
    int count;
    int64_t integer;
    const char *text;
    float real;
};
#define WRITER_INPUTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WRITER_ATTRIBUTES(...) ((const struct attribute[]){__VA_ARGS__, {NULL}})

/* The name "<prefix>.<suffix>", owned by the writer. */
static const char *writer_name(struct writer *w, const char *prefix, const char *suffix) {
    w->names = paced_grow(w->names, w->name_count + 1, sizeof *w->names);
    return w->names[w->name_count++] = paced_format("%s.%s", prefix, suffix);
}

static void add_attribute(struct paced_message *node, const struct attribute *a) {
    struct paced_message out = {0};
    int type = a->text ? TYPE_TEXT : a->real != 0 ? TYPE_FLOAT : a->count > 0 ? TYPE_INTEGERS : TYPE_INTEGER;
    if (type == TYPE_TEXT) paced_message_text(&out, ATTRIBUTE_TEXT, a->text);
    if (type == TYPE_FLOAT) paced_message_float(&out, ATTRIBUTE_FLOAT, a->real);
    if (type == TYPE_INTEGER) paced_message_integer(&out, ATTRIBUTE_INTEGER, a->integer);
    for (int i = 0; i < a->count; ++i) paced_message_integer(&out, ATTRIBUTE_INTEGERS, a->integer);
    paced_message_text(&out, ATTRIBUTE_NAME, a->name);
    paced_message_integer(&out, ATTRIBUTE_TYPE, type);
    paced_message_nested(node, NODE_ATTRIBUTE, &out);
}

/* Adds a node, named after its only output. `inputs` ends with NULL; "" is an omitted optional input. `attributes`
 * (NULL: none) ends with a row without a name. */
static void writer_node(struct writer *w, const char *type, const char *output, const char *const *inputs,
                        const struct attribute *attributes) {
    struct paced_message node = {0};
    for (; attributes && attributes->name; ++attributes) add_attribute(&node, attributes);
    for (; *inputs; ++inputs) paced_message_text(&node, NODE_INPUT, *inputs);
    paced_message_text(&node, NODE_OUTPUT, output);
    paced_message_text(&node, NODE_NAME, output);
    paced_message_text(&node, NODE_TYPE, type);
    paced_message_nested(&w->out, GRAPH_NODE, &node);
}

static void add_initializer(struct writer *w, const char *name, int type, int rank, const int64_t *shape,
                            const void *data, size_t element_bytes) {
    struct paced_message tensor = {0};
    size_t bytes = element_bytes;
    for (int i = 0; i < rank; ++i) {
        paced_message_integer(&tensor, TENSOR_DIM, shape[i]);
        bytes *= (size_t)shape[i];
    }
    paced_message_integer(&tensor, TENSOR_TYPE, type);
    paced_message_text(&tensor, TENSOR_NAME, name);
    paced_message_bytes(&tensor, TENSOR_BYTES, data, bytes);
    paced_message_nested(&w->out, GRAPH_INITIALIZER, &tensor);
}

static void writer_floats(struct writer *w, const char *name, int rank, const int64_t *shape, const float *values) {
    add_initializer(w, name, ELEMENTS_FLOAT, rank, shape, values, sizeof *values);
}

/* Adds a constant of rank 1 (count 0: a scalar) and returns its name. */
static const char *writer_integers(struct writer *w, const char *prefix, const char *suffix, int count,
                                   const int64_t *values) {
    const char *name = writer_name(w, prefix, suffix);
    add_initializer(w, name, ELEMENTS_INT64, count > 0, (int64_t[]){count}, values, sizeof *values);
    return name;
}

void writer_finish(struct writer *w) {
    for (size_t i = 0; i < w->name_count; ++i) free(w->names[i]);
    free(w->names);
    paced_message_finish(&w->out);
}

/* ---- names and parameters -------------------------------------------------------------------------------------- */

enum { WEIGHT, BIAS, MEAN, VARIANCE }; /* parameters of convolutions and batch normalisations */

const char *tensor_name(const struct writer *w, const struct paced_tensor *tensor) {
    if (tensor == paced_graph_get_input(w->graph)) return "image";
    return tensor == paced_graph_get_output(w->graph) ? "logits" : tensor->name;
}

static const char *input_name(const struct writer *w, const struct paced_node *node) {
    return tensor_name(w, node->in[0]);
}

static const float *values_of(const struct writer *w, const struct paced_param *param) {
    return paced_weights_find(w->weights, param->name)->data;
}

static const char *write_param(struct writer *w, const struct paced_param *param) {
    const struct paced_entry *entry = paced_weights_find(w->weights, param->name);
    writer_floats(w, entry->name, entry->rank, entry->shape, entry->data);
    return param->name;
}

/* The name of the result before the ReLU; `output` if there is none. */
static const char *before_relu(struct writer *w, const char *output, bool relu) {
    return relu ? writer_name(w, output, "linear") : output;
}

static void write_relu(struct writer *w, const char *output, const char *linear) {
    if (linear != output) writer_node(w, "Relu", output, WRITER_INPUTS(linear), NULL);
}

/* ---- convolutions and batch normalisation -------------------------------------------------------------------- */

/* Writes a convolution; `bias` may be NULL. */
static void write_conv_node(struct writer *w, const struct paced_node *node, const char *weight, const char *bias,
                            const char *output) {
    const char *const *inputs = WRITER_INPUTS(input_name(w, node), weight, bias);
    struct paced_conv conv;
    struct paced_conv_transpose transposed;
    if (paced_conv_of(node, &conv))
        writer_node(w, "Conv", output, inputs,
                    WRITER_ATTRIBUTES({"kernel_shape", .count = 2, .integer = conv.kernel},
                                      {"strides", .count = 2, .integer = conv.stride},
                                      {"pads", .count = 4, .integer = conv.pad},
                                      {"dilations", .count = 2, .integer = conv.dilation}));
    else if (paced_conv_transpose_of(node, &transposed))
        writer_node(w, "ConvTranspose", output, inputs,
                    WRITER_ATTRIBUTES({"kernel_shape", .count = 2, .integer = transposed.kernel},
                                      {"strides", .count = 2, .integer = transposed.stride},
                                      {"pads", .count = 4, .integer = transposed.pad},
                                      {"output_padding", .count = 2, .integer = transposed.output_pad}));
}

static bool is_conv(const struct paced_node *node) {
    struct paced_conv conv;
    struct paced_conv_transpose transposed;
    return node && (paced_conv_of(node, &conv) || paced_conv_transpose_of(node, &transposed));
}

/* The number of nodes that read a tensor's values or size; the network's output counts, too. */
static int count_readers(const struct paced_graph *graph, const struct paced_tensor *tensor) {
    int readers = tensor == paced_graph_get_output(graph);
    for (size_t i = 0; i < paced_graph_node_count(graph); ++i) {
        const struct paced_node *node = paced_graph_node(graph, i);
        for (int k = 0; k < node->inputs; ++k) readers += node->in[k] == tensor;
        readers += node->like == tensor;
    }
    return readers;
}

/* True if a batch normalisation is folded into the convolution before it. */
static bool folds(const struct writer *w, const struct paced_node *norm) {
    return w->fold && is_conv(norm->in[0]->producer) && count_readers(w->graph, norm->in[0]) == 1;
}

static bool is_folded(const struct writer *w, const struct paced_node *conv) {
    bool relu;
    for (size_t i = 0; i < paced_graph_node_count(w->graph); ++i) {
        const struct paced_node *node = paced_graph_node(w->graph, i);
        if (paced_batch_norm_of(node, &relu) && node->in[0] == conv->out) return folds(w, node);
    }
    return false;
}

static void write_conv(struct writer *w, const struct paced_node *node) {
    if (is_folded(w, node)) return;
    const char *weight = write_param(w, node->params[WEIGHT]);
    const char *bias = node->params[BIAS] ? write_param(w, node->params[BIAS]) : NULL;
    write_conv_node(w, node, weight, bias, tensor_name(w, node->out));
}

/* The scale s of channel c. */
static double scale_of(const struct writer *w, const struct paced_node *norm, int c) {
    double variance = values_of(w, norm->params[VARIANCE])[c];
    return values_of(w, norm->params[WEIGHT])[c] / sqrt(variance + (double)PACED_BATCH_NORM_EPS);
}

/* The shift t of channel c. */
static double shift_of(const struct writer *w, const struct paced_node *norm, int c) {
    double mean = values_of(w, norm->params[MEAN])[c];
    return values_of(w, norm->params[BIAS])[c] - scale_of(w, norm, c) * mean;
}

/* Writes s w. Filters are axis 0 of a convolution's weights, axis 1 of a transposed convolution's. */
static const char *write_scaled_weight(struct writer *w, const struct paced_node *conv, const struct paced_node *norm) {
    const struct paced_entry *entry = paced_weights_find(w->weights, conv->params[WEIGHT]->name);
    const float *from = entry->data;
    float *values = paced_alloc(entry->bytes, 1);
    struct paced_conv plain;
    int axis = paced_conv_of(conv, &plain) ? 0 : 1;
    size_t filters = (size_t)entry->shape[axis], inner = (size_t)(entry->shape[2] * entry->shape[3]);
    if (axis == 0) inner *= (size_t)entry->shape[1];
    for (size_t i = 0; i < entry->bytes / sizeof *values; ++i)
        values[i] = (float)(scale_of(w, norm, (int)(i / inner % filters)) * from[i]);
    writer_floats(w, entry->name, entry->rank, entry->shape, values);
    free(values);
    return entry->name;
}

static const char *write_shifted_bias(struct writer *w, const struct paced_node *conv, const struct paced_node *norm) {
    const char *name = writer_name(w, conv->name, "bias");
    const float *bias = conv->params[BIAS] ? values_of(w, conv->params[BIAS]) : NULL;
    int filters = conv->out->shape.c;
    float *values = paced_alloc((size_t)filters, sizeof *values);
    for (int c = 0; c < filters; ++c)
        values[c] = (float)(shift_of(w, norm, c) + (bias ? scale_of(w, norm, c) * bias[c] : 0));
    writer_floats(w, name, 1, (int64_t[]){filters}, values);
    free(values);
    return name;
}

static void write_batch_norm(struct writer *w, const struct paced_node *node) {
    bool relu = false;
    paced_batch_norm_of(node, &relu);
    const char *output = tensor_name(w, node->out), *linear = before_relu(w, output, relu);
    if (folds(w, node)) {
        const struct paced_node *conv = node->in[0]->producer;
        const char *weight = write_scaled_weight(w, conv, node), *bias = write_shifted_bias(w, conv, node);
        write_conv_node(w, conv, weight, bias, linear);
    } else {
        const char *inputs[VARIANCE + 3] = {input_name(w, node)};
        for (int i = WEIGHT; i <= VARIANCE; ++i) inputs[i + 1] = write_param(w, node->params[i]);
        writer_node(w, "BatchNormalization", linear, inputs,
                    WRITER_ATTRIBUTES({"epsilon", .real = PACED_BATCH_NORM_EPS}));
    }
    write_relu(w, output, linear);
}

/* ---- elementwise operations ---------------------------------------------------------------------------------- */

static void write_relu_alone(struct writer *w, const struct paced_node *node) {
    write_relu(w, tensor_name(w, node->out), input_name(w, node));
}

static void write_add(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out);
    const char *linear = before_relu(w, output, strcmp(node->op->name, "add_relu") == 0);
    writer_node(w, "Add", linear, WRITER_INPUTS(input_name(w, node), tensor_name(w, node->in[1])), NULL);
    write_relu(w, output, linear);
}

static void write_concat(struct writer *w, const struct paced_node *node) {
    const char *inputs[PACED_MAX_INPUTS + 1] = {NULL};
    for (int i = 0; i < node->inputs; ++i) inputs[i] = tensor_name(w, node->in[i]);
    writer_node(w, "Concat", tensor_name(w, node->out), inputs, WRITER_ATTRIBUTES({"axis", .integer = 1}));
}

/* ---- pooling and upsampling ---------------------------------------------------------------------------------- */

static void write_max_pool(struct writer *w, const struct paced_node *node) {
    int kernel = 0, stride = 0, pad = 0;
    paced_max_pool_of(node, &kernel, &stride, &pad);
    writer_node(w, "MaxPool", tensor_name(w, node->out), WRITER_INPUTS(input_name(w, node)),
                WRITER_ATTRIBUTES({"kernel_shape", .count = 2, .integer = kernel},
                                  {"strides", .count = 2, .integer = stride}, {"pads", .count = 4, .integer = pad}));
}

static void write_global_pool(struct writer *w, const struct paced_node *node) {
    writer_node(w, "GlobalAveragePool", tensor_name(w, node->out), WRITER_INPUTS(input_name(w, node)), NULL);
}

/* Exact nearest neighbour: out[y] = in[floor(y / factor)]. */
static void write_upsample(struct writer *w, const struct paced_node *node) {
    int factor = 1;
    paced_upsample_of(node, &factor);
    const char *output = tensor_name(w, node->out), *scales = writer_name(w, output, "scales");
    writer_floats(w, scales, 1, (int64_t[]){4}, (float[]){1, 1, (float)factor, (float)factor});
    writer_node(w, "Resize", output, WRITER_INPUTS(input_name(w, node), "", scales),
                WRITER_ATTRIBUTES({"mode", .text = "nearest"}, {"coordinate_transformation_mode", .text = "asymmetric"},
                                  {"nearest_mode", .text = "floor"}));
}

/* ---- resizing to another tensor's size ----------------------------------------------------------------------- */

/* An intermediate node for `output`, named "<output>.<suffix>". */
static const char *write_step(struct writer *w, const char *output, const char *suffix, const char *type,
                              const char *const *inputs, const struct attribute *attributes) {
    const char *name = writer_name(w, output, suffix);
    writer_node(w, type, name, inputs, attributes);
    return name;
}

enum { HEIGHT = 2, WIDTH, SIZES }; /* axes of NCHW */

/* The sizes of axes `first` to `end` - 1 of a tensor. */
static const char *write_sizes(struct writer *w, const char *output, const char *suffix, const char *tensor, int first,
                               int end) {
    return write_step(w, output, suffix, "Shape", WRITER_INPUTS(tensor),
                      WRITER_ATTRIBUTES({"start", .integer = first}, {"end", .integer = end}));
}

enum { TO_FLOAT = 1, TO_INTEGER = 7 };

static const char *write_cast(struct writer *w, const char *output, const char *suffix, const char *value, int to) {
    return write_step(w, output, suffix, "Cast", WRITER_INPUTS(value), WRITER_ATTRIBUTES({"to", .integer = to}));
}

static const char *write_joined(struct writer *w, const char *output, const char *suffix, const char *const *parts) {
    return write_step(w, output, suffix, "Concat", parts, WRITER_ATTRIBUTES({"axis", .integer = 0}));
}

static void write_broadcast(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out);
    const char *sizes = write_sizes(w, output, "sizes", tensor_name(w, node->like), HEIGHT, SIZES);
    const char *ones = writer_integers(w, output, "ones", 2, (int64_t[]){1, 1});
    const char *shape = write_joined(w, output, "shape", WRITER_INPUTS(ones, sizes));
    writer_node(w, "Expand", output, WRITER_INPUTS(input_name(w, node), shape), NULL);
}

/* d = difference of the sizes; before = (d - d mod 2) / 2 = floor(d / 2), also for negative d; after = d - before.
 * Negative padding crops. */
static void write_pad_or_crop(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out);
    const char *has = write_sizes(w, output, "has", input_name(w, node), HEIGHT, SIZES);
    const char *wants = write_sizes(w, output, "wants", tensor_name(w, node->like), HEIGHT, SIZES);
    const char *two = writer_integers(w, output, "two", 1, (int64_t[]){2});
    const char *difference = write_step(w, output, "difference", "Sub", WRITER_INPUTS(wants, has), NULL);
    const char *odd = write_step(w, output, "odd", "Mod", WRITER_INPUTS(difference, two), NULL);
    const char *even = write_step(w, output, "even", "Sub", WRITER_INPUTS(difference, odd), NULL);
    const char *before = write_step(w, output, "before", "Div", WRITER_INPUTS(even, two), NULL);
    const char *after = write_step(w, output, "after", "Sub", WRITER_INPUTS(difference, before), NULL);
    const char *none = writer_integers(w, output, "none", 2, (int64_t[]){0, 0});
    const char *pads = write_joined(w, output, "pads", WRITER_INPUTS(none, before, none, after));
    writer_node(w, "Pad", output, WRITER_INPUTS(input_name(w, node), pads), NULL);
}

/* Nearest neighbour along one axis as in PyTorch: y[i] = x[min(floor(i (has / wants)), has - 1)], in float32. ONNX's
 * Resize leaves the rounding to the runtime; these nodes define it. */
static void write_resize_axis(struct writer *w, const char *x, const char *like, int axis, const char *output) {
    const char *has = write_sizes(w, output, "has", x, axis, axis + 1);
    const char *wants = write_sizes(w, output, "wants", like, axis, axis + 1);
    const char *has_real = write_cast(w, output, "has_real", has, TO_FLOAT);
    const char *wants_real = write_cast(w, output, "wants_real", wants, TO_FLOAT);
    const char *ratio = write_step(w, output, "ratio", "Div", WRITER_INPUTS(has_real, wants_real), NULL);
    const char *end = write_step(w, output, "end", "Squeeze", WRITER_INPUTS(wants), NULL);
    const char *zero = writer_integers(w, output, "zero", 0, (int64_t[]){0});
    const char *one = writer_integers(w, output, "one", 0, (int64_t[]){1});
    const char *pixels = write_step(w, output, "pixels", "Range", WRITER_INPUTS(zero, end, one), NULL);
    const char *real = write_cast(w, output, "real", pixels, TO_FLOAT);
    const char *place = write_step(w, output, "place", "Mul", WRITER_INPUTS(real, ratio), NULL);
    const char *whole = write_step(w, output, "whole", "Floor", WRITER_INPUTS(place), NULL);
    const char *index = write_cast(w, output, "index", whole, TO_INTEGER);
    const char *last = write_step(w, output, "last", "Sub", WRITER_INPUTS(has, one), NULL);
    const char *source = write_step(w, output, "source", "Min", WRITER_INPUTS(index, last), NULL);
    writer_node(w, "Gather", output, WRITER_INPUTS(x, source), WRITER_ATTRIBUTES({"axis", .integer = axis}));
}

static void write_resize(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out), *like = tensor_name(w, node->like);
    const char *rows = writer_name(w, output, "rows");
    write_resize_axis(w, input_name(w, node), like, HEIGHT, rows);
    write_resize_axis(w, rows, like, WIDTH, output);
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* the graph's operation */
    void (*write)(struct writer *w, const struct paced_node *node);
} rows[] = {
    {"conv2d", write_conv},
    {"conv_transpose2d", write_conv},
    {"batch_norm", write_batch_norm},
    {"relu", write_relu_alone},
    {"add", write_add},
    {"add_relu", write_add},
    {"concat", write_concat},
    {"max_pool", write_max_pool},
    {"global_pool", write_global_pool},
    {"upsample", write_upsample},
    {"broadcast", write_broadcast},
    {"pad_or_crop", write_pad_or_crop},
    {"resize", write_resize},
};

enum paced_err operation_write(struct writer *w, const struct paced_node *node) {
    for (size_t i = 0; i < PACED_COUNT(rows); ++i) {
        if (strcmp(rows[i].name, node->op->name) != 0) continue;
        rows[i].write(w, node);
        return PACED_OK;
    }
    return paced_error_at(PACED_FAILED, node->name, "operation %s has no row in src/onnx/operations.c; add one",
                          node->op->name);
}
