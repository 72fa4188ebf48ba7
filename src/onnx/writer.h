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

void writer_finish(struct writer *writer);

/* Writes the ONNX nodes of a graph's node (operations.c). */
enum paced_err operation_write(struct writer *writer, const struct paced_node *node);

/* The name of a tensor: "image" and "logits" for the network's input and output, else the tensor's own. */
const char *tensor_name(const struct writer *writer, const struct paced_tensor *tensor);

#endif
