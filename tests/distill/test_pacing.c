/* mu per epoch: the step schedule of both kinds, quantile pacing and the fraction functions, on known histograms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "paced/config.h"
#include "paced/distill.h"
#include "tests/capture.h"

enum { VALUES = 1000, EPOCHS = 20 };

static const struct paced_objective self_paced = {.weighting = PACED_WEIGHT_MAX};
static const struct paced_objective curriculum = {.weighting = PACED_WEIGHT_TRUE_CLASS, .curriculum = true};

static void assert_about(double got, double want, double bound) {
    if (fabs(got - want) <= bound) return;
    print_error("%.12g is not %.12g within %.3g\n", got, want, bound);
    fail();
}

/* ---- step ---------------------------------------------------------------------------------------------------- */

static struct paced_config step_config(double mu, double update, int every) {
    return (struct paced_config){.train = {.epochs = 100},
                                 .pacing = {.function = PACED_PACING_STEP,
                                            .mu = mu,
                                            .mu_update = update,
                                            .mu_update_every = every,
                                            .mu_max = 1,
                                            .start = 0.8,
                                            .end = 0.4}};
}

static void assert_mu(const struct paced_config *config, const struct paced_objective *objective, int epoch,
                      double want) {
    assert_about(paced_pacing_mu(&config->pacing, objective, epoch, config->train.epochs, NULL), want, 1e-12);
}

/* Updates after the 0-based epochs 0, 5, 10: the second epoch already admits more. */
static void test_step_curriculum(void **state) {
    (void)state;
    const struct paced_config config = step_config(0.2, 0.1, 5);
    static const double want[] = {0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.4, 0.4, 0.4, 0.4, 0.5};
    for (int epoch = 0; epoch < (int)PACED_COUNT(want); ++epoch) assert_mu(&config, &curriculum, epoch, want[epoch]);
    assert_mu(&config, &curriculum, 35, 0.9);
    assert_mu(&config, &curriculum, 36, 1);
    assert_mu(&config, &curriculum, 99, 1);
}

/* Updates after the 1-based epochs 5, 10: the sixth epoch is the first to admit more. */
static void test_step_self_paced(void **state) {
    (void)state;
    const struct paced_config config = step_config(0.39, 0.183, 5);
    static const double want[] = {0.39, 0.39, 0.39, 0.39, 0.39, 0.573, 0.573, 0.573, 0.573, 0.573, 0.756};
    for (int epoch = 0; epoch < (int)PACED_COUNT(want); ++epoch) assert_mu(&config, &self_paced, epoch, want[epoch]);
    assert_mu(&config, &self_paced, 19, 0.939);
    assert_mu(&config, &self_paced, 20, 1);
}

static void test_step_cap(void **state) {
    (void)state;
    struct paced_config config = step_config(0.2, 0.3, 1);
    config.pacing.mu_max = 0.7;
    assert_mu(&config, &self_paced, 1, 0.5);
    assert_mu(&config, &self_paced, 2, 0.7);
    assert_mu(&config, &self_paced, 50, 0.7);
    assert_mu(&config, &curriculum, 1, 0.5); /* the same if every epoch updates */
}

/* Anti-curriculum by a negative update: no lower limit, also below 0. */
static void test_step_has_no_floor(void **state) {
    (void)state;
    const struct paced_config config = step_config(0.39, -0.55, 5);
    assert_mu(&config, &self_paced, 4, 0.39);
    assert_mu(&config, &self_paced, 5, -0.16);
    assert_mu(&config, &self_paced, 10, -0.71);
}

static void test_none(void **state) {
    (void)state;
    struct paced_config config = step_config(0.2, 0.1, 5);
    config.pacing.function = PACED_PACING_NONE;
    assert_mu(&config, &self_paced, 0, 1);
    assert_mu(&config, &curriculum, 7, 1);
}

static void test_who_needs_a_histogram(void **state) {
    (void)state;
    struct paced_config config = step_config(0.2, 0.1, 5);
    const struct paced_objective plain = paced_objective_plain();
    for (int f = PACED_PACING_STEP; f <= PACED_PACING_NONE; ++f) {
        config.pacing.function = f;
        bool quantiles = f != PACED_PACING_STEP && f != PACED_PACING_NONE;
        assert_int_equal(paced_pacing_needs_histogram(&config.pacing, &self_paced), quantiles);
        assert_false(paced_pacing_needs_histogram(&config.pacing, &plain));
    }
}

