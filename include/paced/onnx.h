/* onnx: export of networks to ONNX files (onnx.ai, IR version 8, operator set 17), which ONNX Runtime, OpenCV and
 * others run. Host arrays only. */
#ifndef PACED_ONNX_H
#define PACED_ONNX_H

#include "paced/graph.h"

/* Writes the network with its weights, which paced_graph_check_weights must accept:
 *   input   "image"   float32 [N, 3, H, W], red, green, blue from 0 to 1
 *   output  "logits"  float32 [N, classes, H, W]
 * N, H and W are free if `graph` is for any size (paced_graph_pad_or_crop_all). The weights' metadata become the
 * model's. `fold`: batch normalisations are folded into the convolutions before them; else nodes and initializers
 * correspond to the graph's, named as in the weights. PACED_FAILED for an operation without an ONNX row, a model above
 * 2 GiB (the limit of ONNX files), or a disk error. */
enum paced_err paced_onnx_write(const char *path, const struct paced_graph *graph, const struct paced_weights *weights,
                                bool fold);

#endif
