/* NEAREST indices against tables printed by PyTorch 1.13's interpolate(mode="nearest"). */
#include "helper.h"

static const int from_45_to_48[] = {0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                    15, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                                    30, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44};
static const int from_61_to_48[] = {0,  1,  2,  3,  5,  6,  7,  8,  10, 11, 12, 13, 15, 16, 17, 19,
                                    20, 21, 22, 24, 25, 26, 27, 29, 30, 31, 33, 34, 35, 36, 38, 39,
                                    40, 41, 43, 44, 45, 47, 48, 49, 50, 52, 53, 54, 55, 57, 58, 59};
static const int from_200_to_48[] = {0,   4,   8,   12,  16,  20,  25,  29,  33,  37,  41,  45,  50,  54,  58,  62,
                                     66,  70,  75,  79,  83,  87,  91,  95,  100, 104, 108, 112, 116, 120, 124, 129,
                                     133, 137, 141, 145, 150, 154, 158, 162, 166, 170, 175, 179, 183, 187, 191, 195};
static const int from_562_to_64[] = {0,   8,   17,  26,  35,  43,  52,  61,  70,  79,  87,  96,  105, 114, 122, 131,
                                     140, 149, 158, 166, 175, 184, 193, 201, 210, 219, 228, 237, 245, 254, 263, 272,
                                     281, 289, 298, 307, 316, 324, 333, 342, 351, 360, 368, 377, 386, 395, 403, 412,
                                     421, 430, 439, 447, 456, 465, 474, 482, 491, 500, 509, 518, 526, 535, 544, 553};

static void check_table(const int *table, int in, int out) {
    for (int i = 0; i < out; ++i) assert_int_equal(paced_nearest_index(i, in, out), table[i]);
}

static void test_tables(void **state) {
    (void)state;
    check_table(from_45_to_48, 45, 48);
    check_table(from_61_to_48, 61, 48);
    check_table(from_200_to_48, 200, 48);
    check_table(from_562_to_64, 562, 64);
}

/* The only index of 200 -> 48 at which float32 rounding and exact arithmetic differ. */
static void test_float32_rounding(void **state) {
    (void)state;
    int different = 0;
    for (int i = 0; i < 48; ++i) different += paced_nearest_index(i, 200, 48) != i * 200 / 48;
    assert_int_equal(different, 1);
}

/* Sum of (i + 1) * index(i), from PyTorch. */
static void test_checksums(void **state) {
    (void)state;
    const struct {
        int in, out;
        long sum;
    } cases[] = {{7, 224, 104272}, {471, 224, 7864665}, {500, 224, 8350024}, {1000, 96, 3069512}};
    for (size_t c = 0; c < PACED_COUNT(cases); ++c) {
        long sum = 0;
        for (int i = 0; i < cases[c].out; ++i) sum += (i + 1L) * paced_nearest_index(i, cases[c].in, cases[c].out);
        assert_int_equal(sum, cases[c].sum);
    }
}

static void test_indices_stay_inside(void **state) {
    (void)state;
    for (int in = 1; in < 300; in += 3)
        for (int out = 1; out < 70; out += 2) {
            assert_int_equal(paced_nearest_index(0, in, out), 0);
            for (int i = 0; i < out; ++i) assert_in_range(paced_nearest_index(i, in, out), 0, in - 1);
        }
    for (int i = 0; i < 17; ++i) assert_int_equal(paced_nearest_index(i, 17, 17), i);
}

/* Rows and columns have separate scales, and all channels of a pixel come from the same place. */
static void test_picture(void **state) {
    (void)state;
    enum { H = 45, W = 61, S = 48 };
    static uint8_t in[H * W * 3], out[S * S * 3];
    for (int i = 0; i < H * W; ++i) {
        in[3 * i] = (uint8_t)(i / W);
        in[3 * i + 1] = (uint8_t)(i % W);
        in[3 * i + 2] = 200;
    }
    paced_resize_nearest(in, W, H, 3, out, S, S);
    for (int y = 0; y < S; ++y)
        for (int x = 0; x < S; ++x) {
            const uint8_t *p = out + 3 * (y * S + x);
            assert_int_equal(p[0], from_45_to_48[y]);
            assert_int_equal(p[1], from_61_to_48[x]);
            assert_int_equal(p[2], 200);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_float32_rounding),
        cmocka_unit_test(test_checksums), cmocka_unit_test(test_indices_stay_inside),
        cmocka_unit_test(test_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
