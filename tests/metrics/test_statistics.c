/* Hand-computed quantiles, the Wilcoxon test against SciPy's p (tests/golden/metrics.py), and bootstrap intervals. */
#include "src/metrics/parts.h"

#include "paced/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_quantiles(void **state) {
    double values[] = {4, 1, 3, 2};
    statistics_sort(values, 4);
    assert_float_equal(statistics_quantile(values, 4, 0), 1, 0);
    assert_float_equal(statistics_quantile(values, 4, 0.5), 2.5, 1e-12);
    assert_float_equal(statistics_quantile(values, 4, 0.95), 3.85, 1e-12);
    assert_float_equal(statistics_quantile(values, 4, 1), 4, 0);
    assert_float_equal(statistics_quantile(values, 1, 0.95), 1, 0);
}

static void test_wilcoxon(void **state) {
    struct paced_weights golden = {0};
    const struct paced_entry *differences, *p;
    int cases = 0;
    assert_int_equal(paced_safetensors_read(PACED_TESTS_DIR "/golden/metrics.safetensors", &golden), PACED_OK);
    for (;; ++cases) {
        char *name = paced_format("differences.%d", cases), *result = paced_format("p.%d", cases);
        differences = paced_weights_find(&golden, name);
        p = paced_weights_find(&golden, result);
        free(name);
        free(result);
        if (!differences) break;
        double got = paced_wilcoxon(differences->data, (size_t)differences->shape[0]), want = *(const double *)p->data;
        if (!(fabs(got - want) <= 1e-9 * want)) fail_msg("case %d: p = %.17g, not %.17g", cases, got, want);
    }
    assert_true(cases >= 5);
    paced_weights_finish(&golden);
    assert_float_equal(paced_wilcoxon((double[]){0, 0}, 2), 1, 0);
    assert_true(isnan(paced_wilcoxon(NULL, 0)));
}

/* n images, a fraction q with precision 1 and the others with 0: the means are binomially distributed. */
static void test_interval_is_the_binomials(void **state) {
    enum { IMAGES = 400, RIGHT = 100 };
    struct paced_scores *scores = paced_scores_create(2);
    struct paced_metrics low, high, again_low, again_high;
    for (int i = 0; i < IMAGES; ++i)
        paced_scores_add(scores, NULL, (uint8_t[]){1, 0}, i < RIGHT ? (uint8_t[]){1, 0} : (uint8_t[]){0, 1}, 2);
    paced_scores_interval(scores, 0, false, 12345, &low, &high);
    double deviation = sqrt(0.25 * 0.75 / IMAGES);
    assert_float_equal(low.precision, 0.25 - 1.96 * deviation, 0.1 * deviation);
    assert_float_equal(high.precision, 0.25 + 1.96 * deviation, 0.1 * deviation);
    assert_true(isnan(low.hd95) && isnan(high.ece));
    paced_scores_interval(scores, 0, false, 12345, &again_low, &again_high);
    assert_memory_equal(&low, &again_low, sizeof low);
    assert_memory_equal(&high, &again_high, sizeof high);
    paced_scores_destroy(scores);
}

/* With one image, every resample is that image. Without images, there is no interval. */
static void test_small_sets(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    struct paced_metrics low, high;
    paced_scores_interval(scores, 0, false, 1, &low, &high);
    assert_true(isnan(low.dice) && isnan(high.f1));
    paced_scores_add(scores, NULL, (uint8_t[]){1, 1, 0, 0}, (uint8_t[]){1, 0, 1, 0}, 4);
    paced_scores_interval(scores, 1, true, 1, &low, &high);
    assert_float_equal(low.dice, 2.0001 / 4.0001, 1e-12);
    assert_float_equal(high.dice, 2.0001 / 4.0001, 1e-12);
    paced_scores_destroy(scores);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quantiles), cmocka_unit_test(test_wilcoxon),
                                       cmocka_unit_test(test_interval_is_the_binomials),
                                       cmocka_unit_test(test_small_sets)};
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
