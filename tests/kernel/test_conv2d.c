/* conv2d on the device against plain loops: value and all three gradients. */
#include <stdlib.h>

#include "tests/capture.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct layer {
    struct ref_conv conv;
    bool bias, small; /* small: also runs on slow simulators */
};

/* Sums of up to a few thousand products in float32. */
static const double BOUND = 1e-5;
/* The gradient of a bias is one signed sum, which may cancel. */
static const double BIAS_BOUND = 1e-4;

static const struct layer layers[] = {
    /* 3x3 as in the networks; channels around vectors and tiles, sides around tiles, odd sides */
    {{{2, 17, 15, 3}, 16, 3, 1, 1, 1}, true, false},
    {{{2, 4, 5, 1}, 1, 3, 1, 1, 1}, true, true},
    {{{1, 1, 1, 2}, 3, 3, 1, 1, 1}, true, true},
    {{{1, 1, 17, 3}, 17, 3, 1, 1, 1}, true, true},
    {{{1, 16, 1, 17}, 2, 3, 1, 1, 1}, true, false},
    {{{2, 15, 16, 16}, 17, 3, 1, 1, 1}, true, false},
    {{{1, 31, 33, 17}, 3, 3, 1, 1, 1}, false, false},
    {{{1, 16, 16, 32}, 48, 3, 1, 1, 1}, true, false},
    {{{3, 33, 33, 2}, 16, 3, 1, 1, 1}, true, false}, /* 3267 pixels: more than one chunk of patches */
    /* 1x1: x itself is the matrix if channels and pixels fill whole tiles */
    {{{1, 4, 4, 16}, 16, 1, 1, 0, 1}, true, true},
    {{{2, 15, 17, 17}, 2, 1, 1, 0, 1}, true, false},
    {{{1, 16, 17, 32}, 3, 1, 1, 0, 1}, false, false},
    {{{3, 33, 33, 16}, 5, 1, 1, 0, 1}, true, false},
    /* strides, dilations, large kernels, padding of more than half the kernel, no padding */
    {{{2, 17, 16, 3}, 4, 7, 2, 3, 1}, false, false},
    {{{1, 5, 6, 2}, 3, 3, 2, 1, 1}, true, true},
    {{{2, 15, 16, 4}, 17, 3, 2, 1, 1}, true, false},
    {{{2, 9, 8, 5}, 16, 1, 2, 0, 1}, false, false},
    {{{1, 17, 16, 3}, 2, 3, 1, 2, 2}, true, false},
    {{{1, 7, 9, 4}, 3, 3, 1, 6, 6}, true, false},
    {{{1, 15, 13, 2}, 3, 3, 2, 4, 3}, true, false},
    {{{1, 6, 5, 3}, 2, 3, 1, 0, 1}, true, true},
    {{{1, 9, 7, 1}, 2, 5, 3, 4, 1}, true, false},
    {{{1, 8, 8, 2}, 4, 2, 2, 0, 1}, true, false},
};

static void describe(char *out, size_t size, const char *what, const struct layer *l) {
    snprintf(out, size, "%s of %d x %dx%dx%d -> %d, kernel %d, stride %d, pad %d, dilation %d", what, l->conv.x.n,
             l->conv.x.h, l->conv.x.w, l->conv.x.c, l->conv.k, l->conv.kernel, l->conv.stride, l->conv.pad,
             l->conv.dilation);
}

static void compare(const struct layer *l, const char *what, const float *got, const double *want, size_t count,
                    double bound) {
    char text[160];
    describe(text, sizeof text, what, l);
    assert_close(text, got, want, count, bound);
}

