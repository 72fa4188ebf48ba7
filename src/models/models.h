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

/* ---- ResNet-18 (He et al., 2016), with torchvision's names and initialisation -------------------------------- */

/* conv7x7 stride 2 "<name>.0", BN "<name>.1", ReLU, max pooling 3x3 stride 2: output stride 4. */
struct paced_tensor *resnet_stem(struct paced_graph *graph, const char *name, struct paced_tensor *image, int filters);

/* Two basic blocks "<name>.0" and "<name>.1": in -> out channels; the first one has the stride. */
struct resnet_layer {
    int in, out, stride, dilation;
    bool kaiming; /* torchvision's initialisation, else PyTorch's default */
};
struct paced_tensor *resnet_layer(struct paced_graph *graph, const char *name, struct paced_tensor *x,
                                  struct resnet_layer layer);

#endif
