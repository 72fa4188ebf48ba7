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
    if (linear != output) writer_node(w, "Relu", output, NULL, WRITER_INPUTS(linear));
}

/* ---- convolutions and batch normalisation -------------------------------------------------------------------- */

static void add_square(struct paced_message *node, const char *name, int count, int64_t value) {
    const int64_t values[] = {value, value, value, value};
    writer_attribute_integers(node, name, count, values);
}

/* Writes a convolution; `bias` may be NULL. Returns false for other operations. */
static bool write_conv_node(struct writer *w, const struct paced_node *node, const char *weight, const char *bias,
                            const char *output) {
    struct paced_message attributes = {0};
    struct paced_conv conv;
    struct paced_conv_transpose transposed;
    const char *type;
    if (paced_conv_of(node, &conv)) {
        type = "Conv";
        add_square(&attributes, "kernel_shape", 2, conv.kernel);
        add_square(&attributes, "strides", 2, conv.stride);
        add_square(&attributes, "pads", 4, conv.pad);
        add_square(&attributes, "dilations", 2, conv.dilation);
    } else if (paced_conv_transpose_of(node, &transposed)) {
        type = "ConvTranspose";
        add_square(&attributes, "kernel_shape", 2, transposed.kernel);
        add_square(&attributes, "strides", 2, transposed.stride);
        add_square(&attributes, "pads", 4, transposed.pad);
        add_square(&attributes, "output_padding", 2, transposed.output_pad);
    } else {
        return false;
    }
    writer_node(w, type, output, &attributes, WRITER_INPUTS(input_name(w, node), weight, bias));
    return true;
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

static enum paced_err write_conv(struct writer *w, const struct paced_node *node) {
    if (is_folded(w, node)) return PACED_OK;
    const char *weight = write_param(w, node->params[WEIGHT]);
    const char *bias = node->params[BIAS] ? write_param(w, node->params[BIAS]) : NULL;
    write_conv_node(w, node, weight, bias, tensor_name(w, node->out));
    return PACED_OK;
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

static enum paced_err write_batch_norm(struct writer *w, const struct paced_node *node) {
    struct paced_message attributes = {0};
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
        writer_attribute_float(&attributes, "epsilon", PACED_BATCH_NORM_EPS);
        writer_node(w, "BatchNormalization", linear, &attributes, inputs);
    }
    write_relu(w, output, linear);
    return PACED_OK;
}

/* ---- elementwise operations ---------------------------------------------------------------------------------- */

static enum paced_err write_relu_alone(struct writer *w, const struct paced_node *node) {
    write_relu(w, tensor_name(w, node->out), input_name(w, node));
    return PACED_OK;
}

static void write_sum(struct writer *w, const struct paced_node *node, bool relu) {
    const char *output = tensor_name(w, node->out), *linear = before_relu(w, output, relu);
    writer_node(w, "Add", linear, NULL, WRITER_INPUTS(input_name(w, node), tensor_name(w, node->in[1])));
    write_relu(w, output, linear);
}

static enum paced_err write_add(struct writer *w, const struct paced_node *node) {
    write_sum(w, node, false);
    return PACED_OK;
}

static enum paced_err write_add_relu(struct writer *w, const struct paced_node *node) {
    write_sum(w, node, true);
    return PACED_OK;
}

static enum paced_err write_concat(struct writer *w, const struct paced_node *node) {
    struct paced_message attributes = {0};
    const char *inputs[PACED_MAX_INPUTS + 1] = {NULL};
    for (int i = 0; i < node->inputs; ++i) inputs[i] = tensor_name(w, node->in[i]);
    writer_attribute(&attributes, "axis", 1);
    writer_node(w, "Concat", tensor_name(w, node->out), &attributes, inputs);
    return PACED_OK;
}

/* ---- pooling and upsampling ---------------------------------------------------------------------------------- */

static enum paced_err write_max_pool(struct writer *w, const struct paced_node *node) {
    struct paced_message attributes = {0};
    int kernel = 0, stride = 0, pad = 0;
    paced_max_pool_of(node, &kernel, &stride, &pad);
    add_square(&attributes, "kernel_shape", 2, kernel);
    add_square(&attributes, "strides", 2, stride);
    add_square(&attributes, "pads", 4, pad);
    writer_node(w, "MaxPool", tensor_name(w, node->out), &attributes, WRITER_INPUTS(input_name(w, node)));
    return PACED_OK;
}

static enum paced_err write_global_pool(struct writer *w, const struct paced_node *node) {
    writer_node(w, "GlobalAveragePool", tensor_name(w, node->out), NULL, WRITER_INPUTS(input_name(w, node)));
    return PACED_OK;
}

/* Exact nearest neighbour: out[y] = in[floor(y / factor)]. */
static enum paced_err write_upsample(struct writer *w, const struct paced_node *node) {
    struct paced_message attributes = {0};
    int factor = 1;
    paced_upsample_of(node, &factor);
    const char *output = tensor_name(w, node->out), *scales = writer_name(w, output, "scales");
    writer_floats(w, scales, 1, (int64_t[]){4}, (float[]){1, 1, (float)factor, (float)factor});
    writer_attribute_text(&attributes, "mode", "nearest");
    writer_attribute_text(&attributes, "coordinate_transformation_mode", "asymmetric");
    writer_attribute_text(&attributes, "nearest_mode", "floor");
    writer_node(w, "Resize", output, &attributes, WRITER_INPUTS(input_name(w, node), "", scales));
    return PACED_OK;
}

/* ---- resizing to another tensor's size ----------------------------------------------------------------------- */

/* An intermediate node for `output`, named "<output>.<suffix>". */
static const char *write_step(struct writer *w, const char *output, const char *suffix, const char *type,
                              struct paced_message *attributes, const char *const *inputs) {
    const char *name = writer_name(w, output, suffix);
    writer_node(w, type, name, attributes, inputs);
    return name;
}

enum { HEIGHT = 2, WIDTH, SIZES }; /* axes of NCHW */

/* The sizes of axes `first` to `end` - 1 of a tensor. */
static const char *write_sizes(struct writer *w, const char *output, const char *suffix, const char *tensor, int first,
                               int end) {
    struct paced_message attributes = {0};
    writer_attribute(&attributes, "start", first);
    writer_attribute(&attributes, "end", end);
    return write_step(w, output, suffix, "Shape", &attributes, WRITER_INPUTS(tensor));
}

enum { TO_FLOAT = 1, TO_INTEGER = 7 };

static const char *write_cast(struct writer *w, const char *output, const char *suffix, const char *value, int to) {
    struct paced_message attributes = {0};
    writer_attribute(&attributes, "to", to);
    return write_step(w, output, suffix, "Cast", &attributes, WRITER_INPUTS(value));
}

static const char *write_joined(struct writer *w, const char *output, const char *suffix, const char *const *parts) {
    struct paced_message attributes = {0};
    writer_attribute(&attributes, "axis", 0);
    return write_step(w, output, suffix, "Concat", &attributes, parts);
}

static enum paced_err write_broadcast(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out);
    const char *sizes = write_sizes(w, output, "sizes", tensor_name(w, node->like), HEIGHT, SIZES);
    const char *ones = writer_integers(w, output, "ones", 2, (int64_t[]){1, 1});
    const char *shape = write_joined(w, output, "shape", WRITER_INPUTS(ones, sizes));
    writer_node(w, "Expand", output, NULL, WRITER_INPUTS(input_name(w, node), shape));
    return PACED_OK;
}