/* ---- quantiles ----------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static const uint8_t labels[VALUES];

/* Distinct values, sorted, dense near 0; added in three parts and another order. */
static struct paced_histogram *fill(float *values) {
    struct paced_histogram *histogram = paced_histogram_create();
    for (int i = 0; i < VALUES; ++i) values[i * 387 % VALUES] = 0.9f * powf(((float)i + 0.5f) / VALUES, 2) + 1e-4f;
    assert_int_equal(paced_histogram_add(histogram, values, labels, 1), PACED_OK);
    assert_int_equal(paced_histogram_add(histogram, values + 1, labels, 499), PACED_OK);
    assert_int_equal(paced_histogram_add(histogram, values + 500, labels, VALUES - 500), PACED_OK);
    qsort(values, VALUES, sizeof *values, ascending);
    return histogram;
}

/* The quantile is an occurring value that admits the fraction; the next smaller value does not. */
static void test_quantiles_are_minimal(void **state) {
    (void)state;
    float values[VALUES];
    struct paced_histogram *histogram = fill(values);
    for (int k = 0; k <= VALUES; ++k) {
        double got = paced_histogram_quantile(histogram, k / (double)VALUES);
        assert_about(got, (double)values[k > 0 ? k - 1 : 0], 0x1p-20);
        int admitted = 0;
        while (admitted < VALUES && (double)values[admitted] <= got) ++admitted;
        assert_int_equal(admitted, k > 0 ? k : 1);
    }
    for (double share = 0.0005; share < 1; share += 0.0377) {
        double got = paced_histogram_quantile(histogram, share);
        int admitted = 0;
        while (admitted < VALUES && (double)values[admitted] <= got) ++admitted;
        assert_int_equal(admitted, (int)ceil(share * VALUES - 1e-9));
        assert_about((double)admitted / VALUES, share, 0.005);
    }
    paced_histogram_destroy(histogram);
}

/* Fractions that double arithmetic misses by the last digit admit no additional pixel. */
static void test_quantiles_of_rounded_shares(void **state) {
    (void)state;
    float values[VALUES];
    struct paced_histogram *histogram = fill(values);
    for (int k = 1; k < VALUES; ++k) {
        double above = nextafter(nextafter(k / (double)VALUES, 1), 1);
        assert_true(paced_histogram_quantile(histogram, above) == (double)values[k - 1]);
    }
    paced_histogram_destroy(histogram);
}

static void test_quantiles_at_the_ends(void **state) {
    (void)state;
    struct paced_histogram *histogram = paced_histogram_create();
    assert_true(paced_histogram_quantile(histogram, 0.5) == 1);
    const float ends[] = {0, 0, 0, 1};
    assert_int_equal(paced_histogram_add(histogram, ends, labels, 0), PACED_OK);
    assert_true(paced_histogram_quantile(histogram, 0.5) == 1);
    assert_int_equal(paced_histogram_add(histogram, ends, labels, 4), PACED_OK);
    assert_true(paced_histogram_quantile(histogram, 0) == 0);
    assert_true(paced_histogram_quantile(histogram, 0.75) == 0);
    assert_true(paced_histogram_quantile(histogram, 0.76) == 1);
    assert_true(paced_histogram_quantile(histogram, 1) == 1);
    paced_histogram_destroy(histogram);
    paced_histogram_destroy(NULL);
}

/* Ignored pixels do not count, not even with the NaN that the kernel gives them. */
static void test_quantiles_without_ignored(void **state) {
    (void)state;
    struct paced_histogram *histogram = paced_histogram_create();
    const float values[] = {NAN, 0.25f, 0.125f, NAN, 0.5f};
    const uint8_t label[] = {PACED_IGNORED, 0, PACED_IGNORED, PACED_IGNORED, 3};
    assert_int_equal(paced_histogram_add(histogram, values, label, 1), PACED_OK);
    assert_true(paced_histogram_quantile(histogram, 0.5) == 1);
    assert_int_equal(paced_histogram_add(histogram, values, label, 5), PACED_OK);
    assert_true(paced_histogram_quantile(histogram, 0) == 0.25);
    assert_true(paced_histogram_quantile(histogram, 0.5) == 0.25);
    assert_true(paced_histogram_quantile(histogram, 0.51) == 0.5);
    paced_histogram_destroy(histogram);
}

