/* resize on the device against plain loops. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

static void check(struct ref_shape shape, int h, int w) {
    struct net net = net_start(shape.h, shape.w, shape.c);
    const struct paced_tensor like = {.shape = {h, w, 1}};
    net_run(&net, paced_resize(net.graph, net.input, &like), shape.n);
    assert_int_equal(net.y_count, shape.n * h * w * shape.c);
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_resize_fwd(shape, h, w, net.x, y);
    ref_resize_bwd(shape, h, w, net.dy, dx);
    assert_close("y", net.y, y, net.y_count, 0);
    assert_close("dx", net.dx, dx, net.x_count, 1e-5); /* signed sums, which cancel */
    free(y);
    free(dx);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    check((struct ref_shape){1, 1, 1, 1}, 3, 2);
    check((struct ref_shape){2, 3, 2, 3}, 5, 4);
    check((struct ref_shape){1, 7, 3, 17}, 2, 3);
    if (harness_is_small()) return;
    check((struct ref_shape){2, 6, 6, 2}, 45, 45);
    check((struct ref_shape){1, 12, 12, 5}, 96, 96);
    check((struct ref_shape){3, 1, 33, 16}, 31, 17);
    check((struct ref_shape){1, 31, 15, 48}, 16, 33);
    check((struct ref_shape){1, 16, 17, 1}, 15, 1);
}

/* Ratios where float32 differs from exact arithmetic, or an index is within rounding of the next. Every output must
 * come from the same pixel as in PyTorch, and every gradient must arrive there. */
static void test_every_ratio(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    check((struct ref_shape){1, 200, 1, 1}, 48, 1);
    check((struct ref_shape){1, 1, 1023, 1}, 1, 224);
    for (int size = 1; size < 40; size += 3)
        for (int out = 1; out < 200; out += 13) check((struct ref_shape){1, size, 1, 1}, out, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
    cmocka_unit_test(test_every_ratio),
};
HARNESS_MAIN(tests)
