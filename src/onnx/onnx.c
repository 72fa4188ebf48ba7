/* onnx: ModelProto and GraphProto of onnx.proto. */
#include "src/onnx/writer.h"

#include <limits.h>
#include <stdlib.h>

#include "paced_build.h"

enum { IR_VERSION = 8, OPERATOR_VERSION = 17 };
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER, MODEL_PRODUCER_VERSION, MODEL_DOC = 6, MODEL_GRAPH, MODEL_OPERATORS };
enum { MODEL_METADATA = 14 };
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT };
enum { OPERATORS_VERSION = 2 };
enum { METADATA_KEY = 1, METADATA_VALUE };
enum { VALUE_NAME = 1, VALUE_TYPE };
enum { TYPE_TENSOR = 1 };
enum { TENSOR_ELEMENTS = 1, TENSOR_SHAPE };
enum { SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_NAME };
enum { ELEMENTS_FLOAT = 1 };

static const char doc[] =
    "image: float32 [N, 3, H, W], red, green, blue from 0 to 1, not normalised. "
    "logits: float32 [N, classes, H, W], before the softmax; the mask is their argmax over axis 1.";

/* Adds the description of an input or output, float32 [N, c, H, W]. */
static void add_value(struct paced_message *graph, int field, const char *name, int c) {
    static const char *const free_sizes[] = {"N", NULL, "H", "W"};
    struct paced_message value = {0}, type = {0}, tensor = {0}, shape = {0};
    for (size_t i = 0; i < PACED_COUNT(free_sizes); ++i) {
        struct paced_message dim = {0};
        if (free_sizes[i])
            paced_message_text(&dim, DIM_NAME, free_sizes[i]);
        else
            paced_message_integer(&dim, DIM_VALUE, c);
        paced_message_nested(&shape, SHAPE_DIM, &dim);
    }
    paced_message_integer(&tensor, TENSOR_ELEMENTS, ELEMENTS_FLOAT);
    paced_message_nested(&tensor, TENSOR_SHAPE, &shape);
    paced_message_nested(&type, TYPE_TENSOR, &tensor);
    paced_message_text(&value, VALUE_NAME, name);
    paced_message_nested(&value, VALUE_TYPE, &type);
    paced_message_nested(graph, field, &value);
}

static void add_metadata(struct paced_message *model, const char *key, const char *value) {
    struct paced_message pair = {0};
    paced_message_text(&pair, METADATA_KEY, key);
    paced_message_text(&pair, METADATA_VALUE, value);
    paced_message_nested(model, MODEL_METADATA, &pair);
}

static enum paced_err write_graph(struct writer *w) {
    for (size_t i = 0; i < paced_graph_node_count(w->graph); ++i)
        PACED_TRY(operation_write(w, paced_graph_node(w->graph, i)));
    const char *arch = paced_weights_metadata(w->weights, "arch");
    const struct paced_tensor *input = paced_graph_get_input(w->graph), *output = paced_graph_get_output(w->graph);
    paced_message_text(&w->out, GRAPH_NAME, arch ? arch : "network");
    add_value(&w->out, GRAPH_INPUT, tensor_name(w, input), input->shape.c);
    add_value(&w->out, GRAPH_OUTPUT, tensor_name(w, output), output->shape.c);
    return PACED_OK;
}

static void write_model(struct writer *w, struct paced_message *model) {
    struct paced_message operators = {0};
    paced_message_integer(model, MODEL_IR_VERSION, IR_VERSION);
    paced_message_text(model, MODEL_PRODUCER, "paced");
    paced_message_text(model, MODEL_PRODUCER_VERSION, PACED_VERSION);
    paced_message_text(model, MODEL_DOC, doc);
    paced_message_integer(&operators, OPERATORS_VERSION, OPERATOR_VERSION);
    paced_message_nested(model, MODEL_OPERATORS, &operators);
    for (size_t i = 0; i < w->weights->metadata_count; ++i)
        add_metadata(model, w->weights->keys[i], w->weights->values[i]);
    paced_message_nested(model, MODEL_GRAPH, &w->out);
}

enum paced_err paced_onnx_write(const char *path, const struct paced_graph *graph, const struct paced_weights *weights,
                                bool fold) {
    struct writer writer = {.graph = graph, .weights = weights, .fold = fold};
    struct paced_message model = {0};
    enum paced_err err = write_graph(&writer);
    if (!err) write_model(&writer, &model);
    if (!err && model.size > INT_MAX)
        err = paced_error_at(PACED_FAILED, path, "%zu bytes exceed ONNX's limit of 2 GiB; use a narrower network",
                             model.size);
    if (!err) err = paced_file_write(path, model.bytes, model.size);
    paced_message_finish(&model);
    writer_finish(&writer);
    return err;
}
