/* UNet (Ronneberger et al., 2015) as in the reference: padded convolutions with batch normalisation, nearest-neighbour
 * upsampling, four levels. 17,267,458 parameters at width 64 and two classes. Any image size from 16. */
#include "src/models/models.h"

/* conv3x3, BN, ReLU, conv3x3, BN, ReLU: in -> middle -> out channels. */
static struct paced_tensor *double_conv(struct paced_graph *g, const char *name, struct paced_tensor *x, int middle,
                                        int out) {
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s.double_conv", name);
    struct paced_conv conv = {middle, .kernel = 3, .stride = 1, .pad = 1, .dilation = 1, .bias = true};
    x = model_conv_norm(g, prefix, "0", "1", x, conv, true);
    conv.filters = out;
    return model_conv_norm(g, prefix, "3", "4", x, conv, true);
}

static struct paced_tensor *down(struct paced_graph *g, const char *name, struct paced_tensor *x, int out) {
    char inner[48];
    snprintf(inner, sizeof inner, "%s.maxpool_conv.1", name);
    return double_conv(g, inner, paced_max_pool(g, x, 2, 2, 0), out, out);
}

static struct paced_tensor *up(struct paced_graph *g, const char *name, struct paced_tensor *deep,
                               struct paced_tensor *skip, int middle, int out) {
    char inner[48];
    snprintf(inner, sizeof inner, "%s.conv", name);
    deep = paced_pad_or_crop(g, paced_upsample(g, deep, 2), skip);
    return double_conv(g, inner, paced_concat(g, skip, deep), middle, out);
}

static struct paced_tensor *build(struct paced_graph *g, struct paced_tensor *image, int classes, int width) {
    struct paced_tensor *x1 = double_conv(g, "inp", image, width, width);
    struct paced_tensor *x2 = down(g, "down1", x1, 2 * width);
    struct paced_tensor *x3 = down(g, "down2", x2, 4 * width);
    struct paced_tensor *x4 = down(g, "down3", x3, 8 * width);
    struct paced_tensor *x = down(g, "down4", x4, 8 * width);
    x = up(g, "up1", x, x4, 8 * width, 4 * width);
    x = up(g, "up2", x, x3, 4 * width, 2 * width);
    x = up(g, "up3", x, x2, 2 * width, width);
    x = up(g, "up4", x, x1, width, width);
    return paced_conv2d(g, "out", x,
                        (struct paced_conv){classes, .kernel = 1, .stride = 1, .pad = 0, .dilation = 1, .bias = true});
}

const struct model model_unet = {"unet", build};
