/* The products that the kernels of a convolution use. */
#include "src/ops/conv/conv.h"

enum paced_err conv_products(struct paced_device *device, enum paced_precision precision,
                             enum paced_products *products) {
    *products = PACED_PRODUCTS_FLOAT;
    return precision == PACED_PRECISION_MIXED ? paced_device_products(device, products) : PACED_OK;
}
