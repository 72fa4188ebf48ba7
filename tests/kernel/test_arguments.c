/* Kinds of kernel arguments: a launch with another kind than the kernel declares is an error. */
#include <stdlib.h>
#include <string.h>

#include "tests/kernel/harness.h"

static const struct paced_kernel fma_kernel = {"peak.cl", "peak_fma"}; /* int, int, float, float, buffer */

#define LAUNCH(...) PACED_LAUNCH(harness_device, &fma_kernel, paced_range_items(1), 1, __VA_ARGS__)

/* Asserts that a launch failed and named the argument. */
static void assert_refused(enum paced_err err, struct paced_failures *failures, const char *argument) {
    paced_errors_collect(NULL);
    assert_int_equal(err, PACED_FAILED);
    assert_int_equal(failures->count, 1);
    assert_non_null(strstr(failures->items[0].text, "kernel peak_fma"));
    assert_non_null(strstr(failures->items[0].text, argument));
    paced_failures_finish(failures);
}

#define ASSERT_REFUSED(argument, ...)                             \
    do {                                                          \
        struct paced_failures failures = {0};                     \
        paced_errors_collect(&failures);                          \
        assert_refused(LAUNCH(__VA_ARGS__), &failures, argument); \
    } while (0)

static void test_kinds(void **state) {
    (void)state;
    struct paced_buffer *buffer;
    assert_ok(paced_buffer_create(&buffer, harness_device, 64));
    assert_ok(LAUNCH(1, 1, 1.0f, 1.0f, buffer));
    ASSERT_REFUSED("argument 0", 1u, 1, 1.0f, 1.0f, buffer);
    ASSERT_REFUSED("argument 1", 1, 1.0f, 1.0f, 1.0f, buffer);
    ASSERT_REFUSED("argument 2", 1, 1, 1, 1.0f, buffer);
    ASSERT_REFUSED("argument 3", 1, 1, 1.0f, buffer, buffer);
    ASSERT_REFUSED("argument 4", 1, 1, 1.0f, 1.0f, 1);
    paced_buffer_destroy(buffer);
}

/* A buffer whose format differs from the parameter's type would be read as other numbers. */
static void test_formats(void **state) {
    (void)state;
    struct paced_buffer *whole, *stored;
    assert_ok(paced_buffer_create(&whole, harness_device, 64));
    assert_ok(paced_buffer_view_as(&stored, whole, 0, 32, PACED_BFLOAT16));
    ASSERT_REFUSED("argument 4 (float* ", 1, 1, 1.0f, 1.0f, stored);
    struct paced_failures failures = {0};
    paced_errors_collect(&failures);
    enum paced_err err = PACED_LAUNCH(harness_device, PACED_KERNEL_FOR(relu, relu_fwd, stored, stored),
                                      paced_range_pixels(1, 1), 1, 1, 1, stored, whole);
    paced_errors_collect(NULL);
    assert_int_equal(err, PACED_FAILED);
    assert_int_equal(failures.count, 1);
    assert_non_null(strstr(failures.items[0].text, "kernel relu_fwd: argument 3 (ushort* "));
    paced_failures_finish(&failures);
    paced_buffer_destroy(stored);
    paced_buffer_destroy(whole);
}

static void test_count(void **state) {
    (void)state;
    ASSERT_REFUSED("5 arguments", 1, 1);
}

/* 2^32 work-items do not become none. */
static void test_too_many_items(void **state) {
    (void)state;
    struct paced_failures failures = {0};
    paced_errors_collect(&failures);
    enum paced_err err =
        PACED_LAUNCH(harness_device, &fma_kernel, paced_range_items(UINT64_C(1) << 32), 1, 1, 1, 1.0f, 1.0f, 1);
    assert_refused(err, &failures, "4294967296");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_kinds),
    cmocka_unit_test(test_formats),
    cmocka_unit_test(test_count),
    cmocka_unit_test(test_too_many_items),
};
HARNESS_MAIN(tests)
