/* relu on the device against plain loops, exactly. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

static void check(int n, int h, int w, int c) {
    struct net net = net_start(h, w, c);
    net.x = uniform("x", (size_t)(n * h * w * c));
    net.x[0] = 0; /* the gradient at the kink is 0 */
    net_run(&net, paced_relu(net.graph, net.input), n);
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_relu_fwd(net.x_count, net.x, y);
    ref_relu_bwd(net.x_count, net.x, net.dy, dx);
    assert_close("y", net.y, y, net.y_count, 0);
    assert_close("dx", net.dx, dx, net.x_count, 0);
    free(y);
    free(dx);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    check(1, 1, 1, 1);
    check(2, 3, 5, 17);
    if (harness_is_small()) return;
    check(2, 15, 16, 2);
    check(1, 33, 31, 3);
    check(3, 17, 1, 16);
    check(1, 31, 33, 48);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
};
HARNESS_MAIN(tests)