static void check_gradients(const struct layer *l, const struct net *net, const float *w, double bound,
                            double weights_bound) {
    size_t w_count = net_param(net, "conv.weight")->count;
    double *dx = paced_alloc(net->x_count, sizeof *dx), *dw = paced_alloc(w_count, sizeof *dw);
    float *got = net_read_param_grad(net, "conv.weight");
    ref_conv2d_bwd_data(&l->conv, net->dy, w, dx);
    compare(l, "dx", net->dx, dx, net->x_count, bound);
    ref_conv2d_bwd_weights(&l->conv, net->x, net->dy, dw);
    compare(l, "dweight", got, dw, w_count, weights_bound);
    free(got);
    free(dw);
    free(dx);
    if (!l->bias) return;
    double *db = paced_alloc((size_t)l->conv.k, sizeof *db);
    got = net_read_param_grad(net, "conv.bias");
    ref_conv2d_bwd_bias(&l->conv, net->dy, db);
    compare(l, "dbias", got, db, (size_t)l->conv.k, BIAS_BOUND);
    free(got);
    free(db);
}

/* weights_bound: of the gradient of the weights. */
static void check_layer_within(const struct layer *l, double bound, double weights_bound) {
    const struct ref_conv *v = &l->conv;
    struct net net = net_start(v->x.h, v->x.w, v->x.c);
    net_run(&net,
            paced_conv2d(net.graph, "conv", net.input,
                         (struct paced_conv){v->k, v->kernel, v->stride, v->pad, v->dilation, l->bias, false}),
            v->x.n);
    assert_int_equal(net.y_count, ref_count(ref_conv2d_shape(v)));
    float *w = net_read_param(&net, "conv.weight"), *bias = l->bias ? net_read_param(&net, "conv.bias") : NULL;
    double *y = paced_alloc(net.y_count, sizeof *y);
    ref_conv2d_fwd(v, net.x, w, bias, y);
    compare(l, "y", net.y, y, net.y_count, bound);
    check_gradients(l, &net, w, bound, weights_bound);
    free(y);
    free(bias);
    free(w);
    net_finish(&net);
}

static void check_layer(const struct layer *l, double bound) {
    check_layer_within(l, bound, bound);
}

static void test_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(layers); ++i)
        if (layers[i].small || !harness_is_small()) check_layer(&layers[i], BOUND);
}

/* Every algorithm at sides and channels around its tiles and vectors: all pairs of sides, and of channels and filters.
 * The environment variable forces the algorithm. */
static void check_pairs(const char *name, const int channels[6], double bound, double weights_bound) {
    static const int sides[] = {1, 15, 16, 17, 31, 33};
    assert_int_equal(setenv("PACED_CONV", name, 1), 0);
    for (int i = 0; i < 6; ++i)
        for (int j = 0; j < 6; ++j) {
            int h = sides[i], w = sides[j], n = 1 + (i + j) % 3, pad = (i + 2 * j) % 3;
            if (pad == 0 && (h == 1 || w == 1)) pad = 1;
            struct layer l = {{{n, h, w, channels[(i + j) % 6]}, channels[(i + 2 * j) % 6], 3, 1, pad, 1},
                              i % 2 == 0,
                              h * w < 17 && (i + j) % 6 < 4};
            if (l.small || !harness_is_small()) check_layer_within(&l, bound, weights_bound);
        }
    unsetenv("PACED_CONV");
}

static void check_algorithm(const char *name, double bound) {
    static const int channels[] = {1, 2, 3, 16, 17, 48};
    check_pairs(name, channels, bound, bound);
}

static void test_im2col(void **state) {
    (void)state;
    check_algorithm("im2col", 1e-6);
}

static void test_winograd2(void **state) {
    (void)state;
    check_algorithm("winograd2", 1e-6);
}

static void test_winograd4(void **state) {
    (void)state;
    check_algorithm("winograd4", 4e-6);
}

/* Dilated convolutions, split into dense ones: some, all or none of these have one output more than the others, some
 * have none; padding below, at and above the dilation. */
