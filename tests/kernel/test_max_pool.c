/* max_pool on the device against plain loops. x holds small integers, so that most windows have several maxima. Many
 * are negative, so that zero padding would win. */
#include <math.h>
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct layer {
    struct ref_pool pool;
    bool small;
};

static const struct layer layers[] = {
    {{{1, 2, 2, 1}, 2, 2, 0}, true},     {{{2, 5, 7, 3}, 2, 2, 0}, true},     {{{1, 6, 5, 2}, 3, 2, 1}, true},
    {{{2, 15, 17, 16}, 2, 2, 0}, false}, {{{1, 33, 31, 17}, 2, 2, 0}, false}, {{{3, 16, 33, 2}, 2, 2, 0}, false},
    {{{2, 17, 16, 3}, 3, 2, 1}, false},  {{{1, 31, 15, 48}, 3, 2, 1}, false}, {{{1, 16, 17, 1}, 3, 1, 1}, false},
    {{{1, 1, 1, 16}, 3, 2, 1}, false},   {{{1, 17, 9, 2}, 2, 3, 0}, false},
};

static float *whole_numbers(size_t count) {
    float *x = uniform("x", count);
    for (size_t i = 0; i < count; ++i) x[i] = floorf(3 * x[i]) - 1;
    return x;
}

static void check_layer(const struct ref_pool *v) {
    struct net net = net_start(v->x.h, v->x.w, v->x.c);
    net.x = whole_numbers(ref_count(v->x));
    net_run(&net, paced_max_pool(net.graph, net.input, v->kernel, v->stride, v->pad), v->x.n);
    assert_int_equal(net.y_count, ref_count(ref_max_pool_shape(v)));
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx);
    ref_max_pool_fwd(v, net.x, y);
    ref_max_pool_bwd(v, net.x, net.dy, dx);
    char text[96];
    snprintf(text, sizeof text, "%d x %dx%dx%d, kernel %d, stride %d, pad %d", v->x.n, v->x.h, v->x.w, v->x.c,
             v->kernel, v->stride, v->pad);
    assert_close(text, net.y, y, net.y_count, 0);
    assert_close(text, net.dx, dx, net.x_count, 1e-6);
    free(y);
    free(dx);
    net_finish(&net);
}

static void test_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(layers); ++i)
        if (layers[i].small || !harness_is_small()) check_layer(&layers[i].pool);
}

/* NaN is larger than any number, as in PyTorch, and must not vanish. */
static void test_nan(void **state) {
    (void)state;
    for (size_t at = 0; at < 4; ++at) {
        struct net net = net_start(2, 2, 1);
        net.x = uniform("x", 4);
        net.x[at] = NAN;
        net_run(&net, paced_max_pool(net.graph, net.input, 2, 2, 0), 1);
        assert_true(isnan(net.y[0]));
        for (size_t i = 0; i < 4; ++i) assert_true(net.dx[i] == (i == at ? net.dy[0] : 0));
        net_finish(&net);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_layers),
    cmocka_unit_test(test_nan),
};
HARNESS_MAIN(tests)
