/* global_pool and broadcast on the device against plain loops. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

static void check_pool(struct ref_shape plane) {
    struct net net = net_start(plane.h, plane.w, plane.c);
    net_run(&net, paced_global_pool(net.graph, net.input), plane.n);
    assert_int_equal(net.y_count, plane.n * plane.c);
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_global_pool_fwd(plane, net.x, y);
    ref_global_pool_bwd(plane, net.dy, dx);
    assert_close("pooled", net.y, y, net.y_count, 1e-5); /* signed sums, which cancel */
    assert_close("pooled dx", net.dx, dx, net.x_count, 1e-6);
    free(y);
    free(dx);
    net_finish(&net);
}

static void check_broadcast(struct ref_shape plane) {
    struct net net = net_start(1, 1, plane.c);
    const struct paced_tensor like = {.shape = {plane.h, plane.w, 1}};
    net_run(&net, paced_broadcast(net.graph, net.input, &like), plane.n);
    assert_int_equal(net.y_count, ref_count(plane));
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_broadcast_fwd(plane, net.x, y);
    ref_broadcast_bwd(plane, net.dy, dx);
    assert_close("broadcast", net.y, y, net.y_count, 0);
    assert_close("broadcast dx", net.dx, dx, net.x_count, 1e-5);
    free(y);
    free(dx);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    static const struct ref_shape small[] = {{1, 1, 1, 1}, {2, 3, 2, 3}, {1, 2, 3, 17}},
                                  large[] = {{2, 15, 16, 2}, {1, 17, 31, 16}, {3, 1, 33, 48}, {4, 31, 15, 512}};
    for (size_t i = 0; i < PACED_COUNT(small); ++i) {
        check_pool(small[i]);
        check_broadcast(small[i]);
    }
    for (size_t i = 0; i < PACED_COUNT(large) && !harness_is_small(); ++i) {
        check_pool(large[i]);
        check_broadcast(large[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
};
HARNESS_MAIN(tests)
