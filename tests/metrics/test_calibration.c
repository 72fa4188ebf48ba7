/* NLL, ECE and Brier score of hand-computed cases, and the fitted temperature of labels drawn at a known one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "paced/report.h"

enum { PIXELS = 20000, MOST_CLASSES = 5 };

static void assert_about(double got, double want, double bound) {
    if (fabs(got - want) <= bound) return;
    print_error("%.9g is not %.9g within %.3g\n", got, want, bound);
    fail();
}

/* Two classes with p = 0.9, 0.6 and 0.7, logits log p / (1 - p); the second pixel is wrong. */
static void test_by_hand(void **state) {
    (void)state;
    const float logits[] = {0, logf(9), logf(1.5f), 0, 0, logf(7 / 3.0f)};
    const uint8_t labels[] = {1, 1, 1};
    struct paced_metrics c = paced_calibration_measure(logits, labels, 3, 2, 1);
    assert_about(c.nll, -(log(0.9) + log(0.4) + log(0.7)) / 3, 1e-6);
    assert_about(c.brier, 2 * (0.01 + 0.36 + 0.09) / 3, 1e-6);
    assert_about(c.ece, (0.1 + 0.6 + 0.3) / 3, 1e-6); /* each pixel in a separate bin */
}

/* Two pixels in one bin, whose errors cancel. 0.92 and 0.89 lie on both sides of 13/15 and 14/15. */
static void test_bins_are_joined(void **state) {
    (void)state;
    const float logits[] = {logf(0.92f / 0.08f), 0, logf(0.89f / 0.11f), 0};
    const uint8_t labels[] = {0, 1};
    struct paced_metrics c = paced_calibration_measure(logits, labels, 2, 2, 1);
    assert_about(c.ece, fabs(0.5 - (0.92 + 0.89) / 2), 1e-6);
    const float apart[] = {logf(0.92f / 0.08f), 0, logf(0.85f / 0.15f), 0};
    c = paced_calibration_measure(apart, labels, 2, 2, 1);
    assert_about(c.ece, (0.08 + 0.85) / 2, 1e-6);
}

/* The probability of the label is 1/5; of equal maxima the first counts. */
static void test_uniform(void **state) {
    (void)state;
    const float logits[10] = {0};
    const uint8_t labels[] = {0, 3};
    struct paced_metrics c = paced_calibration_measure(logits, labels, 2, 5, 3);
    assert_about(c.nll, log(5), 1e-12);
    assert_about(c.brier, 0.8 * 0.8 + 4 * 0.04, 1e-12);
    assert_about(c.ece, 0.5 - 0.2, 1e-12);
}

/* softmax(z / tau) of tau z equals softmax(z); large logits stay finite. */
static void test_scale(void **state) {
    (void)state;
    const float logits[] = {1, -2, 0.5f, 0.25f, 3, 1}, scaled[] = {8, -16, 4, 2, 24, 8}, huge[] = {1e30f, 0, 0, 1e30f};
    const uint8_t labels[] = {2, 1};
    struct paced_metrics a = paced_calibration_measure(logits, labels, 2, 3, 1);
    struct paced_metrics b = paced_calibration_measure(scaled, labels, 2, 3, 8);
    assert_about(a.nll, b.nll, 1e-12);
    assert_about(a.ece, b.ece, 1e-12);
    assert_about(a.brier, b.brier, 1e-12);
    struct paced_metrics c = paced_calibration_measure(huge, labels + 1, 1, 2, 1);
    assert_true(isfinite(c.nll) && c.nll > 1e29);
    assert_about(c.brier, 2, 1e-12);
}

/* ---- fit ----------------------------------------------------------------------------------------------------- */

static void draw(float *logits, uint8_t *labels, int classes, double tau) {
    struct paced_rng rng;
    paced_rng_seed(&rng, 7, 0);
    for (int i = 0; i < PIXELS; ++i) {
        float *z = logits + i * classes;
        double p[MOST_CLASSES], sum = 0;
        for (int c = 0; c < classes; ++c) {
            z[c] = (float)(2 * tau * paced_rng_normal(&rng));
            sum += p[c] = exp((double)z[c] / tau);
        }
        double at = paced_rng_uniform(&rng) * sum;
        int label = 0;
        while (label < classes - 1 && (at -= p[label]) > 0) ++label;
        labels[i] = (uint8_t)label;
    }
}

