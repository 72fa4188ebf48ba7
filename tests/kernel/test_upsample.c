/* upsample on the device against plain loops. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

static void check(struct ref_shape shape, int factor) {
    struct net net = net_start(shape.h, shape.w, shape.c);
    net_run(&net, paced_upsample(net.graph, net.input, factor), shape.n);
    assert_int_equal(net.y_count, ref_count(shape) * (size_t)(factor * factor));
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_upsample_fwd(shape, factor, net.x, y);
    ref_upsample_bwd(shape, factor, net.dy, dx);
    assert_close("y", net.y, y, net.y_count, 0);
    assert_close("dx", net.dx, dx, net.x_count, 1e-6);
    free(y);
    free(dx);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    check((struct ref_shape){1, 1, 1, 1}, 2);
    check((struct ref_shape){2, 3, 2, 3}, 2);
    check((struct ref_shape){1, 2, 3, 17}, 3);
    if (harness_is_small()) return;
    check((struct ref_shape){2, 15, 16, 2}, 2);
    check((struct ref_shape){1, 17, 31, 16}, 2);
    check((struct ref_shape){3, 1, 33, 48}, 2);
    check((struct ref_shape){1, 16, 15, 3}, 4);
    check((struct ref_shape){1, 5, 3, 2}, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
};
HARNESS_MAIN(tests)
