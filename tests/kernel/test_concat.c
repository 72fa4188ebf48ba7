/* concat on the device against plain loops. The network has one input, so the second tensor is its ReLU or a
 * convolution of it. The effect of concat shows in y, and in dx, whose other part is known. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

/* [x, relu(x)]: y and dx = dy_a + (x > 0) dy_b. */
static void check_equal_channels(struct ref_shape shape) {
    struct net net = net_start(shape.h, shape.w, shape.c);
    size_t count = ref_count(shape), pixels = count / (size_t)shape.c;
    net_run(&net, paced_concat(net.graph, net.input, paced_relu(net.graph, net.input)), shape.n);
    assert_int_equal(net.y_count, 2 * count);
    float *relu = paced_alloc(count, sizeof *relu);
    for (size_t i = 0; i < count; ++i) relu[i] = net.x[i] > 0 ? net.x[i] : 0;
    double *y = paced_alloc(2 * count, sizeof *y), *da = paced_alloc(count, sizeof *da),
           *db = paced_alloc(count, sizeof *db);
    ref_concat_fwd(pixels, shape.c, shape.c, net.x, relu, y);
    assert_close("y", net.y, y, 2 * count, 0);
    ref_concat_bwd(pixels, shape.c, shape.c, net.dy, da, db);
    for (size_t i = 0; i < count; ++i) da[i] += net.x[i] > 0 ? db[i] : 0;
    assert_close("dx", net.dx, da, count, 1e-6);
    free(relu);
    free(y);
    free(da);
    free(db);
    net_finish(&net);
}

/* [conv(x), x], with k channels of the convolution: its bias gradient is the sum of dy_a; its value and dx equal those
 * of the convolution alone. */
static void check_other_channels(struct ref_shape shape, int k) {
    struct net net = net_start(shape.h, shape.w, shape.c);
    size_t count = ref_count(shape), pixels = count / (size_t)shape.c, a_count = pixels * (size_t)k;
    struct paced_tensor *conv =
        paced_conv2d(net.graph, "conv", net.input, (struct paced_conv){k, 1, 1, 0, 1, true, false});
    net_run(&net, paced_concat(net.graph, conv, net.input), shape.n);
    struct ref_conv v = {shape, k, 1, 1, 0, 1};
    float *w = net_read_param(&net, "conv.weight"), *bias = net_read_param(&net, "conv.bias");
    double *a = paced_alloc(a_count, sizeof *a), *da = paced_alloc(a_count, sizeof *da),
           *db = paced_alloc(count, sizeof *db), *dx = paced_alloc(count, sizeof *dx),
           *y = paced_alloc(net.y_count, sizeof *y);
    float *a32 = paced_alloc(a_count, sizeof *a32), *da32 = paced_alloc(a_count, sizeof *da32);
    ref_conv2d_fwd(&v, net.x, w, bias, a);
    ref_concat_bwd(pixels, k, shape.c, net.dy, da, db);
    for (size_t i = 0; i < a_count; ++i) {
        a32[i] = (float)a[i];
        da32[i] = (float)da[i];
    }
    ref_concat_fwd(pixels, k, shape.c, a32, net.x, y);
    ref_conv2d_bwd_data(&v, da32, w, dx);
    for (size_t i = 0; i < count; ++i) dx[i] += db[i];
    assert_close("y", net.y, y, net.y_count, 1e-6);
    assert_close("dx", net.dx, dx, count, 1e-6);
    float *arrays[] = {w, bias, a32, da32};
    double *doubles[] = {a, da, db, dx, y};
    for (size_t i = 0; i < PACED_COUNT(arrays); ++i) free(arrays[i]);
    for (size_t i = 0; i < PACED_COUNT(doubles); ++i) free(doubles[i]);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    check_equal_channels((struct ref_shape){1, 1, 1, 1});
    check_equal_channels((struct ref_shape){2, 3, 2, 17});
    check_other_channels((struct ref_shape){1, 3, 4, 3}, 2);
    if (harness_is_small()) return;
    check_equal_channels((struct ref_shape){2, 15, 16, 3});
    check_equal_channels((struct ref_shape){1, 17, 31, 16});
    check_equal_channels((struct ref_shape){3, 33, 1, 48});
    check_other_channels((struct ref_shape){2, 16, 15, 16}, 17);
    check_other_channels((struct ref_shape){1, 17, 33, 16}, 48);
    check_other_channels((struct ref_shape){3, 15, 1, 2}, 32);
}

/* Maximum number of inputs of a node. */
static void test_many(void **state) {
    (void)state;
    struct net net = net_start(4, 3, 3);
    struct paced_tensor *all[PACED_MAX_INPUTS];
    for (int i = 0; i < PACED_MAX_INPUTS; ++i) all[i] = i % 2 ? paced_relu(net.graph, net.input) : net.input;
    net_run(&net, paced_concat_all(net.graph, PACED_MAX_INPUTS, all), 2);
    size_t wide = 3 * PACED_MAX_INPUTS;
    assert_int_equal(net.y_count, PACED_MAX_INPUTS * net.x_count);
    for (size_t at = 0; at < net.x_count; ++at) {
        double grad = 0;
        for (size_t i = 0; i < PACED_MAX_INPUTS; ++i) {
            size_t to = at / 3 * wide + 3 * i + at % 3;
            bool passes = i % 2 == 0 || net.x[at] > 0;
            assert_true(net.y[to] == (passes ? net.x[at] : 0));
            if (passes) grad += (double)net.dy[to];
        }
        assert_near(net.dx[at], grad, 1e-6);
    }
    net_finish(&net);
}

/* With the same tensor as both inputs, its gradient is written and then added to. */
static void test_same_tensor(void **state) {
    (void)state;
    struct net net = net_start(5, 3, 3);
    net_run(&net, paced_concat(net.graph, net.input, net.input), 2);
    double y[2 * 5 * 3 * 6], da[2 * 5 * 3 * 3], db[2 * 5 * 3 * 3];
    ref_concat_fwd(2 * 5 * 3, 3, 3, net.x, net.x, y);
    ref_concat_bwd(2 * 5 * 3, 3, 3, net.dy, da, db);
    for (size_t i = 0; i < PACED_COUNT(da); ++i) da[i] += db[i];
    assert_close("y", net.y, y, PACED_COUNT(y), 0);
    assert_close("dx", net.dx, da, PACED_COUNT(da), 1e-6);
    net_finish(&net);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
    cmocka_unit_test(test_many),
    cmocka_unit_test(test_same_tensor),
};
HARNESS_MAIN(tests)
