/* Ignored pixels on the device: every method and loss against plain loops over the other pixels. */
#include <math.h>
#include <string.h>

#include "tests/kernel/loss_bench.h"

static const double MU = 0.6123;

/* Ignores about a third of the pixels, alone and in patches, with logits that must not be used. */
static void ignore_some(struct bench *k) {
    for (size_t p = 0; p < k->pixels; ++p) {
        bool alone = formula_uniform("alone", p) < -0.7, patch = formula_uniform("patch", p / 5) < -0.6;
        if (!alone && !patch && p % 11 != 6) continue;
        k->labels[p] = PACED_IGNORED;
        for (size_t c = 0; c < (size_t)k->b.classes; ++c) {
            k->s[p * (size_t)k->b.classes + c] = p % 2 ? NAN : 1e30f;
            k->t[p * (size_t)k->b.classes + c] = p % 3 ? NAN : -INFINITY;
        }
    }
}

static bool counts(const struct bench *k, size_t pixel) {
    return k->labels[pixel] != PACED_IGNORED;
}

/* ---- the plain loops ----------------------------------------------------------------------------------------- */

/* Replaces u by the means of the images, over the pixels that count. */
static void take_image_means(const struct bench *k, double *u) {
    size_t size = k->pixels / (size_t)k->b.n;
    for (size_t from = 0; from < k->pixels; from += size) {
        double sum = 0, counted = 0;
        for (size_t p = from; p < from + size; ++p)
            if (counts(k, p)) sum += u[p], ++counted;
        for (size_t p = from; p < from + size; ++p) u[p] = sum / counted;
    }
}

/* The quantity that is compared with mu. */
static double *admission_of(const struct bench *k) {
    const struct paced_objective *o = &k->objective;
    struct ref_uncertainty ref = ref_of(k, o->fuse);
    double *u = paced_alloc(k->pixels, sizeof *u);
    if (o->weighting != PACED_WEIGHT_FUSED) {
        ref.fuse = PACED_FUSE_PREDICTION;
        ref.prediction = o->weighting == PACED_WEIGHT_TRUE_CLASS ? PACED_PREDICTION_LABEL : PACED_PREDICTION_MAX;
    }
    ref_uncertainty(&ref, k->t, k->labels, u);
    if (o->weighting == PACED_WEIGHT_IMAGE_MAX) take_image_means(k, u);
    for (size_t p = 0; o->weighting == PACED_WEIGHT_CLASS_MEAN && p < k->pixels; ++p) u[p] = 1 - 1.0 / k->b.classes;
    return u;
}

/* Sums over the pixels that count, and the gradient of their mean; gradient[count] is 0 elsewhere. */
static struct paced_loss_sums sum_plainly(const struct bench *k, double *gradient) {
    const struct paced_objective *o = &k->objective;
    struct paced_loss_sums sums = {.pixels = (double)paced_counted(k->labels, k->pixels)};
    double *u = admission_of(k), *target = soft_target(k), s[16], none[16];
    for (size_t p = 0; p < k->pixels; ++p) {
        size_t classes = (size_t)k->b.classes, at = p * classes;
        if (!counts(k, p)) continue;
        bool admitted = o->weighting == PACED_WEIGHT_NONE || u[p] <= MU;
        assert_true(o->weighting == PACED_WEIGHT_NONE || fabs(u[p] - MU) > 1e-6); /* no decision by rounding */
        double w = admitted ? 1 : o->soft ? fmin(1, MU + 0.1) : 0;
        struct ref_mixture m = {k->b.classes, (double)o->c0 + (double)o->c1 * w, (double)o->k0 + (double)o->k1 * w, 4};
        for (size_t c = 0; c < classes; ++c) s[c] = (double)k->s[at + c];
        sums.loss += differentiate(&m, s, k->t + at, target + at, gradient + at);
        for (size_t c = 0; c < classes; ++c) gradient[at + c] /= sums.pixels;
        for (size_t c = 0; c < classes; ++c) none[c] = c == k->labels[p];
        sums.ce += ref_distill_pixel(&(struct ref_mixture){k->b.classes, 1, 0, 4}, s, k->t + at, none);
        sums.kld += ref_distill_pixel(&(struct ref_mixture){k->b.classes, 0, 1, 4}, s, k->t + at, none);
        sums.admitted += w == 1;
    }
    free(target);
    free(u);
    return sums;
}

static void check(const struct batch *b, const struct paced_config *config) {
    struct bench k = start(b, config);
    ignore_some(&k);
    double *gradient = paced_alloc(k.count, sizeof *gradient);
    struct paced_loss_sums want = sum_plainly(&k, gradient);
    send(&k);
    struct paced_loss_sums sums = run(&k, MU, true);
    float *got = read_floats(k.dlogits, k.count);
    assert_true(want.pixels < (double)k.pixels || k.pixels == 1);
    assert_true(sums.pixels == want.pixels && sums.admitted == want.admitted);
    assert_near(sums.loss, want.loss, 2e-6 * fabs(want.loss) + 1e-6);
    assert_near(sums.ce, want.ce, 2e-6 * want.ce + 1e-6);
    assert_near(sums.kld, want.kld, 2e-6 * want.kld + 1e-5);
    assert_close("dlogits", got, gradient, k.count, 1e-5);
    for (size_t i = 0; i < k.count; ++i) assert_true(counts(&k, i / (size_t)b->classes) || got[i] == 0);
    free(got);
    free(gradient);
    finish(&k);
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void test_methods_and_losses(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(batches); ++i) {
        if (!batches[i].small && harness_is_small()) continue;
        struct paced_config config = config_of(0);
        config.uncertainty.kernel = 3 + 2 * (int)(i % 3);
        for (int target = PACED_TARGET_HARD; target <= PACED_TARGET_SVLS; ++target)
            for (int m = 0; paced_method_name(m); ++m) {
                config.uncertainty.target = target;
                config.distill.method = m;
                check(&batches[i], &config);
            }
        for (int loss = 1; paced_loss_name(loss); ++loss) {
            config.distill.loss = loss;
            check(&batches[i], &config);
        }
    }
}