/* d = difference of the sizes; before = (d - d mod 2) / 2 = floor(d / 2), also for negative d; after = d - before.
 * Negative padding crops. */
static enum paced_err write_pad_or_crop(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out);
    const char *has = write_sizes(w, output, "has", input_name(w, node), HEIGHT, SIZES);
    const char *wants = write_sizes(w, output, "wants", tensor_name(w, node->like), HEIGHT, SIZES);
    const char *two = writer_integers(w, output, "two", 1, (int64_t[]){2});
    const char *difference = write_step(w, output, "difference", "Sub", NULL, WRITER_INPUTS(wants, has));
    const char *odd = write_step(w, output, "odd", "Mod", NULL, WRITER_INPUTS(difference, two));
    const char *even = write_step(w, output, "even", "Sub", NULL, WRITER_INPUTS(difference, odd));
    const char *before = write_step(w, output, "before", "Div", NULL, WRITER_INPUTS(even, two));
    const char *after = write_step(w, output, "after", "Sub", NULL, WRITER_INPUTS(difference, before));
    const char *none = writer_integers(w, output, "none", 2, (int64_t[]){0, 0});
    const char *pads = write_joined(w, output, "pads", WRITER_INPUTS(none, before, none, after));
    writer_node(w, "Pad", output, NULL, WRITER_INPUTS(input_name(w, node), pads));
    return PACED_OK;
}

