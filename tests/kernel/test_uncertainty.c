/* Uncertainty, admission and soft targets on the device against plain loops; gradients against finite differences of
 * the plain loss, in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct batch {
    int n, size, classes;
    bool small;
};

static const struct batch batches[] = {{1, 1, 2, true},   {2, 5, 3, true},   {1, 7, 2, true},
                                       {3, 15, 5, false}, {2, 17, 2, false}, {1, 33, 12, false}};
static char teacher_file[] = "teacher";

/* One loss on the device with a batch of inputs by formula. */
struct bench {
    struct batch b;
    struct paced_config config;
    struct paced_objective objective;
    struct paced_loss *loss;
    struct paced_buffer *logits, *dlogits;
    size_t pixels, count; /* count: logits */
    float *s, *t;
    uint8_t *labels;
};

static struct paced_config config_of(int method) {
    return (struct paced_config){
        .distill = {.method = method, .teacher = teacher_file, .alpha = 0.3, .temperature = 4},
        .uncertainty = {.temperature = 6.26, .kernel = 3, .sigma = 1, .sigma_decay = 1, .beta = 0.3, .smoothing = 0.1},
    };
}

static float *scaled(const char *name, size_t count, float scale) {
    float *values = uniform(name, count);
    for (size_t i = 0; i < count; ++i) values[i] *= scale;
    return values;
}

/* Patches of one label, so that there are insides and edges. */
static uint8_t *make_labels(const struct batch *b) {
    uint8_t *labels = paced_alloc((size_t)(b->n * b->size * b->size), 1);
    for (int i = 0; i < b->n * b->size * b->size; ++i) {
        int n = i / (b->size * b->size), y = i / b->size % b->size, x = i % b->size;
        double u = formula_uniform("patches", (uint64_t)((n * 100 + y / 3) * 100 + x / 4));
        labels[i] = (uint8_t)((u + 1) / 2 * b->classes);
    }
    return labels;
}

static struct bench start(const struct batch *b, const struct paced_config *config) {
    struct bench bench = {.b = *b, .config = *config};
    bench.pixels = (size_t)(b->n * b->size * b->size);
    bench.count = bench.pixels * (size_t)b->classes;
    bench.s = scaled("s", bench.count, 5);
    bench.t = scaled("t", bench.count, 20);
    bench.labels = make_labels(b);
    assert_ok(paced_objective_init(&bench.objective, config));
    assert_ok(paced_loss_create(&bench.loss, harness_device, &bench.objective, true, b->n + 1, b->size, b->classes));
    assert_ok(paced_buffer_create(&bench.logits, harness_device, bench.count * sizeof(float)));
    assert_ok(paced_buffer_create(&bench.dlogits, harness_device, bench.count * sizeof(float)));
    return bench;
}

static void send(struct bench *k) {
    assert_ok(paced_buffer_write(k->logits, k->s, k->count * sizeof(float)));
    assert_ok(paced_buffer_write(paced_loss_teacher(k->loss), k->t, k->count * sizeof(float)));
    assert_ok(paced_buffer_write(paced_loss_labels(k->loss), k->labels, k->pixels));
}

static void finish(struct bench *k) {
    paced_loss_destroy(k->loss);
    paced_buffer_destroy(k->logits);
    paced_buffer_destroy(k->dlogits);
    free(k->s);
    free(k->t);
    free(k->labels);
}

static float *measure(struct bench *k, int fuse) {
    assert_ok(paced_loss_set_epoch(k->loss, 0.5, k->config.uncertainty.sigma));
    assert_ok(paced_loss_measure(k->loss, k->b.n, fuse));
    return read_floats(paced_loss_uncertainty(k->loss), k->pixels);
}

static struct paced_loss_sums run(struct bench *k, double mu, bool with_gradient) {
    struct paced_loss_sums sums;
    assert_ok(paced_loss_set_epoch(k->loss, mu, k->config.uncertainty.sigma));
    assert_ok(paced_loss_run(k->loss, k->logits, k->b.n, with_gradient ? k->dlogits : NULL));
    assert_ok(paced_loss_read_later(k->loss, k->b.n));
    assert_ok(paced_loss_wait(k->loss, &sums));
    return sums;
}

static struct ref_uncertainty ref_of(const struct bench *k, int fuse) {
    return (struct ref_uncertainty){.n = k->b.n,
                                    .size = k->b.size,
                                    .classes = k->b.classes,
                                    .prediction = k->config.uncertainty.prediction,
                                    .boundary = k->config.uncertainty.boundary,
                                    .fuse = fuse,
                                    .tau = k->config.uncertainty.temperature,
                                    .beta = k->config.uncertainty.beta,
                                    .sigma = k->config.uncertainty.sigma,
                                    .kernel = (int)k->config.uncertainty.kernel};
}

