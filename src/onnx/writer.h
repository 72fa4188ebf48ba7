/* writer: a graph being written to an ONNX file. Field numbers are those of onnx.proto. Private to the onnx module. */
#ifndef PACED_ONNX_WRITER_H
#define PACED_ONNX_WRITER_H

#include "paced/onnx.h"

struct writer {
    const struct paced_graph *graph;
    const struct paced_weights *weights;
    bool fold;
    struct paced_message out; /* GraphProto */
    char **names;             /* generated names, owned */
    size_t name_count;
};

/* The name "<prefix>.<suffix>", owned by the writer. */
const char *writer_name(struct writer *writer, const char *prefix, const char *suffix);

/* A node's attribute: a text, a number other than 0.0, a list of `count` equal integers, or else an integer. */
struct attribute {
    const char *name;
    int count;
    int64_t integer;
    const char *text;
    float real;
};

/* Adds a node, named after its only output. `inputs` ends with NULL; "" is an omitted optional input. `attributes`
 * (NULL: none) ends with a row without a name. */
void writer_node(struct writer *writer, const char *type, const char *output, const char *const *inputs,
                 const struct attribute *attributes);
#define WRITER_INPUTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WRITER_ATTRIBUTES(...) ((const struct attribute[]){__VA_ARGS__, {NULL}})

/* Add an initializer, a named constant tensor. */
void writer_floats(struct writer *writer, const char *name, int rank, const int64_t *shape, const float *values);
const char *writer_integers(struct writer *writer, const char *prefix, const char *suffix, int count,
                            const int64_t *values); /* rank 1 (count 0: a scalar); returns the name */

void writer_finish(struct writer *writer);

/* Writes the ONNX nodes of a graph's node (operations.c). */
enum paced_err operation_write(struct writer *writer, const struct paced_node *node);

/* The name of a tensor: "image" and "logits" for the network's input and output, else the tensor's own. */
const char *tensor_name(const struct writer *writer, const struct paced_tensor *tensor);

#endif
