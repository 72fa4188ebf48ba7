/* models: the networks, by name. Channel counts scale with width / 64; names and shapes of tensors are the reference's
 * PyTorch state dicts. */
#ifndef PACED_MODELS_H
#define PACED_MODELS_H

#include "paced/config.h"
#include "paced/graph.h"

/* Builds `arch` for images of size x size x 3 into logits of size x size x classes. PACED_INVALID for an unknown arch
 * (with the nearest name) or a size that the network cannot take. Width and classes: within their keys' limits. */
enum paced_err paced_model_build(struct paced_graph **graph, const char *arch, int size, int classes, int width);
/* The same graph, but as it is for images of any size: see paced_graph_fit_all. Its own sizes are an example. */
enum paced_err paced_model_build_any_size(struct paced_graph **graph, const char *arch, int classes, int width);

/* Which network the weights are of, by their names and shapes: in every network the first parameter has `width`
 * filters, and the last is a bias for each class. PACED_INVALID, naming `path`, where it is none; whether all the other
 * tensors are right is paced_graph_check_weights' to say. */
struct paced_network {
    const char *arch;
    int width, classes;
};
enum paced_err paced_model_recognise(const struct paced_weights *weights, const char *path,
                                     struct paced_network *network);

#endif