static double *expected(const struct bench *k, int fuse) {
    struct ref_uncertainty ref = ref_of(k, fuse);
    double *u = paced_alloc(k->pixels, sizeof *u);
    ref_uncertainty(&ref, k->t, k->labels, u);
    return u;
}

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

/* The objective's own fusion where none is asked for. */
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

/* A square of ones amid zeros, and one pixel alone: what each keeps of its label, whatever the kernel's side. */
static void test_boundary_by_hand(void **state) {
    (void)state;
    static const struct batch b = {1, 21, 2, true};
    struct paced_config config = config_of(PACED_METHOD_PCD);
    struct bench k = start(&b, &config);
    memset(k.labels, 0, k.pixels);
    for (int y = 4; y < 12; ++y)
        for (int x = 4; x < 12; ++x) k.labels[y * 21 + x] = 1;
    k.labels[17 * 21 + 17] = 1;
    k.labels[0] = 1; /* the image's corner, padded: shares its label with three of the padding's */
    send(&k);
    float *u = measure(&k, PACED_FUSE_BOUNDARY);
    assert_true(u[8 * 21 + 8] == 0); /* exactly: mu = 0 admits the insides */
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
    if (method == PACED_METHOD_TPL) config.uncertainty.prediction = PACED_PREDICTION_MAX; /* what w_s looks at */
    struct bench k = start(b, &config);
    double *u = expected(&k, method == PACED_METHOD_PCD ? PACED_FUSE_PRODUCT : PACED_FUSE_PREDICTION), last = 0;
    for (size_t i = 0; order == PACED_ORDER_HARD && i < k.pixels; ++i) u[i] = 1 - u[i];
    send(&k);
    assert_true(run(&k, -0.05, false).admitted == 0);
    for (int step = 0; step <= 20; ++step) {
        double mu = step / 20.0, got = run(&k, mu, false).admitted;
        bool all = step == 20 || (method == PACED_METHOD_CPL && mu + 0.1 >= 1); /* the soft weight is 1 there, too */
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

/* mu as a quantile of the measured uncertainty admits the very share, the pixels at the quantile with it. */
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
    assert_ok(paced_histogram_add(histogram, u, k.pixels));
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

/* The reference's "per image" is 1 / C for every pixel: at mu = 1 - 1 / C rounding must not choose among them. */
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

/* ---- the loss with soft targets ------------------------------------------------------------------------------- */

static double *soft_target(const struct bench *k) {
    double *target = paced_alloc(k->count, sizeof *target), epsilon = k->config.uncertainty.smoothing;
    struct ref_uncertainty ref = ref_of(k, 0);
    int kind = k->config.uncertainty.target, classes = k->b.classes;
    ref_svls_label(&ref, k->labels, target);
    for (size_t i = 0; kind != PACED_TARGET_SVLS && i < k->count; ++i) {
        double hard = (int)(i % (size_t)classes) == k->labels[i / (size_t)classes];
        target[i] = kind == PACED_TARGET_HARD ? hard : (1 - epsilon) * hard + epsilon / classes;
    }
    return target;
}

/* The plain loss of one pixel as a function of its logits, and its slope by central differences. */
static double differentiate(const struct ref_mixture *m, double *s, const float *t, const double *target, double *ds) {
    static const double h = 1e-5;
    for (int c = 0; c < m->classes; ++c) {
        double at = s[c];
        s[c] = at + h;
        double above = ref_distill_pixel(m, s, t, target);
        s[c] = at - h;
        ds[c] = (above - ref_distill_pixel(m, s, t, target)) / (2 * h);
        s[c] = at;
    }
    return ref_distill_pixel(m, s, t, target);
}

static void check_loss(const struct batch *b, const struct paced_config *config, double mu) {
    struct bench k = start(b, config);
    double *u = expected(&k, config->uncertainty.fuse), *target = soft_target(&k), total = 0;
    double *want = paced_alloc(k.count, sizeof *want), s[16];
    const struct paced_objective *o = &k.objective;
    for (size_t p = 0; p < k.pixels; ++p) {
        assert_true(fabs(u[p] - mu) > 1e-6); /* else rounding would decide */
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

/* With equal student logits the gradient is (1 / C - target) / pixels: the target's rows, as the device sees them. */
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
    cmocka_unit_test(test_fusions),
    cmocka_unit_test(test_own_fusion),
    cmocka_unit_test(test_boundary_by_hand),
    cmocka_unit_test(test_share_grows_with_mu),
    cmocka_unit_test(test_quantiles_admit_their_share),
    cmocka_unit_test(test_class_mean_is_all_or_none),
    cmocka_unit_test(test_targets),
    cmocka_unit_test(test_rows_of_soft_labels),
};
HARNESS_MAIN(tests)
