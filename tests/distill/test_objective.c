/* The table of losses: coefficients, weighting and kind of every name and method, overrides, and errors. Expected rows
 * are written out from the published formulas: (c0 + c1 w) CE + (k0 + k1 w) KLD. */
#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paced/config.h"
#include "paced/distill.h"

#define A 0.3
#define B 0.7

struct expected {
    const char *name;
    enum paced_weighting weighting;
    double c0, c1, k0, k1;
    bool soft, curriculum, needs_teacher;
};

static const struct expected losses[] = {
    {"kd", PACED_WEIGHT_NONE, B, 0, A, 0, false, false, true},
    {"curriculum", PACED_WEIGHT_TRUE_CLASS, 0, 1, 0, 0, true, true, true},
    {"ce_weighted", PACED_WEIGHT_TRUE_CLASS, 0, B, A, 0, true, true, true},
    {"kld_weighted", PACED_WEIGHT_TRUE_CLASS, B, 0, 0, A, true, true, true},
    {"both_weighted", PACED_WEIGHT_TRUE_CLASS, 0, B, 0, A, true, true, true},
    {"ce_aliter_weighted", PACED_WEIGHT_TRUE_CLASS, 1, -A, 0, A, true, true, true},
    {"both_weighted_spl_per_px", PACED_WEIGHT_MAX, 0, B, 0, A, false, false, true},
    {"both_weighted_spl_per_img", PACED_WEIGHT_CLASS_MEAN, 0, B, 0, A, false, false, true},
    {"both_weighted_spl_per_img_max", PACED_WEIGHT_IMAGE_MAX, 0, B, 0, A, false, false, true},
    {"both_weighted_spl_per_px_no_alpha", PACED_WEIGHT_MAX, 0, 1, 0, 1, false, false, true},
    {"both_weighted_spl_per_px_no_alpha_no_weights", PACED_WEIGHT_NONE, 1, 0, 1, 0, false, false, true},
};

static const struct expected methods[] = {
    {"iid", PACED_WEIGHT_NONE, 1, 0, 0, 0, false, false, false},
    {"kd", PACED_WEIGHT_NONE, B, 0, A, 0, false, false, true},
    {"cpl", PACED_WEIGHT_TRUE_CLASS, 0, B, A, 0, true, true, true},
    {"tpl", PACED_WEIGHT_MAX, 0, B, 0, A, false, false, true},
    {"pcd", PACED_WEIGHT_FUSED, 0, 1, 0, 1, false, false, true},
};

static struct paced_config config_of(int method, int loss) {
    static char teacher[] = "teacher.safetensors";
    return (struct paced_config){
        .distill = {.method = method, .loss = loss, .teacher = teacher, .alpha = A, .temperature = 4},
        .uncertainty = {.temperature = 6.26, .kernel = 3, .sigma = 1, .target = PACED_TARGET_SVLS},
    };
}

static void assert_objective(const struct paced_objective *o, const struct expected *want) {
    assert_string_equal(o->name, want->name);
    assert_int_equal(o->weighting, want->weighting);
    const double got[] = {(double)o->c0, (double)o->c1, (double)o->k0, (double)o->k1};
    const double row[] = {want->c0, want->c1, want->k0, want->k1};
    for (int i = 0; i < 4; ++i)
        if (!(fabs(got[i] - row[i]) < 1e-7)) fail_msg("%s: coefficient %d is %g, not %g", o->name, i, got[i], row[i]);
    assert_int_equal(o->soft, want->soft);
    assert_int_equal(o->curriculum, want->curriculum);
    assert_int_equal(o->needs_teacher, want->needs_teacher);
}

static void check(const struct paced_config *config, const struct expected *want) {
    struct paced_objective o;
    assert_int_equal(paced_objective_init(&o, &config->distill, &config->uncertainty, &config->pacing), PACED_OK);
    assert_objective(&o, want);
}

static void test_losses(void **state) {
    (void)state;
    for (int i = 0; i < (int)PACED_COUNT(losses); ++i) {
        struct paced_config config = config_of(PACED_METHOD_PCD, i + 1);
        check(&config, &losses[i]);
        /* A named loss follows the reference: mix, admission and target have no effect. */
        config.distill.mix = PACED_MIX_SUM;
        config.pacing.admission = losses[i].soft ? PACED_ADMISSION_HARD : PACED_ADMISSION_SOFT;
        check(&config, &losses[i]);
        struct paced_objective o;
        assert_int_equal(paced_objective_init(&o, &config.distill, &config.uncertainty, &config.pacing), PACED_OK);
        assert_int_equal(o.target, PACED_TARGET_HARD);
    }
}

static void test_methods(void **state) {
    (void)state;
    for (int i = 0; i < (int)PACED_COUNT(methods); ++i) {
        const struct paced_config config = config_of(i, 0);
        check(&config, &methods[i]);
    }
}

