/* writer: nodes, attributes and initializers as messages of onnx.proto. */
#include "src/onnx/writer.h"

#include <stdlib.h>
#include <string.h>

enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_TYPE, NODE_ATTRIBUTE };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT,
    ATTRIBUTE_INTEGER,
    ATTRIBUTE_TEXT,
    ATTRIBUTE_INTEGERS = 8,
    ATTRIBUTE_TYPE = 20
};
enum { TYPE_FLOAT = 1, TYPE_INTEGER, TYPE_TEXT, TYPE_INTEGERS = 7 };
enum { TENSOR_DIM = 1, TENSOR_TYPE, TENSOR_NAME = 8, TENSOR_BYTES };
enum { ELEMENTS_FLOAT = 1, ELEMENTS_INT64 = 7 };

const char *writer_name(struct writer *w, const char *prefix, const char *suffix) {
    w->names = paced_grow(w->names, w->name_count + 1, sizeof *w->names);
    return w->names[w->name_count++] = paced_format("%s.%s", prefix, suffix);
}

/* ---- attributes ---------------------------------------------------------------------------------------------- */

static void end_attribute(struct paced_message *node, struct paced_message *attribute, const char *name, int type) {
    paced_message_text(attribute, ATTRIBUTE_NAME, name);
    paced_message_integer(attribute, ATTRIBUTE_TYPE, type);
    paced_message_nested(node, NODE_ATTRIBUTE, attribute);
}

void writer_attribute(struct paced_message *node, const char *name, int64_t value) {
    struct paced_message attribute = {0};
    paced_message_integer(&attribute, ATTRIBUTE_INTEGER, value);
    end_attribute(node, &attribute, name, TYPE_INTEGER);
}

void writer_attribute_float(struct paced_message *node, const char *name, float value) {
    struct paced_message attribute = {0};
    paced_message_float(&attribute, ATTRIBUTE_FLOAT, value);
    end_attribute(node, &attribute, name, TYPE_FLOAT);
}

void writer_attribute_text(struct paced_message *node, const char *name, const char *value) {
    struct paced_message attribute = {0};
    paced_message_text(&attribute, ATTRIBUTE_TEXT, value);
    end_attribute(node, &attribute, name, TYPE_TEXT);
}

void writer_attribute_integers(struct paced_message *node, const char *name, int count, const int64_t *values) {
    struct paced_message attribute = {0};
    for (int i = 0; i < count; ++i) paced_message_integer(&attribute, ATTRIBUTE_INTEGERS, values[i]);
    end_attribute(node, &attribute, name, TYPE_INTEGERS);
}

/* ---- nodes and initializers ---------------------------------------------------------------------------------- */

void writer_node(struct writer *w, const char *type, const char *output, struct paced_message *attributes,
                 const char *const *inputs) {
    struct paced_message node = {0};
    if (!attributes) attributes = &node;
    for (; *inputs; ++inputs) paced_message_text(attributes, NODE_INPUT, *inputs);
    paced_message_text(attributes, NODE_OUTPUT, output);
    paced_message_text(attributes, NODE_NAME, output);
    paced_message_text(attributes, NODE_TYPE, type);
    paced_message_nested(&w->out, GRAPH_NODE, attributes);
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

void writer_floats(struct writer *w, const char *name, int rank, const int64_t *shape, const float *values) {
    add_initializer(w, name, ELEMENTS_FLOAT, rank, shape, values, sizeof *values);
}

const char *writer_integers(struct writer *w, const char *prefix, const char *suffix, int count,
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
