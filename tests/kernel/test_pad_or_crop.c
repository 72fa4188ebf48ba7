/* fit on the device against plain loops: padding, cropping, both at once; even and odd differences. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

static void check(struct ref_shape shape, int h, int w) {
    struct net net = net_start(shape.h, shape.w, shape.c);
    const struct paced_tensor like = {.shape = {h, w, 1}};
    net_run(&net, paced_pad_or_crop(net.graph, net.input, &like), shape.n);
    assert_int_equal(net.y_count, shape.n * h * w * shape.c);
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_fit_fwd(shape, h, w, net.x, y);
    ref_fit_bwd(shape, h, w, net.dy, dx);
    assert_close("y", net.y, y, net.y_count, 0);
    assert_close("dx", net.dx, dx, net.x_count, 0);
    free(y);
    free(dx);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    check((struct ref_shape){1, 2, 2, 1}, 3, 3);
    check((struct ref_shape){2, 3, 4, 3}, 2, 7);
    check((struct ref_shape){1, 4, 5, 17}, 7, 2);
    if (harness_is_small()) return;
    check((struct ref_shape){2, 16, 16, 16}, 17, 15);
    check((struct ref_shape){3, 30, 32, 2}, 31, 33);
    check((struct ref_shape){1, 33, 31, 48}, 31, 31);
    check((struct ref_shape){1, 1, 17, 17}, 16, 1);
    check((struct ref_shape){2, 15, 15, 3}, 21, 20);
}

/* PyTorch's F.pad(x, [d // 2, d - d // 2]) with a negative d rounds toward minus infinity: one more row is cropped at
 * the top. */
static void test_crop_is_floored(void **state) {
    (void)state;
    struct net net = net_start(4, 1, 1);
    const struct paced_tensor like = {.shape = {1, 1, 1}};
    net_run(&net, paced_pad_or_crop(net.graph, net.input, &like), 1);
    assert_true(net.y[0] == net.x[2]);
    net_finish(&net);
}

/* Equal sizes need no node. */
static void test_same_size(void **state) {
    (void)state;
    struct net net = net_start(4, 3, 1);
    assert_ptr_equal(paced_pad_or_crop(net.graph, net.input, net.input), net.input);
    assert_int_equal(paced_graph_node_count(net.graph), 0);
    net_finish(&net);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
    cmocka_unit_test(test_crop_is_floored),
    cmocka_unit_test(test_same_size),
};
HARNESS_MAIN(tests)
