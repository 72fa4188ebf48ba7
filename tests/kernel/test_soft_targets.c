/* Loss with soft targets on the device against plain loops; gradients against finite differences of the plain loss in
 * double. */
#include <math.h>
#include <string.h>

#include "tests/kernel/loss_bench.h"

static void check_loss(const struct batch *b, const struct paced_config *config, double mu) {
    struct bench k = start(b, config);
    double *u = expected(&k, config->uncertainty.fuse), *target = soft_target(&k), total = 0;
    double *want = paced_alloc(k.count, sizeof *want), s[16];
    const struct paced_objective *o = &k.objective;
    for (size_t p = 0; p < k.pixels; ++p) {
        assert_true(fabs(u[p] - mu) > 1e-6); /* no decision by rounding */
        double w = u[p] <= mu ? 1 : o->soft ? fmin(1, mu + 0.1) : 0;
        struct ref_mixture m = {b->classes, (double)o->c0 + (double)o->c1 * w, (double)o->k0 + (double)o->k1 * w, 4};
        size_t at = p * (size_t)b->classes;
        for (int c = 0; c < b->classes; ++c) s[c] = (double)k.s[at + (size_t)c];
        total += differentiate(&m, s, k.t + at, target + at, want + at);
    }
    for (size_t i = 0; i < k.count; ++i) want[i] /= (double)k.pixels;
    send(&k);
    assert_near(run(&k, mu, true).loss, total, 2e-6 * fabs(total) + 1e-6);
    float *got = read_floats(k.dlogits, k.count);
    assert_close("dlogits", got, want, k.count, 1e-5);
    free(got);
    free(u);
    free(target);
    free(want);
    finish(&k);
}

static void test_targets(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(batches); ++i) {
        if (!batches[i].small && harness_is_small()) continue;
        for (int target = PACED_TARGET_HARD; target <= PACED_TARGET_SVLS; ++target) {
            struct paced_config config = config_of(PACED_METHOD_PCD);
            config.uncertainty.target = target;
            config.uncertainty.kernel = 3 + 2 * (int)(i % 3);
            check_loss(&batches[i], &config, 0.6123);
            config.pacing.admission = PACED_ADMISSION_SOFT;
            config.distill.mix = PACED_MIX_ALPHA;
            config.uncertainty.fuse = PACED_FUSE_WEIGHTED;
            check_loss(&batches[i], &config, 0.2717);
        }
    }
}

/* With equal student logits the gradient is (1 / C - target) / pixels, which shows the target on the device. */
static void test_rows_of_soft_labels(void **state) {
    (void)state;
    for (int kernel = 3; kernel <= 7; kernel += 2) {
        struct paced_config config = config_of(PACED_METHOD_IID);
        config.uncertainty.target = PACED_TARGET_SVLS;
        config.uncertainty.kernel = kernel;
        struct bench k = start(&batches[harness_is_small() ? 1 : 3], &config);
        memset(k.s, 0, k.count * sizeof *k.s);
        send(&k);
        run(&k, 1, true);
        float *grad = read_floats(k.dlogits, k.count);
        double *target = soft_target(&k), sum = 0;
        for (size_t i = 0; i < k.count; ++i) {
            double got = 1.0 / k.b.classes - (double)grad[i] * (double)k.pixels;
            assert_near(got, target[i], 1e-6);
            sum += got;
            if ((i + 1) % (size_t)k.b.classes) continue;
            assert_near(sum, 1, 2e-6);
            sum = 0;
        }
        free(grad);
        free(target);
        finish(&k);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_targets),
    cmocka_unit_test(test_rows_of_soft_labels),
};
HARNESS_MAIN(tests)
