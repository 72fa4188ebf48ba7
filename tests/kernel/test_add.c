/* add on the device against plain loops. The network has one input, so the second summand is the maximum of each
 * pixel's neighbourhood: some sums are negative, some are not. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

static void check(struct ref_shape shape, bool relu) {
    struct net net = net_start(shape.h, shape.w, shape.c);
    struct ref_pool pool = {shape, 3, 1, 1};
    size_t count = ref_count(shape);
    net_run(&net, paced_add(net.graph, net.input, paced_max_pool(net.graph, net.input, 3, 1, 1), relu), shape.n);
    assert_int_equal(net.y_count, count);
    double *b = paced_alloc(count, sizeof *b), *y = paced_alloc(count, sizeof *y), *da = paced_alloc(count, sizeof *da),
           *dx = paced_alloc(count, sizeof *dx);
    float *b32 = paced_alloc(count, sizeof *b32), *db32 = paced_alloc(count, sizeof *db32);
    ref_max_pool_fwd(&pool, net.x, b);
    for (size_t i = 0; i < count; ++i) b32[i] = (float)b[i];
    ref_add_fwd(count, relu, net.x, b32, y);
    assert_close("y", net.y, y, count, 1e-7);
    ref_add_bwd(count, relu, net.x, b32, net.dy, da);
    for (size_t i = 0; i < count; ++i) db32[i] = (float)da[i];
    ref_max_pool_bwd(&pool, net.x, db32, dx);
    for (size_t i = 0; i < count; ++i) dx[i] += da[i];
    assert_close("dx", net.dx, dx, count, 1e-6);
    free(b);
    free(y);
    free(da);
    free(dx);
    free(b32);
    free(db32);
    net_finish(&net);
}

static void test_sizes(void **state) {
    (void)state;
    for (int relu = 0; relu < 2; ++relu) {
        check((struct ref_shape){1, 1, 1, 1}, relu);
        check((struct ref_shape){2, 3, 2, 3}, relu);
        check((struct ref_shape){1, 2, 3, 17}, relu);
        if (harness_is_small()) continue;
        check((struct ref_shape){2, 15, 16, 2}, relu);
        check((struct ref_shape){1, 17, 31, 16}, relu);
        check((struct ref_shape){3, 1, 33, 48}, relu);
    }
}

/* With the same tensor as both summands, its gradient is written and then added to. */
static void test_same_tensor(void **state) {
    (void)state;
    struct net net = net_start(5, 3, 3);
    net_run(&net, paced_add(net.graph, net.input, net.input, true), 2);
    for (size_t i = 0; i < net.y_count; ++i) {
        assert_true(net.y[i] == (net.x[i] > 0 ? 2 * net.x[i] : 0));
        assert_true(net.dx[i] == (net.x[i] > 0 ? 2 * net.dy[i] : 0));
    }
    net_finish(&net);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes),
    cmocka_unit_test(test_same_tensor),
};
HARNESS_MAIN(tests)
