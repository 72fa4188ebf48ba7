/* Private to the onnx room: a graph on its way into an ONNX file. Numbers of fields are those of onnx.proto. */
#ifndef PACED_ONNX_WRITER_H
#define PACED_ONNX_WRITER_H

#include "paced/onnx.h"

struct writer {
    const struct paced_graph *graph;
    const struct paced_weights *weights;
    bool fold;
    struct paced_message out; /* GraphProto */
    char **names;             /* that were made up on the way */
    size_t name_count;
};

/* The name "<prefix>.<suffix>", which lasts as long as the writer. */
const char *writer_name(struct writer *writer, const char *prefix, const char *suffix);

/* Attributes are collected in the message that a node is then made of. */
void writer_attribute(struct paced_message *node, const char *name, int64_t value);
void writer_attribute_float(struct paced_message *node, const char *name, float value);
void writer_attribute_text(struct paced_message *node, const char *name, const char *value);
void writer_attribute_integers(struct paced_message *node, const char *name, int count, const int64_t *values);

/* A node of one output, which it is named after; empties `attributes` (NULL: none). `inputs` ends with NULL; "" is one
 * that is left out. */
void writer_node(struct writer *writer, const char *type, const char *output, struct paced_message *attributes,
                 const char *const *inputs);
#define WRITER_INPUTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Initializers: constant tensors by name. */
void writer_floats(struct writer *writer, const char *name, int rank, const int64_t *shape, const float *values);
const char *writer_integers(struct writer *writer, const char *prefix, const char *suffix, int count,
                            const int64_t *values); /* of rank 1 (count 0: a scalar); returns the name */

void writer_finish(struct writer *writer);

/* What ONNX nodes a graph's node is (operations.c). */
enum paced_err operation_write(struct writer *writer, const struct paced_node *node);

/* The name of a tensor: "image" and "logits" for the network's own, else its node's. */
const char *tensor_name(const struct writer *writer, const struct paced_tensor *tensor);

#endif