/* NaN never serves as a quantile, even if it comes first in its bin. */
static void test_quantiles_of_nan(void **state) {
    (void)state;
    struct paced_histogram *histogram = paced_histogram_create();
    const float values[] = {NAN, 0.5f};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_histogram_add(histogram, values, labels, 2);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(capture.text, "uncertainty of a pixel is NaN"));
    paced_histogram_destroy(histogram);
}

static double share_below(const float *values, double mu) {
    int admitted = 0;
    while (admitted < VALUES && (double)values[admitted] <= mu) ++admitted;
    return (double)admitted / VALUES;
}

/* linear, exponential, root: the fraction per epoch by formula; everything is admitted from epoch E = end on. */
static void test_share_functions(void **state) {
    (void)state;
    float values[VALUES];
    struct paced_histogram *histogram = fill(values);
    const double start = 0.3, end = 0.4;
    struct paced_config config = {.train = {.epochs = EPOCHS}, .pacing = {.start = start, .end = end}};
    for (int epoch = 0; epoch < EPOCHS; ++epoch) {
        double t = epoch < 8 ? epoch / 8.0 : 1;
        const double want[] = {start + (1 - start) * t, pow(start, 1 - t),
                               sqrt(start * start + (1 - start * start) * t)};
        static const int functions[] = {PACED_PACING_LINEAR, PACED_PACING_EXPONENTIAL, PACED_PACING_ROOT};
        for (int i = 0; i < 3; ++i) {
            config.pacing.function = functions[i];
            double mu = paced_pacing_mu(&config.pacing, &self_paced, epoch, config.train.epochs, histogram);
            assert_about(share_below(values, mu), want[i], 1.0 / VALUES + 1e-9);
        }
    }
    paced_histogram_destroy(histogram);
}

/* The first mu admits lambda; then mu itself grows linearly up to the maximum uncertainty. */
static void test_quantile_pacing(void **state) {
    (void)state;
    float values[VALUES];
    struct paced_histogram *histogram = fill(values);
    struct paced_config config = {.train = {.epochs = EPOCHS},
                                  .pacing = {.function = PACED_PACING_QUANTILE, .start = 0.8, .end = 0.3}};
    double first = (double)values[799], last = (double)values[VALUES - 1];
    for (int epoch = 0; epoch < EPOCHS; ++epoch) {
        double mu = paced_pacing_mu(&config.pacing, &self_paced, epoch, config.train.epochs, histogram);
        assert_about(mu, epoch < 6 ? first + (last - first) * epoch / 6 : last, 1e-6);
        if (epoch == 0) assert_about(share_below(values, mu), 0.8, 0.005);
        if (epoch >= 6) assert_true(mu == last);
    }
    paced_histogram_destroy(histogram);
}

static void test_sigma(void **state) {
    (void)state;
    const struct paced_config config = {.uncertainty = {.sigma = 0.9, .sigma_decay = 0.5}};
    for (int epoch = 0; epoch < 60; ++epoch)
        assert_true(paced_pacing_sigma(&config.uncertainty, epoch) == ldexp(0.9, -epoch));
    const struct paced_config constant = {.uncertainty = {.sigma = 1.5, .sigma_decay = 1}};
    assert_true(paced_pacing_sigma(&constant.uncertainty, 99) == 1.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_curriculum),
        cmocka_unit_test(test_step_self_paced),
        cmocka_unit_test(test_step_cap),
        cmocka_unit_test(test_step_has_no_floor),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_who_needs_a_histogram),
        cmocka_unit_test(test_quantiles_are_minimal),
        cmocka_unit_test(test_quantiles_of_rounded_shares),
        cmocka_unit_test(test_quantiles_at_the_ends),
        cmocka_unit_test(test_quantiles_without_ignored),
        cmocka_unit_test(test_quantiles_of_nan),
        cmocka_unit_test(test_share_functions),
        cmocka_unit_test(test_quantile_pacing),
        cmocka_unit_test(test_sigma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
