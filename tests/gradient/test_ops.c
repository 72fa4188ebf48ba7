/* Gradient of each operation against differences of its forward pass. Inputs are further from kinks (zero for ReLU,
 * ties for pooling) than the step. */
#include <stdlib.h>

#include "tests/gradient/differences.h"

enum { N = 2, H = 5, W = 4, C = 3, COUNT = N * H * W * C };

typedef struct paced_tensor *layer(struct paced_graph *graph, struct paced_tensor *x);

/* ---- inputs ---------------------------------------------------------------------------------------------------- */

static float anything(float u, size_t i) {
    (void)i;
    return u;
}

static float not_zero(float u, size_t i) {
    (void)i;
    return u < 0 ? u - 0.1f : u + 0.1f;
}

/* All values differ, because 7 and the count have no common factor. */
static float apart(float u, size_t i) {
    (void)u;
    return 0.1f * (float)(7 * i % COUNT) - 3;
}

/* ---- layers ---------------------------------------------------------------------------------------------------- */

static struct paced_tensor *conv3x3(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv2d(g, "conv", x, (struct paced_conv){4, 3, 1, 1, 1, true, false});
}

static struct paced_tensor *conv1x1(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv2d(g, "conv", x, (struct paced_conv){2, 1, 1, 0, 1, true, false});
}

static struct paced_tensor *conv_stride(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv2d(g, "conv", x, (struct paced_conv){2, 3, 2, 1, 1, false, false});
}

static struct paced_tensor *conv_dilation(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv2d(g, "conv", x, (struct paced_conv){2, 3, 1, 2, 2, true, false});
}

static struct paced_tensor *transposed3x3(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv_transpose2d(g, "conv", x, (struct paced_conv_transpose){4, 3, 2, 1, 1, true});
}

static struct paced_tensor *transposed2x2(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv_transpose2d(g, "conv", x, (struct paced_conv_transpose){2, 2, 2, 0, 0, false});
}

static struct paced_tensor *norm(struct paced_graph *g, struct paced_tensor *x) {
    return paced_batch_norm(g, "bn", x, false);
}

static struct paced_tensor *norm_relu(struct paced_graph *g, struct paced_tensor *x) {
    return paced_batch_norm(g, "bn", x, true);
}

static struct paced_tensor *sum(struct paced_graph *g, struct paced_tensor *x) {
    return paced_add(g, x, paced_conv2d(g, "conv", x, (struct paced_conv){C, 1, 1, 0, 1, true, false}), false);
}

static struct paced_tensor *sum_relu(struct paced_graph *g, struct paced_tensor *x) {
    return paced_add(g, x, paced_relu(g, x), true);
}

static struct paced_tensor *pool_by_2(struct paced_graph *g, struct paced_tensor *x) {
    return paced_max_pool(g, x, 2, 2, 0);
}

static struct paced_tensor *pool_by_3(struct paced_graph *g, struct paced_tensor *x) {
    return paced_max_pool(g, x, 3, 2, 1);
}

static struct paced_tensor *upsample(struct paced_graph *g, struct paced_tensor *x) {
    return paced_upsample(g, x, 2);
}

static struct paced_tensor *resize(struct paced_graph *g, struct paced_tensor *x) {
    return paced_resize(g, x, &(struct paced_tensor){.shape = {2 * H + 3, W - 1, 1}});
}

static struct paced_tensor *pool_and_broadcast(struct paced_graph *g, struct paced_tensor *x) {
    return paced_broadcast(g, paced_global_pool(g, x), x);
}

static struct paced_tensor *pad_and_crop(struct paced_graph *g, struct paced_tensor *x) {
    return paced_pad_or_crop(g, x, &(struct paced_tensor){.shape = {H + 3, W - 1, 1}});
}

static struct paced_tensor *twice(struct paced_graph *g, struct paced_tensor *x) {
    return paced_concat(g, x, paced_concat(g, x, x));
}

static const struct {
    const char *name;
    layer *build;
    float (*input)(float u, size_t i);
    float h;
    double bound;
} layers[] = {
    {"conv2d, 3x3", conv3x3, anything, 0.5f, 1e-5},
    {"conv2d, 1x1", conv1x1, anything, 0.5f, 1e-5},
    {"conv2d, stride 2", conv_stride, anything, 0.5f, 1e-5},
    {"conv2d, dilation 2", conv_dilation, anything, 0.5f, 1e-5},
    {"conv_transpose2d, 3x3", transposed3x3, anything, 0.5f, 1e-5},
    {"conv_transpose2d, 2x2", transposed2x2, anything, 0.5f, 1e-5},
    {"batch_norm", norm, anything, 1e-2f, 1e-3},
    {"batch_norm, ReLU", norm_relu, anything, 5e-4f, 2e-3},
    {"relu", paced_relu, not_zero, 0.05f, 1e-5},
    {"add", sum, anything, 0.5f, 1e-5},
    {"add, ReLU", sum_relu, not_zero, 0.05f, 1e-5},
    {"max_pool, 2", pool_by_2, apart, 0.04f, 1e-5},
    {"max_pool, 3", pool_by_3, apart, 0.04f, 1e-5},
    {"upsample", upsample, anything, 0.5f, 1e-5},
    {"resize", resize, anything, 0.5f, 1e-5},
    {"global_pool, broadcast", pool_and_broadcast, anything, 0.5f, 1e-5},
    {"fit", pad_and_crop, anything, 0.5f, 1e-5},
    {"concat", twice, anything, 0.5f, 1e-5},
};

static void test_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(layers); ++i) {
        struct net net = net_start(H, W, C);
        net.x = uniform("x", COUNT);
        for (size_t k = 0; k < COUNT; ++k) net.x[k] = layers[i].input(net.x[k], k);
        net_run(&net, layers[i].build(net.graph, net.input), N);
        check_differences(&net, layers[i].name, layers[i].h, layers[i].bound);
        net_finish(&net);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_layers),
};
HARNESS_MAIN(tests)
