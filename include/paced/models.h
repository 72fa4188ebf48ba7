/* models: the networks by name. Channel counts scale with width / 64; names and shapes of tensors are those of the
 * reference's PyTorch state dicts. */
#ifndef PACED_MODELS_H
#define PACED_MODELS_H

#include "paced/graph.h"

enum { PACED_MAX_WIDTH = 1024 }; /* of a network */

/* The section [model]. */
struct paced_model_options {
    char *arch; /* name of a network */
    int64_t width;
    char *init;   /* path of the initial weights, or "" */
    bool partial; /* tensors that are not in that file, or of another shape, are initialised at random */
};
const char *paced_network_name(int index);

/* Builds the graph of `arch`, from images [h][w][3] to logits [h][w][classes]. The caller destroys
 * it. PACED_INVALID for an unknown arch (suggests the nearest name), or an extent or width that the network does not
 * support. Width and classes: within the limits of their keys. */
enum paced_err paced_model_build(struct paced_graph **graph, const char *arch, struct paced_extent extent, int classes,
                                 int width);
/* The same graph for images of any size (see paced_graph_pad_or_crop_all). Its own sizes are an example. */
enum paced_err paced_model_build_any_size(struct paced_graph **graph, const char *arch, int classes, int width);

/* The network that weights belong to, by their names and shapes: in every network the first parameter has `width`
 * filters, and the last one is a bias per class. */
struct paced_network {
    const char *arch;
    int width, classes;
};
/* Checks the first and the last parameter only; paced_graph_check_weights checks all. *found receives the outcome. */
enum paced_err paced_model_guess(const struct paced_weights *weights, struct paced_network *network, bool *found);
/* PACED_INVALID, naming `path`, if the weights match no network by this check. */
enum paced_err paced_model_recognise(const struct paced_weights *weights, const char *path,
                                     struct paced_network *network);

#endif
