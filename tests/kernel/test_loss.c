/* Objective, its gradient, and argmax on the device against plain loops. */
#include <stdlib.h>

#include "paced/distill.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct batch {
    int n, h, w, classes;
    float scale; /* of the logits */
    bool small;
};

static const struct batch batches[] = {
    {1, 1, 1, 2, 1, true},     {2, 5, 4, 2, 3, true},      {1, 4, 4, 3, 1000, true},    {3, 15, 11, 2, 1, false},
    {2, 17, 17, 5, 10, false}, {1, 20, 33, 12, 30, false}, {2, 31, 31, 2, 1000, false}, {3, 300, 220, 2, 2, false},
};

static size_t pixels_of(const struct batch *b) {
    return (size_t)(b->n * b->h * b->w);
}

static float *make_logits(const struct batch *b) {
    size_t count = pixels_of(b) * (size_t)b->classes;
    float *logits = uniform("logits", count);
    for (size_t i = 0; i < count; ++i) logits[i] *= b->scale;
    return logits;
}

static uint8_t *make_labels(const struct batch *b) {
    float *u = uniform("labels", pixels_of(b));
    uint8_t *labels = paced_alloc(pixels_of(b), 1);
    for (size_t i = 0; i < pixels_of(b); ++i) labels[i] = (uint8_t)((u[i] + 1) / 2 * (float)b->classes * 0.9999f);
    free(u);
    return labels;
}

/* Memory holds one sample more than the batch. */
static void run(const struct batch *b, const float *logits, const uint8_t *labels, bool with_gradient, float *dlogits,
                struct paced_loss_sums *sums) {
    uint64_t bytes = pixels_of(b) * (uint64_t)b->classes * sizeof(float);
    struct paced_loss *loss;
    struct paced_buffer *device_logits, *device_grad;
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&loss, harness_device, &plain, false, b->n + 1, (struct paced_extent){b->h, b->w},
                                b->classes));
    assert_ok(paced_buffer_create(&device_logits, harness_device, bytes));
    assert_ok(paced_buffer_create(&device_grad, harness_device, bytes));
    assert_ok(paced_buffer_write(device_logits, logits, bytes));
    assert_ok(paced_loss_write_labels(loss, labels, b->n));
    assert_ok(paced_loss_run(loss, device_logits, b->n, with_gradient ? device_grad : NULL));
    assert_ok(paced_loss_read_later(loss, b->n));
    assert_ok(paced_loss_wait(loss, sums));
    if (with_gradient) assert_ok(paced_buffer_read(device_grad, dlogits, bytes));
    paced_buffer_destroy(device_logits);
    paced_buffer_destroy(device_grad);
    paced_loss_destroy(loss);
}

static void check_loss(const struct batch *b) {
    size_t count = pixels_of(b) * (size_t)b->classes;
    float *logits = make_logits(b), *got = paced_alloc(count, sizeof *got);
    uint8_t *labels = make_labels(b);
    double *want = paced_alloc(count, sizeof *want);
    double ce = ref_softmax_cross_entropy(pixels_of(b), b->classes, logits, labels, want) * (double)pixels_of(b);
    struct paced_loss_sums sums, alone;
    run(b, logits, labels, true, got, &sums);
    assert_close("dlogits", got, want, count, 1e-5);
    assert_near(sums.ce, ce, 1e-6 * ce);
    assert_near(sums.loss, ce, 1e-6 * ce);
    run(b, logits, labels, false, NULL, &alone);
    assert_true(alone.ce == sums.ce);
    free(logits);
    free(got);
    free(labels);
    free(want);
}

static void test_cross_entropy(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(batches); ++i)
        if (batches[i].small || !harness_is_small()) check_loss(&batches[i]);
}

/* With two pending reads, each wait returns its own sums, in order. */
static void test_two_reads(void **state) {
    (void)state;
    static const struct batch b = {1, 3, 3, 2, 1, true};
    const uint8_t labels[9] = {0};
    float logits[18] = {0};
    struct paced_loss *loss;
    struct paced_buffer *buffer;
    struct paced_loss_sums sums;
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&loss, harness_device, &plain, false, b.n, (struct paced_extent){b.h, b.w}, b.classes));
    assert_ok(paced_buffer_create(&buffer, harness_device, sizeof logits));
    assert_ok(paced_loss_write_labels(loss, labels, b.n));
    for (int step = 0; step < 5; ++step) {
        for (int p = 0; p < 9; ++p) logits[2 * p] = (float)step;
        assert_ok(paced_buffer_write(buffer, logits, sizeof logits));
        assert_ok(paced_loss_run(loss, buffer, 1, NULL));
        assert_ok(paced_loss_read_later(loss, 1));
        if (step == 0) continue;
        for (int p = 0; p < 9; ++p) logits[2 * p] = (float)(step - 1);
        assert_ok(paced_loss_wait(loss, &sums));
        assert_near(sums.ce, 9 * ref_softmax_cross_entropy(9, 2, logits, labels, NULL), 1e-5);
    }
    paced_loss_destroy(loss); /* the last read is still pending */
    paced_buffer_destroy(buffer);
}

static void check_argmax(const struct batch *b) {
    static const struct paced_kernel argmax = {"argmax.cl", "argmax"};
    int pixels = (int)pixels_of(b);
    size_t count = pixels_of(b) * (size_t)b->classes;
    float *logits = uniform("logits", count);
    for (size_t i = 0; i < count; ++i) logits[i] = (float)(int)(3 * logits[i]); /* many are equal: the first wins */
    uint8_t *want = paced_alloc(pixels_of(b), 1), *got = paced_alloc(pixels_of(b), 1);
    ref_argmax(pixels_of(b), b->classes, logits, want);
    struct paced_buffer *device_logits, *prediction;
    assert_ok(paced_buffer_create(&device_logits, harness_device, count * sizeof *logits));
    assert_ok(paced_buffer_create(&prediction, harness_device, pixels_of(b)));
    assert_ok(paced_buffer_write(device_logits, logits, count * sizeof *logits));
    assert_ok(PACED_LAUNCH(harness_device, &argmax, paced_range_items(pixels_of(b)), 1, pixels, (int)b->classes,
                           device_logits, prediction));
    assert_ok(paced_buffer_read(prediction, got, pixels_of(b)));
    assert_memory_equal(got, want, pixels_of(b));
    paced_buffer_destroy(device_logits);
    paced_buffer_destroy(prediction);
    free(logits);
    free(want);
    free(got);
}

static void test_argmax(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(batches); ++i)
        if (batches[i].small || !harness_is_small()) check_argmax(&batches[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_cross_entropy),
    cmocka_unit_test(test_two_reads),
    cmocka_unit_test(test_argmax),
};
HARNESS_MAIN(tests)