static void check_dilated(const char *name, double bound) {
    static const int sides[] = {1, 7, 16, 28}, dilations[] = {2, 3, 4, 6, 18}, channels[] = {1, 3, 16, 17};
    assert_int_equal(setenv("PACED_CONV", name, 1), 0);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 5; ++j) {
            int h = sides[i], w = sides[(i + j) % 4], d = dilations[j], least = h < w ? h : w;
            int pad = d + (i + j) % 3 - 1;
            if (2 * pad + least < 2 * d + 1) pad = d;
            struct layer l = {{{1 + j % 2, h, w, channels[(i + j) % 4]}, channels[(i + 3 * j) % 4], 3, 1, pad, d},
                              i % 2 == 0,
                              i == 0 && j > 0 && h * w < 8};
            if (l.small || !harness_is_small()) check_layer(&l, bound);
        }
    unsetenv("PACED_CONV");
}

static void test_dilated(void **state) {
    (void)state;
    check_dilated("winograd2", 1e-6);
    check_dilated("winograd4", 4e-6);
}

/* Kept tiles, which take whole vectors of channels: sides and channels around tiles, vectors and blocks. With shorter
 * vectors or a smaller local memory, such as a simulator's, F(4x4) replaces some of them. It also computes the gradient
 * of the weights. */
static void test_kept(void **state) {
    (void)state;
    enum { ENOUGH_BYTES = 128 << 10 };
    static const int channels[] = {16, 32, 48, 64, 80, 16};
    const struct paced_device_info *info = paced_device_info(harness_device);
    if (info->variant != PACED_VARIANT_CPU) skip();
    bool all_kept = info->local_bytes >= ENOUGH_BYTES && paced_device_vector(harness_device, 16) == 16;
    double small_tiles = all_kept ? 1e-6 : 4e-6;
    check_pairs("kept2", channels, small_tiles, 4e-6);
    check_pairs("kept4", channels, 4e-6, 4e-6);
    check_dilated("kept2", small_tiles);
    check_dilated("kept4", 4e-6);
}

/* More channels than a block of weights or a slice, and more pixels than a chunk of tiles. */
static void test_blocks(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    static const struct layer wide = {{{1, 5, 6, 208}, 400, 3, 1, 1, 1}, true, false},
                              large = {{{3, 63, 61, 208}, 16, 3, 1, 1, 1}, false, false};
    static const char *const algorithms[] = {"winograd4", "kept4"};
    for (size_t i = 0; i < PACED_COUNT(algorithms); ++i) {
        setenv("PACED_CONV", algorithms[i], 1);
        check_layer(&wide, 4e-6);
        check_layer(&large, 4e-6);
    }
    unsetenv("PACED_CONV");
}

/* Runs a step of `n` samples in memory for eight, on a device of that many bytes; false if it is refused. */
static bool step_within(uint64_t bytes, int n) {
    const struct paced_device_options options = {.select = "auto", .memory_limit_bytes = bytes};
    struct paced_device *device;
    assert_ok(paced_device_open(&device, &options));
    struct paced_graph *graph = paced_graph_create();
    struct paced_tensor *x = paced_graph_input(graph, "x", (struct paced_shape){16, 16, 512});
    x->needs_grad = true;
    paced_graph_output(graph, paced_conv2d(graph, "conv", x, (struct paced_conv){592, 3, 1, 1, 1, true, false}));
    struct paced_exec *exec = NULL;
    struct capture capture;
    capture_start(&capture);
    enum paced_err created = paced_exec_create(&exec, graph, device, 8, PACED_TRAINING, PACED_PRECISION_FLOAT32);
    capture_end(&capture);
    if (created == PACED_OK) {
        assert_ok(paced_exec_init_params(exec, 1));
        assert_ok(paced_exec_forward(exec, n, true));
        assert_ok(paced_exec_backward(exec));
        assert_ok(paced_device_finish(device));
    }
    paced_exec_destroy(exec);
    paced_graph_destroy(graph);
    paced_device_close(device);
    return created == PACED_OK;
}

