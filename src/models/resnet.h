/* resnet: ResNet-18's parts (He et al., 2016), with torchvision's names and initialisation. Private to the models
 * module. */
#ifndef PACED_MODELS_RESNET_H
#define PACED_MODELS_RESNET_H

#include "src/models/models.h"

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