/* Every fusion, with hard and soft admission. */
static void test_fusions(void **state) {
    (void)state;
    struct paced_config config = config_of(PACED_METHOD_PCD);
    for (int fuse = PACED_FUSE_PRODUCT; fuse <= PACED_FUSE_BOUNDARY; ++fuse)
        for (int admission = PACED_ADMISSION_HARD; admission <= PACED_ADMISSION_SOFT; ++admission) {
            config.uncertainty.fuse = fuse;
            config.pacing.admission = admission;
            check(&batches[harness_is_small() ? 1 : 3], &config);
        }
}

/* Ignored pixels have the uncertainty NaN and the weight 0; the others have those of the plain loops. */
static void test_maps(void **state) {
    (void)state;
    static const int losses[] = {0, 3, 7, 9}; /* pcd, w_c, w_s, w_img */
    for (size_t i = 0; i < PACED_COUNT(losses); ++i) {
        struct paced_config config = config_of(PACED_METHOD_PCD);
        config.distill.loss = losses[i];
        config.pacing.admission = losses[i] ? PACED_ADMISSION_AUTO : PACED_ADMISSION_SOFT;
        struct bench k = start(&batches[harness_is_small() ? 1 : 3], &config);
        ignore_some(&k);
        send(&k);
        double *want = admission_of(&k);
        float *u = measure(&k, -1), *weights = paced_alloc(k.pixels, sizeof *weights);
        assert_ok(paced_loss_read_weights(k.loss, k.b.n, weights));
        for (size_t p = 0; p < k.pixels; ++p) {
            if (!counts(&k, p)) assert_true(isnan(u[p]) && weights[p] == 0);
            if (counts(&k, p)) assert_near((double)u[p], want[p], 2e-6);
            if (counts(&k, p)) assert_near((double)weights[p], want[p] <= 0.5 ? 1 : k.objective.soft ? 0.6 : 0, 1e-6);
        }
        free(weights);
        free(u);
        free(want);
        finish(&k);
    }
}

/* A batch without a pixel that counts: no sums, no gradient, no NaN. */
static void test_nothing_left(void **state) {
    (void)state;
    for (int m = 0; paced_method_name(m); ++m)
        for (int target = PACED_TARGET_HARD; target <= PACED_TARGET_SVLS; ++target) {
            struct paced_config config = config_of(m);
            config.uncertainty.target = target;
            struct bench k = start(&batches[1], &config);
            memset(k.labels, PACED_IGNORED, k.pixels);
            send(&k);
            struct paced_loss_sums sums = run(&k, MU, true);
            float *gradient = read_floats(k.dlogits, k.count);
            assert_true(sums.pixels == 0);
            for (int s = 0; s < PACED_SUMS; ++s) assert_true(sums.of[s] == 0);
            for (size_t i = 0; i < k.count; ++i) assert_true(gradient[i] == 0);
            free(gradient);
            finish(&k);
        }
}

/* An ignored sample changes no bit of the sums and gradients of the others: neither with it nor without it. */
static void test_same_bits(void **state) {
    (void)state;
    for (int m = 0; paced_method_name(m); ++m)
        for (int target = PACED_TARGET_HARD; target <= PACED_TARGET_SVLS; ++target) {
            struct paced_config config = config_of(m);
            config.uncertainty.target = target;
            struct bench k = start(&batches[harness_is_small() ? 1 : 3], &config);
            size_t size = k.pixels / (size_t)k.b.n, counted = k.count / (size_t)k.b.n * (size_t)(k.b.n - 1);
            memset(k.labels + k.pixels - size, PACED_IGNORED, size);
            send(&k);
            struct paced_loss_sums with = run(&k, MU, true);
            float *with_gradient = read_floats(k.dlogits, counted);
            --k.b.n;
            assert_ok(paced_loss_write_labels(k.loss, k.labels, k.b.n));
            struct paced_loss_sums without = run(&k, MU, true);
            float *without_gradient = read_floats(k.dlogits, counted);
            assert_memory_equal(&with, &without, sizeof with);
            assert_memory_equal(with_gradient, without_gradient, counted * sizeof(float));
            free(with_gradient);
            free(without_gradient);
            finish(&k);
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_methods_and_losses), cmocka_unit_test(test_fusions),   cmocka_unit_test(test_maps),
    cmocka_unit_test(test_nothing_left),       cmocka_unit_test(test_same_bits),
};
HARNESS_MAIN(tests)
