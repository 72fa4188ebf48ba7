/* Tensors stored as bfloat16, on the device against plain loops: the conversion itself, and every operation in mixed
 * precision, whose input, output and their gradients are bfloat16 here. Inputs are values that bfloat16 represents, so
 * each result must be the reference's, rounded once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

/* ---- numbers ------------------------------------------------------------------------------------------------- */

/* The nearest number of 8 binary digits; of two, the even one. */
static double rounded(double x) {
    int exponent;
    double fraction = frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8);
}

static float *representable(const char *name, size_t count) {
    float *values = uniform(name, count);
    for (size_t i = 0; i < count; ++i) values[i] = (float)rounded((double)values[i]);
    return values;
}

static double half_step(double x) {
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, exponent - 9);
}

/* Asserts that each element is representable and the nearest to `want`, up to the sum's own rounding error, `slack`
 * times the largest element. */
static void assert_rounded(const char *what, const float *got, const double *want, size_t count, double slack) {
    double largest = 0;
    for (size_t i = 0; i < count; ++i) largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < count; ++i) {
        double is = (double)got[i];
        if (is == rounded(is) && fabs(is - want[i]) <= half_step(want[i]) + slack * largest) continue;
        print_error("%s: element %zu of %zu is %.9g, not %.9g rounded\n", what, i, count, is, want[i]);
        fail();
    }
}

/* ---- conversion ---------------------------------------------------------------------------------------------- */

