/* Downscaling: means of equal boxes, and objects thinner than a box remain visible. */
#include "paced/report.h"
#include "tests/square.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 1000, SIDE = 256 };

/* The same size is a copy. */
static void test_same_size(void **state) {
    (void)state;
    const uint8_t rgb[12] = {0, 1, 2, 3, 4, 5, 6, 255, 8, 9, 10, 11}, label[4] = {0, 3, 255, 1};
    const float values[4] = {0.25f, 1, 0, 7};
    uint8_t small[12];
    float map[4];
    paced_shrink_image(rgb, square(2), small, square(2));
    assert_memory_equal(small, rgb, 12);
    paced_shrink_labels(label, square(2), small, square(2));
    assert_memory_equal(small, label, 4);
    paced_shrink_map(values, square(2), map, square(2));
    assert_memory_equal(map, values, sizeof map);
}

/* 5 pixels become 2, from boxes of 2 and 3. */
static void test_means(void **state) {
    (void)state;
    uint8_t rgb[75], small[12];
    float values[25], map[4];
    for (int i = 0; i < 25; ++i) {
        const int left = i % 5 < 2, top = i / 5 < 2;
        values[i] = (float)(left + 2 * top + (i % 5 == 0));
        for (int c = 0; c < 3; ++c) rgb[3 * i + c] = (uint8_t)(100 * c + 10 * left + (i % 5 == 4 && i / 5 == 4));
    }
    paced_shrink_map(values, square(5), map, square(2));
    const float means[4] = {3.5f, 2, 1.5f, 0};
    for (int i = 0; i < 4; ++i) assert_true(fabsf(map[i] - means[i]) < 1e-6f);
    paced_shrink_image(rgb, square(5), small, square(2));
    const uint8_t expected[12] = {10, 110, 210, 0, 100, 200, 10, 110, 210, 0, 100, 200}; /* 1/9 is rounded down */
    assert_memory_equal(small, expected, 12);
}

/* A line of one pixel appears in every row; of two classes, the more frequent one counts. */
static void test_thin_lines_stay(void **state) {
    (void)state;
    uint8_t *label = paced_alloc(SIZE * SIZE, 1), *small = paced_alloc(SIDE * SIDE, 1);
    for (int y = 0; y < SIZE; ++y) label[y * SIZE + (y * 7 + 3) % SIZE / 2] = 4;
    for (int y = 0; y < SIZE; ++y) memset(label + y * SIZE + 900, y < 501 ? 2 : 9, 100);
    paced_shrink_labels(label, square(SIZE), small, square(SIDE));
    for (int y = 0; y < SIDE; ++y) {
        assert_non_null(memchr(small + y * SIDE, 4, SIDE));
        assert_int_equal(small[y * SIDE + SIDE - 1],
                         y < 128 ? 2 : 9); /* row 128: one of three or four rows is class 2 */
        assert_int_equal(small[y * SIDE + 200], 0);
    }
    free(small);
    free(label);
}

/* Boxes of 2 x 2: any class hides ignored pixels, and these hide the background. */
static void test_ignored(void **state) {
    (void)state;
    enum { X = PACED_IGNORED };
    static const uint8_t label[16] = {X, X, X, 0, X, 1, 0, 0, X, X, 0, 0, X, X, 0, 0}, expected[4] = {1, X, X, 0};
    uint8_t small[4];
    paced_shrink_labels(label, square(4), small, square(2));
    assert_memory_equal(small, expected, sizeof small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_size),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_thin_lines_stay),
        cmocka_unit_test(test_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
