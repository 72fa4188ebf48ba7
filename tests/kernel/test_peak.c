/* Kernels that measure the device do the work that is counted: chains of multiply-adds against the same chains in
 * double, and a copy of every element and no other. */
#include <math.h>
#include <stdlib.h>

#include "tests/kernel/harness.h"

enum { CHAINS = 12, UNROLLED = 8 };

static void check_fma(int items, int vec, int rounds) {
    static const struct paced_kernel peak_fma = {"peak.cl", "peak_fma"};
    const float a = 0.75f, b = 0.125f;
    size_t count = (size_t)(items * vec);
    float *values = uniform("values", count);
    double *want = paced_alloc(count, sizeof *want);
    for (size_t at = 0; at < count; ++at)
        for (int i = 0; i < CHAINS; ++i) {
            double x = (double)values[at] + i;
            for (int step = 0; step < rounds * UNROLLED; ++step) x = x * (double)a + (double)b;
            want[at] += x;
        }
    struct paced_buffer *buffer;
    assert_ok(paced_buffer_create(&buffer, harness_device, count * sizeof *values));
    assert_ok(paced_buffer_write(buffer, values, count * sizeof *values));
    assert_ok(
        PACED_LAUNCH(harness_device, &peak_fma, paced_range_items((uint64_t)items), vec, items, rounds, a, b, buffer));
    float *got = read_floats(buffer, count);
    assert_close("chains", got, want, count, 1e-6);
    paced_buffer_destroy(buffer);
    free(got);
    free(want);
    free(values);
}

static void test_multiply_adds(void **state) {
    (void)state;
    check_fma(1, 1, 1);
    check_fma(17, 4, 2);
    check_fma(33, 16, 3);
}

static void check_copy(unsigned vectors, int vec, unsigned chunk) {
    static const struct paced_kernel peak_copy = {"peak.cl", "peak_copy"};
    size_t count = (size_t)vectors * (size_t)vec;
    float *values = uniform("values", count);
    double *want = paced_alloc(count, sizeof *want);
    for (size_t i = 0; i < count; ++i) want[i] = (double)values[i];
    struct paced_buffer *from, *to;
    assert_ok(paced_buffer_create(&from, harness_device, count * sizeof *values));
    assert_ok(paced_buffer_create(&to, harness_device, count * sizeof *values));
    assert_ok(paced_buffer_write(from, values, count * sizeof *values));
    assert_ok(paced_buffer_zero(to, count * sizeof *values));
    struct paced_range range = paced_range_items((vectors + chunk - 1) / chunk);
    assert_ok(PACED_LAUNCH(harness_device, &peak_copy, range, vec, chunk, vectors, from, to));
    float *got = read_floats(to, count);
    assert_close("copy", got, want, count, 0);
    paced_buffer_destroy(to);
    paced_buffer_destroy(from);
    free(got);
    free(want);
    free(values);
}

static void test_copy(void **state) {
    (void)state;
    check_copy(1, 1, 1);
    check_copy(33, 4, 1);
    check_copy(31, 16, 15);
}

/* Measurements give positive numbers and release their memory. */
static void test_measuring(void **state) {
    (void)state;
    if (harness_is_small()) return; /* a simulator would take minutes */
    uint64_t before = paced_device_allocated(harness_device);
    double gflops = 0, gbytes_per_s = 0;
    assert_ok(paced_device_measure_peak(harness_device, &gflops, &gbytes_per_s));
    assert_true(isfinite(gflops) && gflops > 0);
    assert_true(isfinite(gbytes_per_s) && gbytes_per_s > 0);
    assert_int_equal(paced_device_allocated(harness_device), before);
    assert_ok(paced_device_measure_peak(harness_device, &gflops, NULL));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_multiply_adds),
    cmocka_unit_test(test_copy),
    cmocka_unit_test(test_measuring),
};
HARNESS_MAIN(tests)
