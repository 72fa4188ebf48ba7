/* paced_gemm against plain loops: overwriting and accumulating, single products and batches, and the shapes of a UNet's
 * layers (a chunk of 3072 pixels; 576 = 9 taps of 64 channels). Sizes are whole tiles by contract. */
#include <stdlib.h>
#include <string.h>

#include "tests/capture.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct product {
    int batch, m, n, k;
    bool small;
};

static const struct product products[] = {
    {1, 16, 16, 16, true},
    {1, 48, 32, 64, true},
    {1, 80, 144, 112, false},
    {3, 32, 48, 16, true},
    {36, 16, 32, 48, false},
    {36, 64, 16, 16, false},
    /* layers: forward, weights, data; the image's 27 (padded to 32) columns; the 1x1 head */
    {1, 3072, 64, 576, false},
    {1, 64, 576, 3072, false},
    {1, 3072, 32, 1152, false},
    {1, 3072, 64, 32, false},
    {1, 64, 32, 3072, false},
    {1, 3072, 16, 64, false},
    {1, 208, 512, 4608, false},
};

/* Sums of up to 4608 products in float32, in any order or in blocks of 64. */
static const double BOUND = 1e-5, BLOCKED_BOUND = 5e-7;

enum routine { FAST, CAREFUL };

static struct paced_buffer *upload(const float *values, size_t count) {
    struct paced_buffer *buffer;
    assert_ok(paced_buffer_create(&buffer, harness_device, count * sizeof *values));
    assert_ok(paced_buffer_write(buffer, values, count * sizeof *values));
    return buffer;
}

static void check(enum routine routine, const struct product *p, float beta) {
    size_t batch = (size_t)p->batch, m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
    float *a = uniform("a", batch * m * k), *b = uniform("b", batch * k * n), *before = uniform("c", batch * m * n);
    double *want = paced_alloc(batch * m * n, sizeof *want);
    struct paced_buffer *da = upload(a, batch * m * k), *db = upload(b, batch * k * n),
                        *dc = upload(before, batch * m * n);
    ref_gemm(p->batch, p->m, p->n, p->k, a, b, (double)beta, before, want);
    assert_ok(routine == CAREFUL ? paced_gemm_blocked(harness_device, p->batch, p->m, p->n, p->k, da, db, dc)
                                 : paced_gemm(harness_device, p->batch, p->m, p->n, p->k, da, db, beta, dc));
    float *got = read_floats(dc, batch * m * n);
    char text[96];
    snprintf(text, sizeof text, "%d x [%d, %d] [%d, %d], beta %g", p->batch, p->m, p->k, p->k, p->n, (double)beta);
    assert_close(text, got, want, batch * m * n, routine == CAREFUL ? BLOCKED_BOUND : BOUND);
    paced_buffer_destroy(da);
    paced_buffer_destroy(db);
    paced_buffer_destroy(dc);
    free(a);
    free(b);
    free(before);
    free(want);
    free(got);
}

static void check_all(enum routine routine, float beta) {
    for (size_t i = 0; i < PACED_COUNT(products); ++i)
        if (products[i].small || !harness_is_small()) check(routine, &products[i], beta);
}

static void test_overwrite(void **state) {
    (void)state;
    check_all(FAST, 0);
}

static void test_accumulate(void **state) {
    (void)state;
    check_all(FAST, 1);
}

static void test_careful(void **state) {
    (void)state;
    check_all(CAREFUL, 0);
}

/* beta 0 overwrites even a NaN. */
static void test_overwrites_nan(void **state) {
    (void)state;
    static const struct { int m, n, k; } sizes[] = {{16, 16, 16}, {48, 32, 16}};
    for (size_t i = 0; i < PACED_COUNT(sizes); ++i) {
        int m = sizes[i].m, n = sizes[i].n, k = sizes[i].k;
        float *a = uniform("a", (size_t)(m * k)), *b = uniform("b", (size_t)(k * n)),
              *c = paced_alloc((size_t)(m * n), sizeof *c);
        double *want = paced_alloc((size_t)(m * n), sizeof *want);
        for (int j = 0; j < m * n; ++j) c[j] = __builtin_nanf("");
        struct paced_buffer *da = upload(a, (size_t)(m * k)), *db = upload(b, (size_t)(k * n)),
                            *dc = upload(c, (size_t)(m * n));
        ref_gemm(1, m, n, k, a, b, 0, NULL, want);
        assert_ok(paced_gemm(harness_device, 1, m, n, k, da, db, 0, dc));
        float *got = read_floats(dc, (size_t)(m * n));
        assert_close("c", got, want, (size_t)(m * n), BOUND);
        paced_buffer_destroy(da);
        paced_buffer_destroy(db);
        paced_buffer_destroy(dc);
        float *arrays[] = {a, b, c, got};
        for (size_t j = 0; j < PACED_COUNT(arrays); ++j) free(arrays[j]);
        free(want);
    }
}

static void test_refuses_parts_of_tiles(void **state) {
    (void)state;
    static const struct { int m, n, k; } sizes[] = {{17, 16, 16}, {16, 8, 16}, {16, 16, 31}};
    struct paced_buffer *buffer;
    assert_ok(paced_buffer_create(&buffer, harness_device, 32 * 32 * sizeof(float)));
    for (size_t i = 0; i < PACED_COUNT(sizes); ++i) {
        struct capture capture;
        capture_start(&capture);
        enum paced_err err =
            paced_gemm(harness_device, 1, sizes[i].m, sizes[i].n, sizes[i].k, buffer, buffer, 0, buffer);
        capture_end(&capture);
        assert_int_equal(err, PACED_FAILED);
        assert_non_null(strstr(capture.text, "multiples of 16"));
    }
    paced_buffer_destroy(buffer);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_overwrite),
    cmocka_unit_test(test_accumulate),
    cmocka_unit_test(test_careful),
    cmocka_unit_test(test_overwrites_nan),
    cmocka_unit_test(test_refuses_parts_of_tiles),
};
HARNESS_MAIN(tests)