/* The bits of floats, and of the bfloat16 that each becomes. */
static const struct {
    uint32_t bits;
    uint16_t stored;
} conversions[] = {
    {0x00000000, 0x0000}, {0x80000000, 0x8000}, {0x3f800000, 0x3f80}, {0xc2f70000, 0xc2f7},
    {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81}, {0x3f817fff, 0x3f81}, /* ties go to even */
    {0x3fffffff, 0x4000}, {0xbf7fffff, 0xbf80},                                             /* the exponent grows */
    {0x7f7f7fff, 0x7f7f}, {0x7f7fffff, 0x7f80}, {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, /* infinities */
    {0x7fc00000, 0x7fe0}, {0xff800001, 0xffc0},                                             /* NaN */
};
enum { CONVERSIONS = 16 };

/* Copies between two buffers by a kernel; each has the format of its view. */
static void copy(struct paced_buffer *from, struct paced_buffer *to, int vec) {
    int vectors = CONVERSIONS / vec;
    assert_ok(PACED_LAUNCH(harness_device, PACED_KERNEL_FOR(concat, concat_copy, to, from),
                           paced_range_pixels(1, (uint32_t)vectors), vec, 1, vectors, vectors, 0, vectors, 0, from,
                           0.0f, to));
}

static void check_conversions(struct paced_buffer *wide, struct paced_buffer *narrow, int vec) {
    uint32_t bits[CONVERSIONS], back[CONVERSIONS];
    uint16_t stored[CONVERSIONS];
    for (size_t i = 0; i < CONVERSIONS; ++i) bits[i] = conversions[i].bits;
    assert_ok(paced_buffer_write(wide, bits, sizeof bits));
    copy(wide, narrow, vec);
    assert_ok(paced_buffer_read(narrow, stored, sizeof stored));
    copy(narrow, wide, vec);
    assert_ok(paced_buffer_read(wide, back, sizeof back));
    for (size_t i = 0; i < CONVERSIONS; ++i) {
        assert_int_equal(stored[i], conversions[i].stored);
        assert_int_equal(back[i], (uint32_t)conversions[i].stored << 16);
    }
}

static void test_conversion(void **state) {
    (void)state;
    struct paced_buffer *wide, *whole, *narrow;
    assert_int_equal(PACED_COUNT(conversions), CONVERSIONS);
    assert_ok(paced_buffer_create(&wide, harness_device, CONVERSIONS * sizeof(float)));
    assert_ok(paced_buffer_create(&whole, harness_device, CONVERSIONS * sizeof(uint16_t)));
    assert_ok(paced_buffer_view_as(&narrow, whole, 0, CONVERSIONS * sizeof(uint16_t), PACED_BFLOAT16));
    assert_int_equal(paced_buffer_format(whole), PACED_FLOAT32);
    assert_int_equal(paced_buffer_format(narrow), PACED_BFLOAT16);
    for (int vec = 1; vec <= 16; vec *= 2) check_conversions(wide, narrow, vec);
    paced_buffer_destroy(narrow);
    paced_buffer_destroy(whole);
    paced_buffer_destroy(wide);
}

/* The host converts as kernels do; a NaN of low bits alone stays one. */
static void test_host(void **state) {
    (void)state;
    struct paced_buffer *whole, *narrow;
    float values[CONVERSIONS], nan;
    uint16_t stored[CONVERSIONS];
    const uint32_t low = 0x7f800001;
    assert_ok(paced_buffer_create(&whole, harness_device, sizeof stored));
    assert_ok(paced_buffer_view_as(&narrow, whole, 0, sizeof stored, PACED_BFLOAT16));
    for (size_t i = 0; i < CONVERSIONS; ++i) memcpy(&values[i], &conversions[i].bits, sizeof values[i]);
    assert_ok(paced_buffer_write_floats(narrow, values, CONVERSIONS));
    assert_ok(paced_buffer_read(narrow, stored, sizeof stored));
    for (size_t i = 0; i < CONVERSIONS; ++i) assert_int_equal(stored[i], conversions[i].stored);
    memcpy(&nan, &low, sizeof nan);
    assert_ok(paced_buffer_write_floats(narrow, &nan, 1));
    assert_ok(paced_buffer_read_floats(narrow, &nan, 1));
    assert_true(isnan(nan));
    paced_buffer_destroy(narrow);
    paced_buffer_destroy(whole);
}

/* ---- operations ---------------------------------------------------------------------------------------------- */

/* A network of one operation, and the reference's results for its input and its output's gradient. */
struct trial {
    struct net net;
    struct ref_shape x;
    double *y, *dx;
};

static struct trial start(struct ref_shape x) {
    struct trial t = {net_start(x.h, x.w, x.c), x, NULL, NULL};
    t.net.precision = PACED_PRECISION_MIXED;
    return t;
}

static void run(struct trial *t, struct paced_tensor *output) {
    size_t count = (size_t)t->x.n * paced_shape_count(output->shape);
    t->net.x = representable("x", ref_count(t->x));
    t->net.dy = representable("dy", count);
    net_run(&t->net, output, t->x.n);
    assert_int_equal(paced_buffer_format(paced_exec_output(t->net.exec)), PACED_BFLOAT16);
    assert_int_equal(paced_buffer_format(paced_exec_grad(t->net.exec, t->net.input)), PACED_BFLOAT16);
    t->y = paced_alloc(count, sizeof *t->y);
    t->dx = paced_alloc(t->net.x_count, sizeof *t->dx);
}

static void finish(struct trial *t, const char *name, double slack) {
    char text[96];
    snprintf(text, sizeof text, "y of %s, %d x %dx%dx%d", name, t->x.n, t->x.h, t->x.w, t->x.c);
    assert_rounded(text, t->net.y, t->y, t->net.y_count, slack);
    text[0] = 'd'; /* "d of ...": the gradient of the input */
    assert_rounded(text, t->net.dx, t->dx, t->net.x_count, slack);
    free(t->y);
    free(t->dx);
    net_finish(&t->net);
}

/* Sums of a few float32 numbers. */
static const double SLACK = 1e-6;

static void check_relu(struct ref_shape x) {
    struct trial t = start(x);
    run(&t, paced_relu(t.net.graph, t.net.input));
    ref_relu_fwd(t.net.x_count, t.net.x, t.y);
    ref_relu_bwd(t.net.x_count, t.net.x, t.net.dy, t.dx);
    finish(&t, "relu", 0);
}

/* The gradient of the input is written by one reader, rounded, and then added to by the other. */
static void check_add(struct ref_shape x) {
    struct trial t = start(x);
    run(&t, paced_add(t.net.graph, t.net.input, paced_relu(t.net.graph, t.net.input), true));
    for (size_t i = 0; i < t.net.x_count; ++i) {
        double value = (double)t.net.x[i], grad = (double)t.net.dy[i];
        t.y[i] = value > 0 ? 2 * value : 0;
        t.dx[i] = value > 0 ? 2 * grad : 0;
    }
    finish(&t, "add", 0);
}

static void check_max_pool(struct ref_shape x, int kernel, int stride, int pad) {
    if (x.h + 2 * pad < kernel || x.w + 2 * pad < kernel) return;
    struct trial t = start(x);
    struct ref_pool pool = {x, kernel, stride, pad};
    run(&t, paced_max_pool(t.net.graph, t.net.input, kernel, stride, pad));
    ref_max_pool_fwd(&pool, t.net.x, t.y);
    ref_max_pool_bwd(&pool, t.net.x, t.net.dy, t.dx);
    finish(&t, "max_pool", SLACK);
}

static void check_upsample(struct ref_shape x, int factor) {
    struct trial t = start(x);
    run(&t, paced_upsample(t.net.graph, t.net.input, factor));
    ref_upsample_fwd(x, factor, t.net.x, t.y);
    ref_upsample_bwd(x, factor, t.net.dy, t.dx);
    finish(&t, "upsample", SLACK);
}

static void check_resize(struct ref_shape x, int h, int w) {
    struct trial t = start(x);
    const struct paced_tensor like = {.shape = {h, w, 1}};
    run(&t, paced_resize(t.net.graph, t.net.input, &like));
    ref_resize_fwd(x, h, w, t.net.x, t.y);
    ref_resize_bwd(x, h, w, t.net.dy, t.dx);
    finish(&t, "resize", SLACK);
}

static void check_pad_or_crop(struct ref_shape x, int h, int w) {
    struct trial t = start(x);
    const struct paced_tensor like = {.shape = {h, w, 1}};
    run(&t, paced_pad_or_crop(t.net.graph, t.net.input, &like));
    ref_fit_fwd(x, h, w, t.net.x, t.y);
    ref_fit_bwd(x, h, w, t.net.dy, t.dx);
    finish(&t, "pad_or_crop", 0);
}

static void check_concat(struct ref_shape x) {
    struct trial t = start(x);
    size_t pixels = (size_t)(x.n * x.h * x.w);
    run(&t, paced_concat(t.net.graph, t.net.input, paced_relu(t.net.graph, t.net.input)));
    float *b = paced_alloc(t.net.x_count, sizeof *b);
    double *db = paced_alloc(t.net.x_count, sizeof *db);
    for (size_t i = 0; i < t.net.x_count; ++i) b[i] = t.net.x[i] > 0 ? t.net.x[i] : 0;
    ref_concat_fwd(pixels, x.c, x.c, t.net.x, b, t.y);
    ref_concat_bwd(pixels, x.c, x.c, t.net.dy, t.dx, db);
    for (size_t i = 0; i < t.net.x_count; ++i) t.dx[i] += t.net.x[i] > 0 ? db[i] : 0;
    free(b);
    free(db);
    finish(&t, "concat", SLACK);
}

static void check_global_pool(struct ref_shape x) {
    struct trial t = start(x);
    run(&t, paced_global_pool(t.net.graph, t.net.input));
    ref_global_pool_fwd(x, t.net.x, t.y);
    ref_global_pool_bwd(x, t.net.dy, t.dx);
    finish(&t, "global_pool", 1e-5); /* signed sums, which cancel */
}

static void check_broadcast(struct ref_shape plane) {
    struct trial t = start((struct ref_shape){plane.n, 1, 1, plane.c});
    const struct paced_tensor like = {.shape = {plane.h, plane.w, 1}};
    run(&t, paced_broadcast(t.net.graph, t.net.input, &like));
    ref_broadcast_fwd(plane, t.net.x, t.y);
    ref_broadcast_bwd(plane, t.net.dy, t.dx);
    finish(&t, "broadcast", 1e-5);
}

/* Parameters and their gradients are float32. */
static void compare_param(const struct net *net, const char *name, const double *want, double bound) {
    size_t count = net_param(net, name)->count;
    float *got = net_read_param_grad(net, name);
    assert_close(name, got, want, count, bound);
    free(got);
}

static void check_batch_norm(struct ref_shape x, bool relu) {
    if (x.n * x.h * x.w == 1) return; /* one value has no variance */
    struct trial t = start(x);
    run(&t, paced_batch_norm(t.net.graph, "bn", t.net.input, relu));
    float *weight = net_read_param(&t.net, "bn.weight"), *bias = net_read_param(&t.net, "bn.bias");
    struct ref_norm norm = {x, relu, weight, bias};
    size_t channels = (size_t)x.c;
    double *mean = paced_alloc(channels, sizeof *mean), *var = paced_alloc(channels, sizeof *var),
           *dweight = paced_alloc(channels, sizeof *dweight), *dbias = paced_alloc(channels, sizeof *dbias);
    ref_batch_norm_statistics(x, t.net.x, mean, var);
    ref_batch_norm_fwd(&norm, t.net.x, mean, var, t.y);
    ref_batch_norm_bwd(&norm, t.net.x, t.net.dy, mean, var, t.dx, dweight, dbias);
    compare_param(&t.net, "bn.weight", dweight, 1e-5);
    compare_param(&t.net, "bn.bias", dbias, 1e-5);
    free(mean);
    free(var);
    free(dweight);
    free(dbias);
    free(weight);
    free(bias);
    finish(&t, relu ? "batch_norm with ReLU" : "batch_norm", 1e-5);
}

static void check_conv2d(const char *algorithm, const struct ref_conv *v) {
    struct trial t = start(v->x);
    assert_int_equal(setenv("PACED_CONV", algorithm, 1), 0);
    run(&t, paced_conv2d(t.net.graph, "conv", t.net.input,
                         (struct paced_conv){v->k, v->kernel, v->stride, v->pad, v->dilation, true, false}));
    float *w = net_read_param(&t.net, "conv.weight"), *bias = net_read_param(&t.net, "conv.bias");
    double *dw = paced_alloc(net_param(&t.net, "conv.weight")->count, sizeof *dw),
           *dbias = paced_alloc((size_t)v->k, sizeof *dbias);
    ref_conv2d_fwd(v, t.net.x, w, bias, t.y);
    ref_conv2d_bwd_data(v, t.net.dy, w, t.dx);
    ref_conv2d_bwd_weights(v, t.net.x, t.net.dy, dw);
    ref_conv2d_bwd_bias(v, t.net.dy, dbias);
    compare_param(&t.net, "conv.weight", dw, 1e-5);
    compare_param(&t.net, "conv.bias", dbias, 1e-4);
    free(w);
    free(bias);
    free(dw);
    free(dbias);
    finish(&t, algorithm, 1e-5);
    unsetenv("PACED_CONV");
}

/* Without a bias, which would be rounded in y before the products are added. */
static void check_conv_transpose2d(const struct ref_conv_transpose *v) {
    struct trial t = start(v->x);
    run(&t, paced_conv_transpose2d(
                t.net.graph, "conv", t.net.input,
                (struct paced_conv_transpose){v->k, v->kernel, v->stride, v->pad, v->output_pad, false}));
    float *w = net_read_param(&t.net, "conv.weight");
    double *dw = paced_alloc(net_param(&t.net, "conv.weight")->count, sizeof *dw);
    ref_conv_transpose2d_fwd(v, t.net.x, w, NULL, t.y);
    ref_conv_transpose2d_bwd_data(v, t.net.dy, w, t.dx);
    ref_conv_transpose2d_bwd_weights(v, t.net.x, t.net.dy, dw);
    compare_param(&t.net, "conv.weight", dw, 1e-5);
    free(w);
    free(dw);
    finish(&t, "conv_transpose2d", 1e-5);
}

/* ---- sizes --------------------------------------------------------------------------------------------------- */

/* Sides around tiles, channels around vectors. The first few also run on slow simulators. */
static const struct ref_shape shapes[] = {{2, 3, 2, 3},   {1, 2, 5, 16},  {1, 1, 1, 1},
                                          {1, 2, 3, 17},  {2, 15, 16, 2}, {1, 17, 31, 16},
                                          {3, 1, 33, 48}, {1, 33, 17, 8}, {1, 260, 131, 4}};
enum { SMALL_SHAPES = 2 };

static size_t shape_count(void) {
    return harness_is_small() ? SMALL_SHAPES : PACED_COUNT(shapes);
}

static void test_moves(void **state) {
    (void)state;
    for (size_t i = 0; i < shape_count(); ++i) {
        const struct ref_shape x = shapes[i];
        check_relu(x);
        check_add(x);
        if (!harness_is_small()) check_max_pool(x, 2, 2, 0);
        check_max_pool(x, 3, 2, 1);
        check_upsample(x, 2);
        check_resize(x, x.h + 2, (x.w + 1) / 2);
        check_pad_or_crop(x, x.h + 1, x.w > 2 ? x.w - 1 : x.w + 3);
        check_concat(x);
    }
}

static void test_sums(void **state) {
    (void)state;
    for (size_t i = 0; i < shape_count(); ++i) {
        check_global_pool(shapes[i]);
        check_broadcast(shapes[i]);
        check_batch_norm(shapes[i], false);
        check_batch_norm(shapes[i], true);
    }
}

/* Products of float, whose results are exact enough; test_products.c checks those of bfloat16. */
static void test_convolutions(void **state) {
    (void)state;
    setenv("PACED_PRODUCTS", "float", 1);
    harness_reopen();
    static const struct {
        const char *algorithm;
        struct ref_conv conv;
        bool small;
    } layers[] = {
        {"im2col", {{1, 3, 4, 2}, 3, 3, 1, 1, 1}, true},
        {"winograd2", {{1, 3, 4, 16}, 16, 3, 1, 1, 1}, false},
        {"winograd4", {{1, 5, 4, 2}, 3, 3, 1, 1, 1}, true},
        {"pointwise", {{2, 2, 3, 16}, 3, 1, 1, 0, 1}, true},
        {"im2col", {{2, 15, 17, 16}, 17, 3, 2, 1, 1}, false},
        {"im2col", {{2, 4, 8, 32}, 16, 1, 1, 0, 1}, false},
        {"im2col", {{3, 33, 33, 3}, 16, 7, 2, 3, 1}, false},
        {"winograd2", {{2, 15, 16, 17}, 48, 3, 1, 1, 1}, false},
        {"winograd2", {{1, 17, 31, 16}, 16, 3, 1, 2, 2}, false},
        {"winograd4", {{2, 16, 33, 32}, 48, 3, 1, 1, 1}, false},
        {"winograd4", {{1, 31, 15, 3}, 17, 3, 1, 1, 1}, false},
        {"winograd4", {{1, 17, 17, 16}, 2, 3, 1, 0, 1}, false},
        {"pointwise", {{1, 31, 33, 17}, 5, 1, 1, 0, 1}, false},
        {"pointwise", {{1, 16, 17, 64}, 2, 1, 1, 0, 1}, false},
    };
    for (size_t i = 0; i < PACED_COUNT(layers); ++i)
        if (layers[i].small || !harness_is_small()) check_conv2d(layers[i].algorithm, &layers[i].conv);
    static const struct ref_conv_transpose transposed[] = {{{2, 3, 4, 3}, 2, 3, 2, 1, 1},
                                                           {{1, 15, 16, 16}, 17, 3, 2, 1, 1},
                                                           {{2, 17, 15, 17}, 16, 3, 1, 1, 0},
                                                           {{1, 16, 15, 32}, 2, 2, 2, 0, 0}};
    for (size_t i = 0; i < (harness_is_small() ? 1 : PACED_COUNT(transposed)); ++i)
        check_conv_transpose2d(&transposed[i]);
}

/* ---- views --------------------------------------------------------------------------------------------------- */

static struct paced_tensor *conv_bn(struct net *net, const char *name, struct paced_tensor *x, int filters) {
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = paced_conv2d(net->graph, name, x, (struct paced_conv){filters, 3, 1, 1, 1, true, false});
    return paced_batch_norm(net->graph, bn, x, true);
}

/* Convolutions, pooling and a stored concatenation that read through views, between an input and an output of
 * float32. */
static struct net run_views(enum paced_precision precision, int h, int w) {
    struct net net = net_start(h, w, 3);
    struct paced_tensor *a = conv_bn(&net, "a", net.input, 16);
    struct paced_tensor *b = conv_bn(&net, "b", paced_max_pool(net.graph, a, 2, 2, 0), 3);
    struct paced_tensor *up = paced_pad_or_crop(net.graph, paced_upsample(net.graph, b, 2), a);
    struct paced_tensor *joined = paced_concat(net.graph, a, up);
    struct paced_tensor *three = paced_concat_all(net.graph, 3, (struct paced_tensor *[]){up, a, joined});
    struct paced_tensor *sum = paced_add(net.graph, conv_bn(&net, "c", joined, 5), conv_bn(&net, "d", three, 5), true);
    struct paced_tensor *y = paced_conv2d(net.graph, "e", sum, (struct paced_conv){3, 1, 1, 0, 1, true, false});
    paced_graph_output(net.graph, y);
    assert_ok(paced_exec_create(&net.exec, net.graph, harness_device, 2, PACED_TRAINING, precision));
    net.n = 2;
    net.x_count = 2 * paced_shape_count(net.input->shape);
    net.y_count = 2 * paced_shape_count(y->shape);
    net.x = uniform("x", net.x_count);
    net.dy = uniform("dy", net.y_count);
    net.y = paced_alloc(net.y_count, sizeof *net.y);
    net.dx = paced_alloc(net.x_count, sizeof *net.dx);
    net_set_params(&net);
    net_step(&net);
    return net;
}

static void compare_floats(const char *what, const float *got, const float *exact, size_t count, double bound) {
    double *want = paced_alloc(count, sizeof *want);
    for (size_t i = 0; i < count; ++i) want[i] = (double)exact[i];
    assert_close(what, got, want, count, bound);
    free(want);
}

/* Rounding of values changes the sign of some before a ReLU, and which is the largest of some windows; that moves whole
 * elements of the gradient. */
static void check_views(int h, int w) {
    struct net mixed = run_views(PACED_PRECISION_MIXED, h, w), exact = run_views(PACED_PRECISION_FLOAT32, h, w);
    assert_int_equal(paced_buffer_format(paced_exec_output(mixed.exec)), PACED_FLOAT32);
    compare_floats("y", mixed.y, exact.y, exact.y_count, 2e-2);
    compare_floats("dx", mixed.dx, exact.dx, exact.x_count, 0.2);
    net_finish(&mixed);
    net_finish(&exact);
}

static void test_views(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    check_views(4, 5);
    check_views(17, 32);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_conversion), cmocka_unit_test(test_host),         cmocka_unit_test(test_moves),
    cmocka_unit_test(test_sums),       cmocka_unit_test(test_convolutions), cmocka_unit_test(test_views),
};
HARNESS_MAIN(tests)