/* Nearest neighbour along one axis as in PyTorch: y[i] = x[min(floor(i (has / wants)), has - 1)], in float32. ONNX's
 * Resize leaves the rounding to the runtime; these nodes define it. */
static void write_resize_axis(struct writer *w, const char *x, const char *like, int axis, const char *output) {
    struct paced_message attributes = {0};
    const char *has = write_sizes(w, output, "has", x, axis, axis + 1);
    const char *wants = write_sizes(w, output, "wants", like, axis, axis + 1);
    const char *has_real = write_cast(w, output, "has_real", has, TO_FLOAT);
    const char *wants_real = write_cast(w, output, "wants_real", wants, TO_FLOAT);
    const char *ratio = write_step(w, output, "ratio", "Div", NULL, WRITER_INPUTS(has_real, wants_real));
    const char *end = write_step(w, output, "end", "Squeeze", NULL, WRITER_INPUTS(wants));
    const char *zero = writer_integers(w, output, "zero", 0, (int64_t[]){0});
    const char *one = writer_integers(w, output, "one", 0, (int64_t[]){1});
    const char *pixels = write_step(w, output, "pixels", "Range", NULL, WRITER_INPUTS(zero, end, one));
    const char *real = write_cast(w, output, "real", pixels, TO_FLOAT);
    const char *place = write_step(w, output, "place", "Mul", NULL, WRITER_INPUTS(real, ratio));
    const char *whole = write_step(w, output, "whole", "Floor", NULL, WRITER_INPUTS(place));
    const char *index = write_cast(w, output, "index", whole, TO_INTEGER);
    const char *last = write_step(w, output, "last", "Sub", NULL, WRITER_INPUTS(has, one));
    const char *source = write_step(w, output, "source", "Min", NULL, WRITER_INPUTS(index, last));
    writer_attribute(&attributes, "axis", axis);
    writer_node(w, "Gather", output, &attributes, WRITER_INPUTS(x, source));
}

static enum paced_err write_resize(struct writer *w, const struct paced_node *node) {
    const char *output = tensor_name(w, node->out), *like = tensor_name(w, node->like);
    const char *rows = writer_name(w, output, "rows");
    write_resize_axis(w, input_name(w, node), like, HEIGHT, rows);
    write_resize_axis(w, rows, like, WIDTH, output);
    return PACED_OK;
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* the graph's operation */
    enum paced_err (*write)(struct writer *w, const struct paced_node *node);
} rows[] = {
    {"conv2d", write_conv},
    {"conv_transpose2d", write_conv},
    {"batch_norm", write_batch_norm},
    {"relu", write_relu_alone},
    {"add", write_add},
    {"add_relu", write_add_relu},
    {"concat", write_concat},
    {"max_pool", write_max_pool},
    {"global_pool", write_global_pool},
    {"upsample", write_upsample},
    {"broadcast", write_broadcast},
    {"pad_or_crop", write_pad_or_crop},
    {"resize", write_resize},
};

enum paced_err operation_write(struct writer *w, const struct paced_node *node) {
    for (size_t i = 0; i < PACED_COUNT(rows); ++i)
        if (strcmp(rows[i].name, node->op->name) == 0) return rows[i].write(w, node);
    return paced_error_at(PACED_FAILED, node->name, "operation %s has no row in src/onnx/operations.c; add one",
                          node->op->name);
}
