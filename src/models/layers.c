/* layers: parts that networks share: convolution with batch normalisation, and ResNet-18's.
 *
 * A basic block of ResNet-18 is relu(bn2(conv2(relu(bn1(conv1(x))))) + x). If the shapes differ, a 1x1 convolution and
 * BN ("downsample") transform x before the sum. Its convolutions have no bias. */
#include "src/models/models.h"

struct paced_tensor *model_conv_norm(struct paced_graph *g, const char *prefix, const char *conv_name,
                                     const char *norm_name, struct paced_tensor *x, struct paced_conv conv, bool relu) {
    char name[96];
    snprintf(name, sizeof name, "%s.%s", prefix, conv_name);
    x = paced_conv2d(g, name, x, conv);
    snprintf(name, sizeof name, "%s.%s", prefix, norm_name);
    return paced_batch_norm(g, name, x, relu);
}

struct paced_tensor *resnet_stem(struct paced_graph *g, const char *name, struct paced_tensor *image, int filters) {
    const struct paced_conv conv = {filters, .kernel = 7, .stride = 2, .pad = 3, .dilation = 1, .kaiming = true};
    return paced_max_pool(g, model_conv_norm(g, name, "0", "1", image, conv, true), 3, 2, 1);
}

static struct paced_tensor *basic_block(struct paced_graph *g, const char *name, struct paced_tensor *x,
                                        struct resnet_layer b) {
    struct paced_conv conv = {
        b.out, .kernel = 3, .stride = b.stride, .pad = b.dilation, .dilation = b.dilation, .kaiming = b.kaiming};
    struct paced_tensor *y = model_conv_norm(g, name, "conv1", "bn1", x, conv, true);
    conv.stride = 1;
    y = model_conv_norm(g, name, "conv2", "bn2", y, conv, false);
    if (b.stride != 1 || b.in != b.out) {
        conv = (struct paced_conv){b.out, .kernel = 1, .stride = b.stride, .dilation = 1, .kaiming = b.kaiming};
        x = model_conv_norm(g, name, "downsample.0", "downsample.1", x, conv, false);
    }
    return paced_add(g, y, x, true);
}

struct paced_tensor *resnet_layer(struct paced_graph *g, const char *name, struct paced_tensor *x,
                                  struct resnet_layer layer) {
    for (int i = 0; i < 2; ++i) {
        char block[64];
        snprintf(block, sizeof block, "%s.%d", name, i);
        x = basic_block(g, block, x, layer);
        layer.in = layer.out;
        layer.stride = 1;
    }
    return x;
}
