/* Uncertainty and admission on the device against plain loops. */
#include <math.h>
#include <string.h>

#include "tests/kernel/loss_bench.h"

/* ---- uncertainty --------------------------------------------------------------------------------------------- */

static void assert_each_near(const char *what, const float *got, const double *want, size_t count, double bound) {
    for (size_t i = 0; i < count; ++i) {
        if (fabs((double)got[i] - want[i]) <= bound) continue;
        fail_msg("%s: pixel %zu is %.9g, not %.9g", what, i, (double)got[i], want[i]);
    }
}

static void check_fusions(const struct batch *b, const struct paced_config *config) {
    struct bench k = start(b, config);
    send(&k);
    for (int fuse = PACED_FUSE_PRODUCT; fuse <= PACED_FUSE_BOUNDARY; ++fuse) {
        double *want = expected(&k, fuse);
        float *got = measure(&k, fuse);
        for (size_t i = 0; config->pacing.order == PACED_ORDER_HARD && i < k.pixels; ++i) want[i] = 1 - want[i];
        assert_each_near("u", got, want, k.pixels, 2e-6);
        free(want);
        free(got);
    }
    finish(&k);
}

static void test_fusions(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(batches); ++i) {
        if (!batches[i].small && harness_is_small()) continue;
        struct paced_config config = config_of(PACED_METHOD_PCD);
        for (int kernel = 1; kernel <= 7; kernel += 2) {
            config.uncertainty.kernel = kernel == 1 ? 3 : kernel;
            config.uncertainty.boundary = kernel == 1 ? PACED_BOUNDARY_NONE : PACED_BOUNDARY_SVLS;
            config.uncertainty.sigma = kernel == 5 ? 0.3 : 1;
            config.uncertainty.prediction = kernel == 3 ? PACED_PREDICTION_MAX : PACED_PREDICTION_LABEL;
            config.pacing.order = kernel == 7 ? PACED_ORDER_HARD : PACED_ORDER_EASY;
            check_fusions(&batches[i], &config);
        }
    }
}

/* A NaN in the teacher's logits makes the pixel's uncertainty NaN with every fusion except the boundary alone. */
static void test_nan_stays_nan(void **state) {
    (void)state;
    for (int prediction = PACED_PREDICTION_LABEL; prediction <= PACED_PREDICTION_MAX; ++prediction) {
        struct paced_config config = config_of(PACED_METHOD_PCD);
        config.uncertainty.prediction = prediction;
        struct bench k = start(&batches[1], &config);
        for (size_t p = 0; p < k.pixels; p += 2) k.t[p * 3 + p / 2 % 3] = NAN;
        send(&k);
        for (int fuse = PACED_FUSE_PRODUCT; fuse <= PACED_FUSE_BOUNDARY; ++fuse) {
            float *got = measure(&k, fuse);
            for (size_t p = 0; p < k.pixels; ++p)
                assert_int_equal(isnan(got[p]), p % 2 == 0 && fuse != PACED_FUSE_BOUNDARY);
            free(got);
        }
        finish(&k);
    }
}

/* Without a requested fusion, that of the objective is used. */
static void test_own_fusion(void **state) {
    (void)state;
    struct paced_config config = config_of(PACED_METHOD_PCD);
    config.uncertainty.fuse = PACED_FUSE_MEAN;
    struct bench k = start(&batches[1], &config);
    send(&k);
    double *want = expected(&k, PACED_FUSE_MEAN);
    float *got = measure(&k, -1);
    assert_each_near("own", got, want, k.pixels, 2e-6);
    free(want);
    free(got);
    finish(&k);
}

/* Square of ones amid zeros, and a single pixel: smoothed labels computed by hand, for all sides of the kernel. */
static void test_boundary_by_hand(void **state) {
    (void)state;
    static const struct batch b = {1, 21, 21, 2, true};
    struct paced_config config = config_of(PACED_METHOD_PCD);
    struct bench k = start(&b, &config);
    memset(k.labels, 0, k.pixels);
    for (int y = 4; y < 12; ++y)
        for (int x = 4; x < 12; ++x) k.labels[y * 21 + x] = 1;
    k.labels[17 * 21 + 17] = 1;
    k.labels[0] = 1; /* corner of the image: three pixels of the padding have the same label */
    send(&k);
    float *u = measure(&k, PACED_FUSE_BOUNDARY);
    assert_true(u[8 * 21 + 8] == 0); /* exactly: mu = 0 admits the interior */
    assert_true(u[2 * 21 + 15] == 0);
    assert_near(1 - (double)u[8 * 21 + 4], 0.828, 5e-4);
    assert_near(1 - (double)u[4 * 21 + 8], 0.828, 5e-4);
    assert_near(1 - (double)u[4 * 21 + 11], 0.703, 5e-4);
    assert_near(1 - (double)u[11 * 21 + 4], 0.703, 5e-4);
    assert_near(1 - (double)u[17 * 21 + 17], 0.5, 1e-6);
    assert_near(1 - (double)u[0], 0.5 + 2 * 0.0778 + 0.0472, 5e-4);
    free(u);
    finish(&k);
}

