/* The products that the kernels of a convolution use. */
#include "src/ops/conv/conv.h"

enum paced_err conv_products(struct paced_device *device, enum paced_precision precision, const struct conv *v,
                             enum paced_products *products) {
    *products = PACED_PRODUCTS_FLOAT;
    if (precision != PACED_PRECISION_MIXED || v->c % 16 || v->k % 16) return PACED_OK;
    return paced_device_products(device, products);
}
