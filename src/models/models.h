/* Private to the models room: one row per network. */
#ifndef PACED_MODELS_MODELS_H
#define PACED_MODELS_MODELS_H

#include "paced/models.h"
#include "paced/ops.h"

struct model {
    const char *name;
    /* From the image to the logits; width is 64 in the reference. */
    struct paced_tensor *(*build)(struct paced_graph *graph, struct paced_tensor *image, int classes, int width);
};

extern const struct model model_unet;

#endif
