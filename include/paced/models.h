/* models: the networks, by name. Channel counts scale with width / 64; names and shapes of tensors are the reference's
 * PyTorch state dicts. */
#ifndef PACED_MODELS_H
#define PACED_MODELS_H

#include "paced/graph.h"

/* Builds `arch` for images of size x size x 3 into logits of size x size x classes. PACED_INVALID for an unknown arch
 * (with the nearest name) or a size that the network cannot take. */
enum paced_err paced_model_build(struct paced_graph **graph, const char *arch, int size, int classes, int width);

#endif
