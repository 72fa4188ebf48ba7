/* conv_transpose2d on the device against plain loops: value and all three gradients. */
#include <stdlib.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct layer {
    struct ref_conv_transpose conv;
    bool bias, small; /* small: also runs on slow simulators */
};

/* Sums of up to a few thousand products in float32. */
static const double BOUND = 1e-5;
/* The gradient of a bias is one signed sum, which may cancel. */
static const double BIAS_BOUND = 1e-4;

static const struct layer layers[] = {
    /* as in LinkNet: twice the size by 3x3 and by 2x2, the same size by 3x3 */
    {{{2, 3, 4, 3}, 2, 3, 2, 1, 1}, true, true},
    {{{1, 15, 16, 16}, 17, 3, 2, 1, 1}, false, false},
    {{{2, 17, 15, 17}, 16, 3, 2, 1, 1}, true, false},
    {{{3, 31, 33, 32}, 48, 3, 2, 1, 1}, true, false}, /* 12276 pixels: several chunks of patches */
    {{{1, 2, 3, 2}, 3, 2, 2, 0, 0}, true, true},
    {{{2, 16, 15, 32}, 2, 2, 2, 0, 0}, true, false},
    {{{1, 33, 31, 16}, 5, 2, 2, 0, 0}, true, false},
    {{{1, 4, 5, 3}, 3, 3, 1, 1, 0}, false, true},
    {{{2, 16, 16, 16}, 16, 3, 1, 1, 0}, false, false},
    {{{1, 31, 17, 17}, 48, 3, 1, 1, 0}, true, false},
    /* single pixels, larger kernels and strides, no padding, padding of more than half the kernel */
    {{{1, 1, 1, 1}, 1, 3, 2, 1, 1}, true, true},
    {{{2, 1, 17, 2}, 3, 3, 2, 1, 0}, false, true},
    {{{1, 9, 7, 4}, 5, 5, 3, 2, 2}, true, false},
    {{{1, 6, 5, 3}, 2, 1, 2, 0, 1}, true, true},
    {{{2, 5, 6, 2}, 17, 4, 2, 0, 0}, true, false},
    {{{1, 8, 9, 3}, 2, 3, 2, 2, 0}, true, false},
};

static void compare(const struct layer *l, const char *what, const float *got, const double *want, size_t count,
                    double bound) {
    const struct ref_conv_transpose *v = &l->conv;
    char text[160];
    snprintf(text, sizeof text, "%s of %d x %dx%dx%d -> %d, kernel %d, stride %d, pad %d, output pad %d", what, v->x.n,
             v->x.h, v->x.w, v->x.c, v->k, v->kernel, v->stride, v->pad, v->output_pad);
    assert_close(text, got, want, count, bound);
}

static void check_gradients(const struct layer *l, const struct net *net, const float *w) {
    size_t w_count = net_param(net, "conv.weight")->count;
    double *dx = paced_alloc(net->x_count, sizeof *dx), *dw = paced_alloc(w_count, sizeof *dw);
    float *got = net_read_param_grad(net, "conv.weight");
    ref_conv_transpose2d_bwd_data(&l->conv, net->dy, w, dx);
    compare(l, "dx", net->dx, dx, net->x_count, BOUND);
    ref_conv_transpose2d_bwd_weights(&l->conv, net->x, net->dy, dw);
    compare(l, "dweight", got, dw, w_count, BOUND);
    free(got);
    free(dw);
    free(dx);
    if (!l->bias) return;
    double *db = paced_alloc((size_t)l->conv.k, sizeof *db);
    got = net_read_param_grad(net, "conv.bias");
    ref_conv_transpose2d_bwd_bias(&l->conv, net->dy, db);
    compare(l, "dbias", got, db, (size_t)l->conv.k, BIAS_BOUND);
    free(got);
    free(db);
}

static void check_layer(const struct layer *l) {
    const struct ref_conv_transpose *v = &l->conv;
    struct net net = net_start(v->x.h, v->x.w, v->x.c);
    net_run(&net,
            paced_conv_transpose2d(
                net.graph, "conv", net.input,
                (struct paced_conv_transpose){v->k, v->kernel, v->stride, v->pad, v->output_pad, l->bias}),
            v->x.n);
    assert_int_equal(net.y_count, ref_count(ref_conv_transpose2d_shape(v)));
    float *w = net_read_param(&net, "conv.weight"), *bias = l->bias ? net_read_param(&net, "conv.bias") : NULL;
    double *y = paced_alloc(net.y_count, sizeof *y);
    ref_conv_transpose2d_fwd(v, net.x, w, bias, y);
    compare(l, "y", net.y, y, net.y_count, BOUND);
    check_gradients(l, &net, w);
    free(y);
    free(bias);
    free(w);
    net_finish(&net);
}

static void check_layers(const char *algorithm) {
    if (algorithm) assert_int_equal(setenv("PACED_CONV", algorithm, 1), 0);
    for (size_t i = 0; i < PACED_COUNT(layers); ++i)
        if (layers[i].small || !harness_is_small()) check_layer(&layers[i]);
    unsetenv("PACED_CONV");
}

static void test_chosen(void **state) {
    (void)state;
    check_layers(NULL);
}

static void test_every_algorithm(void **state) {
    (void)state;
    check_layers("im2col");
    check_layers("winograd2");
    check_layers("winograd4");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_chosen),
    cmocka_unit_test(test_every_algorithm),
};
HARNESS_MAIN(tests)