static void check_fit(int classes, double tau) {
    float *logits = paced_alloc((size_t)(PIXELS * classes), sizeof *logits);
    uint8_t *labels = paced_alloc(PIXELS, 1);
    draw(logits, labels, classes, tau);
    double got;
    assert_int_equal(paced_temperature_fit(logits, labels, PIXELS, classes, &got), PACED_OK);
    assert_about(got, tau, 0.05 * tau);
    double least = paced_calibration_measure(logits, labels, PIXELS, classes, got).nll;
    static const double factors[] = {0.99, 1.01, 0.9999, 1.0001};
    for (size_t i = 0; i < PACED_COUNT(factors); ++i)
        assert_true(paced_calibration_measure(logits, labels, PIXELS, classes, got * factors[i]).nll > least);
    assert_true(paced_calibration_measure(logits, labels, PIXELS, classes, got).ece < 0.02);
    free(logits);
    free(labels);
}

static void test_fit_finds_tau(void **state) {
    (void)state;
    static const double taus[] = {0.0004, 0.2, 1, 1.6, 6.26, 40, 261.8, 4000};
    for (size_t i = 0; i < PACED_COUNT(taus); ++i) check_fit(i % 2 ? MOST_CLASSES : 2, taus[i]);
}

/* The best tau of c z is c times that of z; powers of two keep the logits exact. */
static void test_fit_scales(void **state) {
    (void)state;
    enum { CLASSES = 3 };
    static const double factors[] = {1 / 1024.0, 1 / 32.0, 32, 512};
    float *logits = paced_alloc((size_t)(PIXELS * CLASSES), sizeof *logits),
          *scaled = paced_alloc((size_t)(PIXELS * CLASSES), sizeof *scaled);
    uint8_t *labels = paced_alloc(PIXELS, 1);
    double tau, other;
    draw(logits, labels, CLASSES, 1.7);
    assert_int_equal(paced_temperature_fit(logits, labels, PIXELS, CLASSES, &tau), PACED_OK);
    for (size_t i = 0; i < PACED_COUNT(factors); ++i) {
        for (int k = 0; k < PIXELS * CLASSES; ++k) scaled[k] = (float)factors[i] * logits[k];
        assert_int_equal(paced_temperature_fit(scaled, labels, PIXELS, CLASSES, &other), PACED_OK);
        assert_about(other, factors[i] * tau, 1e-6 * factors[i] * tau);
    }
    free(labels);
    free(scaled);
    free(logits);
}

static void check_end(const float *logits, const uint8_t *labels, double end) {
    struct capture capture;
    double tau;
    capture_start(&capture);
    enum paced_err err = paced_temperature_fit(logits, labels, 3, 2, &tau);
    capture_end(&capture);
    assert_int_equal(err, PACED_OK);
    assert_about(tau, end, 1e-6 * end);
    assert_non_null(strstr(capture.text, "is a limit of the range 0.0001 to 10000"));
}

/* Without a best tau, the fit returns a limit of the range and warns: all correct gives the minimum, at any margin, all
 * wrong the maximum. */
static void test_fit_at_its_ends(void **state) {
    (void)state;
    const float logits[] = {3, 0, 0, 5, 1, 0}, near[] = {3e-3F, 0, 0, 5e-3F, 1e-3F, 0},
                far[] = {3e3F, 0, 0, 5e3F, 1e3F, 0};
    const uint8_t right[] = {0, 1, 0}, wrong[] = {1, 0, 1};
    check_end(logits, right, PACED_TAU_MIN);
    check_end(near, right, PACED_TAU_MIN);
    check_end(far, right, PACED_TAU_MIN);
    check_end(logits, wrong, PACED_TAU_MAX);
    check_end(far, wrong, PACED_TAU_MAX);
    const float flat[6] = {0}; /* the NLL does not depend on tau */
    check_end(flat, right, PACED_TAU_MIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),         cmocka_unit_test(test_bins_are_joined),
        cmocka_unit_test(test_uniform),         cmocka_unit_test(test_scale),
        cmocka_unit_test(test_fit_finds_tau),   cmocka_unit_test(test_fit_scales),
        cmocka_unit_test(test_fit_at_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
