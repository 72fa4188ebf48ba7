/* onnx: networks as ONNX files (onnx.ai, IR version 8, operators of version 17), which ONNX Runtime, OpenCV and others
 * run. Written only; host arrays only. */
#ifndef PACED_ONNX_H
#define PACED_ONNX_H

#include "paced/graph.h"

/* The network with its weights:
 *   input   "image"   float32 [N, 3, H, W], red, green, blue from 0 to 1
 *   output  "logits"  float32 [N, classes, H, W]
 * N, H and W are free where `graph` is for any size (paced_graph_fit_all). The weights' metadata become the model's.
 * `fold`: a batch normalisation becomes part of the convolution before it; else nodes and initializers are the graph's
 * own, named as in the weights. The weights must be the graph's (paced_graph_check_weights). PACED_FAILED for an
 * operation that ONNX files cannot be written of yet, for a model larger than they can be (2 GiB), or a disk fault. */
enum paced_err paced_onnx_write(const char *path, const struct paced_graph *graph, const struct paced_weights *weights,
                                bool fold);

#endif
