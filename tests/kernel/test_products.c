/* Products of bfloat16, for each kind that the device has: alone, and in the convolutions of mixed precision, against
 * plain loops. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

/* Opens the device anew with products of at most that kind; false if it has no such products. */
static bool use_products(enum paced_products wanted) {
    enum paced_products found;
    setenv("PACED_PRODUCTS", paced_products_name(wanted), 1);
    harness_reopen();
    assert_ok(paced_device_products(harness_device, &found));
    if (found == wanted) return true;
    print_message("skipped: the device has no products of bfloat16 by %s\n", paced_products_name(wanted));
    return false;
}

/* ---- the product alone ----------------------------------------------------------------------------------------- */

/* Integers that bfloat16 represents, whose sums of products float represents. */
static float small_integer(uint64_t i) {
    return (float)((i * 2654435761u >> 7) % 17) - 8;
}

static uint16_t bfloat16_of(float x) {
    union {
        float value;
        uint32_t bits;
    } u = {x};
    return (uint16_t)(u.bits >> 16);
}

static struct paced_buffer *buffer_of(const void *values, uint64_t bytes, enum paced_format format,
                                      struct paced_buffer **whole) {
    struct paced_buffer *view;
    assert_ok(paced_buffer_create(whole, harness_device, bytes));
    assert_ok(paced_buffer_write(*whole, values, bytes));
    assert_ok(paced_buffer_view_as(&view, *whole, 0, bytes, format));
    return view;
}

struct size {
    int batch, m, n, k;
};

/* Element (row, column) of matrix `index` of a and b. */
static float element_of_a(const struct size *s, int index, int row, int k) {
    return small_integer((((uint64_t)index * (uint64_t)s->m) + (uint64_t)row) * (uint64_t)s->k + (uint64_t)k);
}
static float element_of_b(const struct size *s, int index, int k, int column) {
    return small_integer(77 + (((uint64_t)index * (uint64_t)s->k) + (uint64_t)k) * (uint64_t)s->n + (uint64_t)column);
}

static float expected(const struct size *s, int index, int row, int column) {
    float sum = 0;
    for (int k = 0; k < s->k; ++k) sum += element_of_a(s, index, row, k) * element_of_b(s, index, k, column);
    return sum;
}

static uint16_t *operand_a(const struct size *s) {
    uint16_t *a = paced_alloc((size_t)(s->batch * s->m * s->k), sizeof *a), *to = a;
    for (int i = 0; i < s->batch; ++i)
        for (int row = 0; row < s->m; ++row)
            for (int k = 0; k < s->k; ++k) *to++ = bfloat16_of(element_of_a(s, i, row, k));
    return a;
}

static uint16_t *operand_b(const struct size *s, int panel) {
    uint16_t *b = paced_alloc((size_t)(s->batch * s->k * s->n), sizeof *b), *to = b;
    for (int i = 0; i < s->batch; ++i)
        for (int from = 0; from < s->n; from += panel)
            for (int k = 0; k < s->k; k += 2)
                for (int column = from; column < s->n && column < from + panel; ++column)
                    for (int odd = 0; odd < 2; ++odd) *to++ = bfloat16_of(element_of_b(s, i, k + odd, column));
    return b;
}

static void check_product(enum paced_products products, const struct size *s, int panel, float beta) {
    size_t count = (size_t)(s->batch * s->m * s->n);
    uint16_t *a = operand_a(s), *b = operand_b(s, panel);
    float *c = uniform("c", count);
    for (size_t i = 0; i < count; ++i) c[i] = floorf(10 * c[i]);
    struct paced_buffer *whole[3];
    struct paced_buffer *on_device[] = {buffer_of(a, (uint64_t)(s->batch * s->m * s->k) * 2, PACED_BFLOAT16, &whole[0]),
                                        buffer_of(b, (uint64_t)(s->batch * s->k * s->n) * 2, PACED_BFLOAT16, &whole[1]),
                                        buffer_of(c, count * 4, PACED_FLOAT32, &whole[2])};
    assert_ok(paced_multiply_bfloat16(harness_device, products, s->batch, s->m, s->n, s->k, panel, on_device[0],
                                      on_device[1], beta, on_device[2]));
    float *got = read_floats(on_device[2], count);
    for (int i = 0; i < s->batch; ++i)
        for (int row = 0; row < s->m; ++row)
            for (int column = 0; column < s->n; ++column) {
                size_t at = (size_t)((i * s->m + row) * s->n + column);
                float want = expected(s, i, row, column) + beta * c[at];
                if (got[at] == want) continue;
                print_error("%d x (%d, %d, %d), panels of %d: element %zu is %g, not %g\n", s->batch, s->m, s->n, s->k,
                            panel, at, (double)got[at], (double)want);
                fail();
            }
    for (int i = 0; i < 3; ++i) {
        paced_buffer_destroy(on_device[i]);
        paced_buffer_destroy(whole[i]);
    }
    free(got);
    free(c);
    free(b);
    free(a);
}

