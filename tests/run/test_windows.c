/* Windows over an image: positions, weights, and rows blended in a narrow band equal those of the whole image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/run/predict/blend.h"

static const double overlaps[] = {0, 0.25, 0.5, 0.9};
static const int sizes[] = {1, 2, 15, 16, 48}, lengths[] = {1, 2, 15, 16, 17, 31, 47, 48, 49, 97, 500};

/* ---- one axis ------------------------------------------------------------------------------------------------ */

static void check_layout(int length, int size, double overlap) {
    struct windows w;
    windows_lay_out(&w, length, size, overlap);
    double *sum = calloc((size_t)length, sizeof *sum);
    for (int i = 0; i < w.count; ++i) {
        int step = i ? w.start[i] - w.start[i - 1] : 0;
        assert_true(step >= 0 && (step <= 1 || step <= size * (1 - overlap)));
        for (int t = 0; t < size; ++t) {
            float share = w.share[i * size + t];
            bool inside = w.start[i] + t >= 0 && w.start[i] + t < length;
            assert_true(inside ? share > 0 : share == 0);
            if (inside) sum[w.start[i] + t] += (double)share;
        }
    }
    for (int i = 0; i < length; ++i) assert_float_equal(sum[i], 1, 1e-6);
    if (length >= size) {
        assert_int_equal(w.start[0], 0);
        assert_int_equal(w.start[w.count - 1], length - size);
    } else { /* a single window, centred on the axis */
        assert_int_equal(w.count, 1);
        int before = -w.start[0], behind = size - length - before;
        assert_true(before == behind || before + 1 == behind);
    }
    free(sum);
    windows_finish(&w);
}

static void test_layout(void **state) {
    (void)state;
    for (size_t l = 0; l < PACED_COUNT(lengths); ++l)
        for (size_t s = 0; s < PACED_COUNT(sizes); ++s)
            for (size_t o = 0; o < PACED_COUNT(overlaps); ++o) check_layout(lengths[l], sizes[s], overlaps[o]);
}

/* The number of windows is the minimum for the overlap, and the middle of a window outweighs the border of its
 * neighbour. */
static void test_counts_and_weights(void **state) {
    (void)state;
    struct windows w;
    windows_lay_out(&w, 96, 48, 0.5);
    assert_int_equal(w.count, 3);
    assert_int_equal(w.start[1], 24);
    assert_true(w.share[24] > 0.999f);         /* first window, in its middle */
    assert_true(w.share[48 + 0] < 0.001f);     /* first window, at the start of the second */
    assert_float_equal(w.share[36], 0.5, 0.1); /* half-way */
    windows_finish(&w);
}

static void test_mirror(void **state) {
    (void)state;
    static const int of_four[] = {3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3};
    for (int i = -3; i <= 9; ++i) assert_int_equal(windows_mirror(i, 4), of_four[i + 3]);
    for (int i = -5; i < 5; ++i) assert_int_equal(windows_mirror(i, 1), 0);
    for (int i = -4; i < 4; ++i) assert_int_equal(windows_mirror(i, 2), abs(i) % 2);
}

/* ---- a plane ------------------------------------------------------------------------------------------------- */

enum { CLASSES = 3 };

struct whole {
    int width, rows;
    float *logits; /* [height][width][CLASSES] */
};

static enum paced_err take_row(void *context, int y, const float *logits) {
    struct whole *whole = context;
    assert_int_equal(y, whole->rows++); /* each row once, from the top */
    size_t row = (size_t)whole->width * CLASSES;
    memcpy(whole->logits + (size_t)y * row, logits, row * sizeof *logits);
    return PACED_OK;
}

static void fill_random(float *values, size_t count, uint64_t stream) {
    struct paced_rng rng;
    paced_rng_seed(&rng, 1, stream);
    for (size_t i = 0; i < count; ++i) values[i] = (float)paced_rng_normal(&rng);
}

/* Plain reference for add_window, on an array of the whole image. */
static void add_plainly(const struct windows *down, const struct windows *across, int i, int j, bool mirrored,
                        const float *logits, float *sum) {
    int size = down->size;
    for (int r = 0; r < size; ++r)
        for (int q = 0; q < size; ++q) {
            int y = down->start[i] + r, x = across->start[j] + (mirrored ? size - 1 - q : q);
            if (y < 0 || y >= down->length || x < 0 || x >= across->length) continue;
            float share = 0.5f * down->share[i * size + r] * across->share[j * size + x - across->start[j]];
            for (int c = 0; c < CLASSES; ++c)
                sum[(y * across->length + x) * CLASSES + c] += share * logits[(r * size + q) * CLASSES + c];
        }
}

static void check_blend(int width, int height, int size, double overlap) {
    struct windows down, across;
    windows_lay_out(&down, height, size, overlap);
    windows_lay_out(&across, width, size, overlap);
    size_t values = (size_t)width * (size_t)height * CLASSES, window = (size_t)(size * size * CLASSES);
    float *expected = calloc(values, sizeof *expected), *logits = calloc(window, sizeof *logits);
    struct whole whole = {.width = width, .logits = calloc(values, sizeof *whole.logits)};
    struct blend blend;
    blend_start(&blend, &down, &across, CLASSES, take_row, &whole);
    assert_true(blend.kept <= size);
    for (int k = 0; k < down.count * across.count * 2; ++k) {
        int i = k / 2 / across.count, j = k / 2 % across.count;
        fill_random(logits, window, (uint64_t)k);
        assert_int_equal(blend_add(&blend, i, j, 0.5f, k % 2, logits), PACED_OK);
        add_plainly(&down, &across, i, j, k % 2, logits, expected);
    }
    assert_int_equal(blend_end(&blend), PACED_OK);
    assert_int_equal(whole.rows, height);
    assert_memory_equal(whole.logits, expected, values * sizeof *expected);
    blend_finish(&blend);
    free(whole.logits);
    free(logits);
    free(expected);
    windows_finish(&across);
    windows_finish(&down);
}

static void test_band_is_the_whole(void **state) {
    (void)state;
    static const int sides[] = {1, 7, 15, 16, 33, 50};
    for (size_t w = 0; w < PACED_COUNT(sides); ++w)
        for (size_t h = 0; h < PACED_COUNT(sides); ++h)
            for (size_t o = 0; o < PACED_COUNT(overlaps); ++o) check_blend(sides[w], sides[h], 15, overlaps[o]);
}

/* An error of the row callback ends the blend. */
static enum paced_err refuse_row(void *context, int y, const float *logits) {
    (void)logits;
    return y < *(int *)context ? PACED_OK : PACED_INVALID;
}

static void test_row_that_is_refused(void **state) {
    (void)state;
    struct windows down, across;
    windows_lay_out(&down, 40, 16, 0.5);
    windows_lay_out(&across, 16, 16, 0.5);
    float *logits = calloc(16 * 16 * CLASSES, sizeof *logits);
    struct blend blend;
    int last = 5;
    blend_start(&blend, &down, &across, CLASSES, refuse_row, &last);
    assert_int_equal(blend_add(&blend, 0, 0, 1, false, logits), PACED_OK);
    assert_int_equal(blend_add(&blend, 1, 0, 1, false, logits), PACED_INVALID);
    blend_finish(&blend);
    free(logits);
    windows_finish(&across);
    windows_finish(&down);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_counts_and_weights),
        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_band_is_the_whole),
        cmocka_unit_test(test_row_that_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
