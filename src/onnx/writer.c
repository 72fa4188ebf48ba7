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

void writer_node(struct writer *w, const char *type, const char *output, const char *const *inputs,
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