/* ---- admission ----------------------------------------------------------------------------------------------- */

static int admitted_of(const double *u, size_t pixels, double mu) {
    int count = 0;
    for (size_t i = 0; i < pixels; ++i) count += u[i] <= mu;
    return count;
}

static void check_share(const struct batch *b, int method, int order) {
    struct paced_config config = config_of(method);
    config.pacing.order = order;
    if (method == PACED_METHOD_TPL) config.uncertainty.prediction = PACED_PREDICTION_MAX; /* used by w_s */
    struct bench k = start(b, &config);
    double *u = expected(&k, method == PACED_METHOD_PCD ? PACED_FUSE_PRODUCT : PACED_FUSE_PREDICTION), last = 0;
    for (size_t i = 0; order == PACED_ORDER_HARD && i < k.pixels; ++i) u[i] = 1 - u[i];
    send(&k);
    assert_true(run(&k, -0.05, false).admitted == 0);
    for (int step = 0; step <= 20; ++step) {
        double mu = step / 20.0, got = run(&k, mu, false).admitted;
        bool all = step == 20 || (method == PACED_METHOD_CPL && mu + 0.1 >= 1); /* the soft weight is 1, too */
        assert_true(got >= last);
        if (all) assert_true(got == (double)k.pixels);
        if (!all) assert_true(got >= admitted_of(u, k.pixels, mu - 1e-5) && got <= admitted_of(u, k.pixels, mu + 1e-5));
        last = got;
    }
    free(u);
    finish(&k);
}

static void test_share_grows_with_mu(void **state) {
    (void)state;
    static const int methods[] = {PACED_METHOD_CPL, PACED_METHOD_TPL, PACED_METHOD_PCD};
    for (size_t i = 0; i < PACED_COUNT(methods); ++i)
        for (int order = PACED_ORDER_EASY; order <= PACED_ORDER_HARD; ++order)
            check_share(&batches[harness_is_small() ? 1 : 3], methods[i], order);
}

/* mu as a quantile of the measured uncertainty admits exactly that fraction, including pixels at the quantile. */
static void check_quantiles(int loss, int order) {
    struct paced_config config = config_of(PACED_METHOD_PCD);
    config.distill.loss = loss;
    config.pacing.order = order;
    config.pacing.function = PACED_PACING_LINEAR;
    struct bench k = start(&batches[harness_is_small() ? 1 : 3], &config);
    for (size_t i = 0; i < k.count; i += (size_t)k.b.classes) /* few distinct confidences, each of many pixels */
        for (int c = 0; c < k.b.classes; ++c) k.t[i + (size_t)c] = (float)c * (float)(i / (size_t)k.b.classes % 11);
    send(&k);
    float *u = measure(&k, -1);
    struct paced_histogram *histogram = paced_histogram_create();
    assert_ok(paced_histogram_add(histogram, u, k.labels, k.pixels));
    for (int i = 0; i <= 10; ++i) {
        double mu = paced_histogram_quantile(histogram, i / 10.0), want = 0;
        for (size_t p = 0; p < k.pixels; ++p) want += (double)u[p] <= mu;
        if (k.objective.soft && mu + 0.1 >= 1) want = (double)k.pixels; /* the low weight is 1, too */
        double got = run(&k, mu, false).admitted;
        assert_true(got == want && got >= i / 10.0 * (double)k.pixels - 1e-6);
    }
    paced_histogram_destroy(histogram);
    free(u);
    finish(&k);
}

static void test_quantiles_admit_their_share(void **state) {
    (void)state;
    static const int losses[] = {0, 3, 7, 8, 9}; /* pcd; w_c, w_s, both kinds of w_img */
    for (size_t i = 0; i < PACED_COUNT(losses); ++i) {
        check_quantiles(losses[i], PACED_ORDER_EASY);
        check_quantiles(losses[i], PACED_ORDER_HARD);
    }
}

/* The reference's "per image" weight is 1 / C for every pixel: at mu = 1 - 1 / C rounding must not separate them. */
static void test_class_mean_is_all_or_none(void **state) {
    (void)state;
    struct paced_config config = config_of(PACED_METHOD_KD);
    config.distill.loss = 8;
    struct bench k = start(&batches[2], &config);
    assert_int_equal(k.objective.weighting, PACED_WEIGHT_CLASS_MEAN);
    send(&k);
    assert_true(run(&k, 0.5, false).admitted == (double)k.pixels);
    assert_true(run(&k, 0.499, false).admitted == 0);
    finish(&k);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_fusions),
    cmocka_unit_test(test_nan_stays_nan),
    cmocka_unit_test(test_own_fusion),
    cmocka_unit_test(test_boundary_by_hand),
    cmocka_unit_test(test_share_grows_with_mu),
    cmocka_unit_test(test_quantiles_admit_their_share),
    cmocka_unit_test(test_class_mean_is_all_or_none),
};
HARNESS_MAIN(tests)
