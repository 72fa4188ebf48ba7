/* DeepLabV3 (Chen et al., 2017) as in the reference: a ResNet-18 whose last two layers use dilation instead of stride,
 * with an output stride of 8; atrous spatial pyramid pooling; nearest-neighbour upsampling of the logits. 15,310,402
 * parameters at width 64 and two classes. Any image size. */
#include "src/models/models.h"

static struct paced_tensor *backbone(struct paced_graph *g, struct paced_tensor *image, int w) {
    struct paced_tensor *x = resnet_stem(g, "resnet.resnet", image, w);
    x = resnet_layer(g, "resnet.resnet.4", x, (struct resnet_layer){w, w, 1, 1, .kaiming = true});
    x = resnet_layer(g, "resnet.resnet.5", x, (struct resnet_layer){w, 2 * w, 2, 1, .kaiming = true});
    x = resnet_layer(g, "resnet.layer4", x, (struct resnet_layer){2 * w, 4 * w, 1, .dilation = 2});
    return resnet_layer(g, "resnet.layer5", x, (struct resnet_layer){4 * w, 8 * w, 1, .dilation = 4});
}

/* The ASPP branch or projection "aspp.<name>"; kernel 1 or 3. */
static struct paced_tensor *part(struct paced_graph *g, const char *name, struct paced_tensor *x, int filters,
                                 int kernel, int dilation) {
    char norm[32];
    snprintf(norm, sizeof norm, "bn_%s", name);
    const struct paced_conv conv = {
        filters, .kernel = kernel, .stride = 1, .pad = kernel == 1 ? 0 : dilation, .dilation = dilation, .bias = true};
    return model_conv_norm(g, "aspp", name, norm, x, conv, true);
}

static struct paced_tensor *aspp(struct paced_graph *g, struct paced_tensor *x, int classes, int filters) {
    struct paced_tensor *branches[5]; /* not in an initialiser, where C leaves the order of evaluation open */
    branches[0] = part(g, "conv_1x1_1", x, filters, 1, 1);
    branches[1] = part(g, "conv_3x3_1", x, filters, 3, 6);
    branches[2] = part(g, "conv_3x3_2", x, filters, 3, 12);
    branches[3] = part(g, "conv_3x3_3", x, filters, 3, 18);
    branches[4] = paced_broadcast(g, part(g, "conv_1x1_2", paced_global_pool(g, x), filters, 1, 1), x);
    x = part(g, "conv_1x1_3", paced_concat_all(g, (int)PACED_COUNT(branches), branches), filters, 1, 1);
    return paced_conv2d(g, "aspp.conv_1x1_4", x,
                        (struct paced_conv){classes, .kernel = 1, .stride = 1, .dilation = 1, .bias = true});
}

static struct paced_tensor *build(struct paced_graph *g, struct paced_tensor *image, int classes, int width) {
    return paced_resize(g, aspp(g, backbone(g, image, width), classes, 4 * width), image);
}

const struct model model_deeplabv3 = {"deeplabv3", build};