static void check_products(enum paced_products products) {
    static const struct size sizes[] = {
        {1, 16, 16, 32}, {2, 32, 32, 32}, {3, 48, 80, 64}, {4, 64, 48, 224}, {1, 144, 304, 1056}};
    for (size_t i = 0; i < PACED_COUNT(sizes); ++i) {
        for (int beta = 0; beta < 2; ++beta) {
            check_product(products, &sizes[i], sizes[i].n, (float)beta);
            check_product(products, &sizes[i], PACED_PANEL, (float)beta);
        }
    }
}

/* ---- in convolutions ------------------------------------------------------------------------------------------- */

struct layer {
    struct ref_conv conv;
    bool bias, small; /* small: also runs on slow simulators */
};

/* Sides around tiles; channels and filters around vectors, pairs of vectors and blocks; a dilation. */
static const struct layer layers[] = {
    {{{1, 3, 5, 16}, 16, 3, 1, 1, 1}, true, true},     {{{2, 15, 16, 16}, 16, 3, 1, 1, 1}, true, false},
    {{{1, 17, 4, 32}, 48, 3, 1, 1, 1}, false, false},  {{{3, 9, 31, 48}, 80, 3, 1, 0, 1}, true, false},
    {{{1, 16, 16, 144}, 64, 3, 1, 2, 1}, true, false}, {{{2, 13, 14, 32}, 32, 3, 1, 2, 2}, false, false},
};

/* For patches: strides, dilations, an odd kernel size, channels and filters that are no whole vectors; chunks of
 * pixels; 1x1, where x itself is the matrix of all or of some chunks. */
static const struct layer any_layers[] = {
    {{{2, 33, 31, 3}, 16, 7, 2, 3, 1}, true, false},   {{{1, 15, 17, 16}, 17, 3, 2, 1, 1}, false, false},
    {{{2, 13, 9, 5}, 3, 3, 1, 2, 2}, true, false},     {{{1, 16, 15, 40}, 24, 3, 2, 4, 4}, false, false},
    {{{3, 16, 16, 64}, 32, 1, 1, 0, 1}, true, false},  {{{1, 9, 7, 32}, 33, 1, 1, 0, 1}, false, false},
    {{{2, 9, 7, 48}, 16, 1, 2, 0, 1}, true, false},    {{{1, 4, 5, 6}, 10, 5, 1, 2, 1}, false, true},
    {{{2, 60, 60, 3}, 5, 3, 1, 1, 1}, true, false},    {{{3, 14, 14, 512}, 48, 3, 1, 1, 1}, false, false},
    {{{1, 64, 64, 96}, 16, 1, 1, 0, 1}, false, false},
};

/* Relative L2 error. Rounding of the operands in the plain sum costs 2.6e-3, in F(2x2) 4e-3 and in F(4x4) 1.2e-2; the
 * results and the gradient dy are stored in bfloat16, too. */
enum { VALUE, DATA, WEIGHTS, RESULTS };
static const double PLAIN = 4e-3, SMALL_TILES = 5e-3, LARGE_TILES = 1.5e-2;

static void compare(const struct layer *l, const char *what, const float *got, const double *want, size_t count,
                    double bound) {
    char text[128];
    snprintf(text, sizeof text, "%s of %d x %dx%dx%d -> %d", what, l->conv.x.n, l->conv.x.h, l->conv.x.w, l->conv.x.c,
             l->conv.k);
    assert_close(text, got, want, count, bound);
}

