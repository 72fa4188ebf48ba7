/* LinkNet (Chaurasia and Culurciello, 2017) as in the reference: a ResNet-18 as encoder; decoders that reduce to a
 * quarter of the channels, upsample by transposed convolution and add the encoder's features of the same size.
 * 11,533,506 parameters at width 64 and two classes. */
#include "src/models/models.h"

static struct paced_tensor *enlarge(struct paced_graph *g, const char *name, struct paced_tensor *x,
                                    struct paced_conv_transpose conv) {
    char layer[64];
    snprintf(layer, sizeof layer, "%s.0", name);
    x = paced_conv_transpose2d(g, layer, x, conv);
    snprintf(layer, sizeof layer, "%s.1", name);
    return paced_batch_norm(g, layer, x, true);
}

/* in -> in / 4 -> out channels, upsampling by `stride`, then the sum with the skip. The result is fitted to the skip's
 * size before conv2, as in the reference, so that conv2's batch statistics include the padding. */
static struct paced_tensor *decoder(struct paced_graph *g, const char *name, struct paced_tensor *x,
                                    struct paced_tensor *skip, int in, int out, int stride) {
    char part[32];
    struct paced_conv conv = {in / 4, .kernel = 1, .stride = 1, .dilation = 1};
    snprintf(part, sizeof part, "%s.conv1", name);
    x = model_conv_norm(g, part, "0", "1", x, conv, true);
    snprintf(part, sizeof part, "%s.tp_conv", name);
    x = enlarge(
        g, part, x,
        (struct paced_conv_transpose){in / 4, .kernel = 3, .stride = stride, .pad = 1, .output_pad = stride - 1});
    conv.filters = out;
    snprintf(part, sizeof part, "%s.conv2", name);
    return paced_add(g, skip, model_conv_norm(g, part, "0", "1", paced_pad_or_crop(g, x, skip), conv, true), false);
}

static struct paced_tensor *encoder(struct paced_graph *g, const char *name, struct paced_tensor *x, int in, int out) {
    return resnet_layer(g, name, x,
                        (struct resnet_layer){in, out, .stride = in == out ? 1 : 2, .dilation = 1, .kaiming = true});
}

static struct paced_tensor *head(struct paced_graph *g, struct paced_tensor *x, int classes, int width) {
    x = enlarge(
        g, "tp_conv1", x,
        (struct paced_conv_transpose){width / 2, .kernel = 3, .stride = 2, .pad = 1, .output_pad = 1, .bias = true});
    x = model_conv_norm(g, "conv2", "0", "1", x,
                        (struct paced_conv){width / 2, .kernel = 3, .stride = 1, .pad = 1, .dilation = 1, .bias = true},
                        true);
    return paced_conv_transpose2d(g, "tp_conv2", x,
                                  (struct paced_conv_transpose){classes, .kernel = 2, .stride = 2, .bias = true});
}

static enum paced_err check(struct paced_shape image, int width) {
    if (width % 4 != 0)
        return paced_error(PACED_INVALID, "width %d: linknet divides its channels by 4; use a multiple of 4", width);
    if (image.h % 4 != 0 || image.w % 4 != 0)
        return paced_error(PACED_INVALID,
                           "size %d x %d: linknet's masks match the image's size for multiples of 4 only; use %d x %d",
                           image.h, image.w, (image.h + 3) / 4 * 4, (image.w + 3) / 4 * 4);
    return PACED_OK;
}

static struct paced_tensor *build(struct paced_graph *g, struct paced_tensor *image, int classes, int width) {
    paced_graph_fail(g, check(image->shape, width));
    struct paced_tensor *x = resnet_stem(g, "in_block", image, width);
    struct paced_tensor *e1 = encoder(g, "encoder1", x, width, width);
    struct paced_tensor *e2 = encoder(g, "encoder2", e1, width, 2 * width);
    struct paced_tensor *e3 = encoder(g, "encoder3", e2, 2 * width, 4 * width);
    struct paced_tensor *d = encoder(g, "encoder4", e3, 4 * width, 8 * width);
    d = decoder(g, "decoder4", d, e3, 8 * width, 4 * width, 2);
    d = decoder(g, "decoder3", d, e2, 4 * width, 2 * width, 2);
    d = decoder(g, "decoder2", d, e1, 2 * width, width, 2);
    d = decoder(g, "decoder1", d, x, width, width, 1);
    return head(g, d, classes, width);
}

const struct model model_linknet = {"linknet", build};
