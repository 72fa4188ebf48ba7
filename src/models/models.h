/* models: the description of a network, and layers that networks share. Private to the models module. */
#ifndef PACED_MODELS_MODELS_H
#define PACED_MODELS_MODELS_H

#include "paced/models.h"
#include "paced/ops.h"

struct model {
    const char *name;
    /* Builds the layers from the image to the logits; width is 64 in the reference. */
    struct paced_tensor *(*build)(struct paced_graph *graph, struct paced_tensor *image, int classes, int width);
};

/* Convolution and batch normalisation "<prefix>.<conv_name>" and "<prefix>.<norm_name>", then ReLU where `relu`. */
struct paced_tensor *model_conv_norm(struct paced_graph *graph, const char *prefix, const char *conv_name,
                                     const char *norm_name, struct paced_tensor *x, struct paced_conv conv, bool relu);

#endif