static void check_layer(const struct layer *l, const double bounds[RESULTS]) {
    const struct ref_conv *v = &l->conv;
    struct net net = net_start(v->x.h, v->x.w, v->x.c);
    net.precision = PACED_PRECISION_MIXED;
    net_run(&net,
            paced_conv2d(net.graph, "conv", net.input,
                         (struct paced_conv){v->k, v->kernel, v->stride, v->pad, v->dilation, l->bias, false}),
            v->x.n);
    float *w = net_read_param(&net, "conv.weight"), *bias = l->bias ? net_read_param(&net, "conv.bias") : NULL;
    float *dw = net_read_param_grad(&net, "conv.weight");
    size_t w_count = net_param(&net, "conv.weight")->count;
    double *y = paced_alloc(net.y_count, sizeof *y), *dx = paced_alloc(net.x_count, sizeof *dx),
           *want_dw = paced_alloc(w_count, sizeof *want_dw);
    ref_conv2d_fwd(v, net.x, w, bias, y);
    ref_conv2d_bwd_data(v, net.dy, w, dx);
    ref_conv2d_bwd_weights(v, net.x, net.dy, want_dw);
    compare(l, "y", net.y, y, net.y_count, bounds[VALUE]);
    compare(l, "dx", net.dx, dx, net.x_count, bounds[DATA]);
    compare(l, "dweight", dw, want_dw, w_count, bounds[WEIGHTS]);
    free(want_dw);
    free(dx);
    free(y);
    free(dw);
    free(bias);
    free(w);
    net_finish(&net);
}

static void check_convolutions(void) {
    static const struct {
        const char *forced;
        double bounds[RESULTS];
    } cases[] = {{"kept2", {SMALL_TILES, SMALL_TILES, LARGE_TILES}},
                 {"kept4", {LARGE_TILES, LARGE_TILES, LARGE_TILES}},
                 {"winograd2", {PLAIN, PLAIN, SMALL_TILES}},
                 {"im2col", {PLAIN, PLAIN, PLAIN}}};
    for (size_t c = 0; c < (harness_is_small() ? 1 : PACED_COUNT(cases)); ++c) {
        setenv("PACED_CONV", cases[c].forced, 1);
        for (size_t i = 0; i < PACED_COUNT(layers); ++i)
            if (layers[i].small || !harness_is_small()) check_layer(&layers[i], cases[c].bounds);
    }
    static const double plain[] = {PLAIN, PLAIN, PLAIN};
    setenv("PACED_CONV", "im2col", 1);
    for (size_t i = 0; i < PACED_COUNT(any_layers); ++i)
        if (any_layers[i].small || !harness_is_small()) check_layer(&any_layers[i], plain);
    unsetenv("PACED_CONV");
}

static bool is_among(const char *name, const struct paced_kernel_time *times, size_t count) {
    for (size_t i = 0; i < count; ++i)
        if (strcmp(times[i].name, name) == 0) return true;
    return false;
}

/* The kernels that run are those that the bounds above are about. */
static void check_kernels(enum paced_products products) {
    struct paced_kernel_time *times;
    size_t count;
    struct net net = net_start(16, 16, 16);
    net.precision = PACED_PRECISION_MIXED;
    setenv("PACED_CONV", "kept4", 1);
    net_prepare(&net, paced_conv2d(net.graph, "conv", net.input, (struct paced_conv){16, 3, 1, 1, 1, true, false}), 1,
                1);
    assert_ok(paced_device_profile_start(harness_device));
    net_step(&net);
    assert_ok(paced_device_profile_stop(harness_device, &times, &count));
    unsetenv("PACED_CONV");
    assert_int_equal(is_among("products", times, count), products != PACED_PRODUCTS_FLOAT);
    if (products) assert_true(is_among("winograd_kept4", times, count));
    free(times);
    net_finish(&net);
}

static void check(enum paced_products products) {
    if (use_products(products)) {
        if (products) check_products(products);
        check_kernels(products);
        check_convolutions();
    }
    unsetenv("PACED_PRODUCTS");
}

static void test_float(void **state) {
    (void)state;
    check(PACED_PRODUCTS_FLOAT);
}

static void test_pairs(void **state) {
    (void)state;
    check(PACED_PRODUCTS_PAIRS);
}

static void test_tiles(void **state) {
    (void)state;
    check(PACED_PRODUCTS_TILES);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_float),
    cmocka_unit_test(test_pairs),
    cmocka_unit_test(test_tiles),
};
HARNESS_MAIN(tests)