/* A plan for a whole batch also works for a smaller one, however little memory there is: also if the transformed
 * weights of all blocks fit with the few tiles of the smaller batch, but not with those of the whole one. */
static void test_smaller_batches(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    setenv("PACED_CONV", "winograd4", 1);
    int fitting = 0;
    for (uint64_t mib = 50; mib <= 140; mib += 10)
        for (int n = 1; n <= 8; n += 7) fitting += step_within(mib << 20, n);
    unsetenv("PACED_CONV");
    assert_true(fitting > 0 && fitting < 10 * 2); /* some of the limits were too low */
}

/* In inference a layer caches its transformed weights; another algorithm must not use them. */
static void test_kept_weights(void **state) {
    (void)state;
    static const char *const algorithms[] = {"winograd4", "winograd2", "winograd4", "im2col", "winograd2"};
    struct paced_graph *graph = paced_graph_create();
    struct paced_tensor *x = paced_graph_input(graph, "x", (struct paced_shape){9, 8, 3});
    paced_graph_output(graph, paced_conv2d(graph, "conv", x, (struct paced_conv){5, 3, 1, 1, 1, true, false}));
    struct paced_exec *exec;
    assert_ok(paced_exec_create(&exec, graph, harness_device, 1, PACED_INFERENCE, PACED_PRECISION_FLOAT32));
    float *values = uniform("x", 9 * 8 * 3), *first = NULL;
    double *want = paced_alloc(9 * 8 * 5, sizeof *want);
    for (int seed = 1; seed <= 2; ++seed) {
        assert_ok(paced_exec_init_params(exec, (uint64_t)seed));
        for (size_t i = 0; i < PACED_COUNT(algorithms); ++i) {
            setenv("PACED_CONV", algorithms[i], 1);
            assert_ok(paced_buffer_write(paced_exec_input(exec), values, 9 * 8 * 3 * sizeof *values));
            assert_ok(paced_exec_forward(exec, 1, false));
            float *y = read_floats(paced_exec_output(exec), 9 * 8 * 5);
            for (int k = 0; k < 9 * 8 * 5 && i == 0; ++k) want[k] = (double)y[k];
            assert_close(algorithms[i], y, want, 9 * 8 * 5, BOUND);
            if (seed == 2 && i == 0) assert_memory_not_equal(y, first, 9 * 8 * 5 * sizeof *y);
            if (seed == 1 && i == 0)
                first = y;
            else
                free(y);
        }
    }
    unsetenv("PACED_CONV");
    free(first);
    free(want);
    free(values);
    paced_exec_destroy(exec);
    paced_graph_destroy(graph);
}

/* The first layer of a network needs no gradient of the image. */
static void test_without_input_gradient(void **state) {
    (void)state;
    static const struct layer l = {{{1, 5, 4, 3}, 2, 3, 1, 1, 1}, true, true};
    struct net net = net_start(5, 4, 3);
    net.input->needs_grad = false;
    net_run(&net, paced_conv2d(net.graph, "conv", net.input, (struct paced_conv){2, 3, 1, 1, 1, true, false}), 1);
    float *got = net_read_param_grad(&net, "conv.weight");
    double dw[2 * 9 * 3];
    ref_conv2d_bwd_weights(&l.conv, net.x, net.dy, dw);
    compare(&l, "dweight", got, dw, PACED_COUNT(dw), BOUND);
    free(got);
    net_finish(&net);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_layers),       cmocka_unit_test(test_im2col),
    cmocka_unit_test(test_winograd2),    cmocka_unit_test(test_winograd4),
    cmocka_unit_test(test_kept),         cmocka_unit_test(test_dilated),
    cmocka_unit_test(test_blocks),       cmocka_unit_test(test_without_input_gradient),
    cmocka_unit_test(test_kept_weights), cmocka_unit_test(test_smaller_batches),
};
HARNESS_MAIN(tests)
