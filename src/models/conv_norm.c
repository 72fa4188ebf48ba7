/* conv_norm: convolution, batch normalisation and ReLU, the unit that all networks repeat. */
#include "src/models/models.h"

struct paced_tensor *model_conv_norm(struct paced_graph *g, const char *prefix, const char *conv_name,
                                     const char *norm_name, struct paced_tensor *x, struct paced_conv conv, bool relu) {
    char name[96];
    snprintf(name, sizeof name, "%s.%s", prefix, conv_name);
    x = paced_conv2d(g, name, x, conv);
    snprintf(name, sizeof name, "%s.%s", prefix, norm_name);
    return paced_batch_norm(g, name, x, relu);
}