static void test_mix(void **state) {
    (void)state;
    for (int i = 0; i < (int)PACED_COUNT(methods); ++i) {
        struct paced_config config = config_of(i, 0);
        struct expected alpha = methods[i], sum = methods[i];
        double *const coefficients[] = {&alpha.c0, &alpha.c1, &alpha.k0, &alpha.k1, &sum.c0, &sum.c1, &sum.k0, &sum.k1};
        for (int k = 0; i != PACED_METHOD_IID && k < 8; ++k)
            if (*coefficients[k] > 0) *coefficients[k] = k >= 4 ? 1 : k < 2 ? B : A;
        config.distill.mix = PACED_MIX_ALPHA;
        check(&config, &alpha);
        config.distill.mix = PACED_MIX_SUM;
        check(&config, &sum);
    }
}

static void test_admission(void **state) {
    (void)state;
    for (int i = PACED_METHOD_CPL; i <= PACED_METHOD_PCD; ++i) {
        struct paced_config config = config_of(i, 0);
        struct expected want = methods[i];
        config.pacing.admission = PACED_ADMISSION_SOFT;
        want.soft = true;
        check(&config, &want);
        config.pacing.admission = PACED_ADMISSION_HARD;
        want.soft = false;
        check(&config, &want);
    }
}

static void test_settings_are_handed_on(void **state) {
    (void)state;
    struct paced_config config = config_of(PACED_METHOD_PCD, 0);
    config.uncertainty.prediction = PACED_PREDICTION_MAX;
    config.uncertainty.boundary = PACED_BOUNDARY_NONE;
    config.uncertainty.fuse = PACED_FUSE_WEIGHTED;
    config.uncertainty.beta = 0.25;
    config.uncertainty.smoothing = 0.125;
    config.uncertainty.kernel = 7;
    config.pacing.order = PACED_ORDER_HARD;
    struct paced_objective o;
    assert_int_equal(paced_objective_init(&o, &config.distill, &config.uncertainty, &config.pacing), PACED_OK);
    assert_true(o.temperature == 4 && o.tau == 6.26f && o.beta == 0.25f && o.smoothing == 0.125f && o.kernel == 7);
    assert_true(o.prediction == PACED_PREDICTION_MAX && o.boundary == PACED_BOUNDARY_NONE && o.hard_first);
    assert_true(o.fuse == PACED_FUSE_WEIGHTED && o.target == PACED_TARGET_SVLS && !o.by_quantile);
    config.pacing.function = PACED_PACING_ROOT;
    config.pacing.order = PACED_ORDER_EASY;
    config.uncertainty.temperature = NAN; /* auto: a usable value until it is fitted */
    assert_int_equal(paced_objective_init(&o, &config.distill, &config.uncertainty, &config.pacing), PACED_OK);
    assert_true(o.by_quantile && !o.hard_first && o.tau > 0);
}

/* Checks for one line with the key and its value. */
static void assert_refused(struct paced_config config, const char *begin) {
    static char none[] = "";
    struct paced_objective o;
    struct capture capture;
    config.distill.teacher = none;
    capture_start(&capture);
    enum paced_err err = paced_objective_init(&o, &config.distill, &config.uncertainty, &config.pacing);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    if (strncmp(capture.text, begin, strlen(begin)) != 0) fail_msg("said %s instead of %s", capture.text, begin);
    assert_non_null(strstr(capture.text, "distill.teacher"));
    assert_ptr_equal(strchr(capture.text, '\n'), capture.text + strlen(capture.text) - 1);
}

static void test_missing_teacher(void **state) {
    (void)state;
    static char none[] = "";
    struct paced_objective o;
    struct paced_config iid = config_of(PACED_METHOD_IID, 0);
    iid.distill.teacher = none;
    assert_int_equal(paced_objective_init(&o, &iid.distill, &iid.uncertainty, &iid.pacing), PACED_OK);
    for (int i = PACED_METHOD_KD; i <= PACED_METHOD_PCD; ++i)
        assert_refused(config_of(i, 0), "paced: distill.method = ");
    for (int i = 1; i <= (int)PACED_COUNT(losses); ++i)
        assert_refused(config_of(PACED_METHOD_IID, i), "paced: distill.loss = ");
    assert_refused(config_of(PACED_METHOD_IID, 2), "paced: distill.loss = curriculum:");
}

static void test_plain(void **state) {
    (void)state;
    static const struct expected want = {"ce", PACED_WEIGHT_NONE, 1, 0, 0, 0, false, false, false};
    const struct paced_objective plain = paced_objective_plain();
    assert_objective(&plain, &want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_mix),
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_settings_are_handed_on),
        cmocka_unit_test(test_missing_teacher),
        cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
