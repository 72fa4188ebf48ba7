/* The SVLS kernel: half its weight at the true centre for any side and sigma, the rest a Gaussian. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "paced/distill.h"

enum { MAX_SIDE = 31 };

static void assert_about(double got, double want, double bound) {
    if (fabs(got - want) <= bound) return;
    print_error("%.9g is not %.9g within %.3g\n", got, want, bound);
    fail();
}

/* Kernel as constructed in the publication: a Gaussian with sum 1, whose centre is replaced by the sum of the others,
 * divided by the new sum. Underflows for small sigma. */
static void literal_kernel(double *g, int side, double sigma) {
    double sum = 0, others = 0;
    int count = side * side, centre = count / 2;
    for (int i = 0; i < count; ++i) {
        double dy = i / side - (side - 1) / 2.0, dx = i % side - (side - 1) / 2.0;
        sum += g[i] = exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)) / (2 * acos(-1) * sigma * sigma);
    }
    for (int i = 0; i < count; ++i) g[i] /= sum;
    for (int i = 0; i < count; ++i) others += i == centre ? 0 : g[i];
    g[centre] = others;
    for (int i = 0; i < count; ++i) g[i] /= 2 * others; /* sum of the others and the centre */
}

static void check(int side, double sigma) {
    float weights[MAX_SIDE * MAX_SIDE];
    paced_svls_kernel(weights, side, sigma);
    double sum = 0;
    for (int i = 0; i < side * side; ++i) {
        assert_true(weights[i] >= 0);
        assert_true(weights[i] == weights[side * side - 1 - i]);
        assert_true(weights[i] == weights[i % side * side + i / side]);
        sum += (double)weights[i];
    }
    assert_about(sum, 1, 1e-6);
    assert_true(weights[side * side / 2] == 0.5f);
    if (sigma < 0.1 || sigma > 1e100) return;
    double want[MAX_SIDE * MAX_SIDE];
    literal_kernel(want, side, sigma);
    for (int i = 0; i < side * side; ++i) assert_about((double)weights[i], want[i], 1e-7);
}

static void test_every_side(void **state) {
    (void)state;
    static const int sides[] = {3, 5, 7, 31};
    static const double sigmas[] = {5, 1, 0.9, 0.1, 0.01, 1e-160, 1e-200, 1e-310, 1e200};
    for (size_t i = 0; i < PACED_COUNT(sides); ++i)
        for (size_t j = 0; j < PACED_COUNT(sigmas); ++j) check(sides[i], sigmas[j]);
}

static void test_known_numbers(void **state) {
    (void)state;
    float w[9];
    paced_svls_kernel(w, 3, 1);
    assert_about((double)w[1], 0.0778, 5e-5);
    assert_about((double)w[0], 0.0472, 5e-5);
    /* Weight of a pixel's own label at a straight edge, and at a convex corner. */
    assert_about(1 - (double)(w[0] + w[1] + w[2]), 0.828, 5e-4);
    assert_about(1 - (double)(w[0] + w[1] + w[2] + w[3] + w[6]), 0.703, 5e-4);
}

/* sigma -> 0: the four nearest share the other half. sigma -> infinity: all others do. */
static void test_limits(void **state) {
    (void)state;
    float w[25];
    paced_svls_kernel(w, 5, 0.01);
    assert_about((double)w[7], 0.125, 1e-7);
    assert_about((double)w[6], 0, 1e-12);
    paced_svls_kernel(w, 5, 1e6);
    assert_about((double)w[0], 0.5 / 24, 1e-7);
}

static void test_one_pixel(void **state) {
    (void)state;
    float w;
    paced_svls_kernel(&w, 1, 1);
    assert_true(w == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_side),
        cmocka_unit_test(test_known_numbers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_one_pixel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
