/* Placement of images in the network's input. */
#include "helper.h"

/* An image, an input, and the expected size and position for pad and for crop. */
static const struct {
    struct paced_extent image, input;
    struct paced_placement pad, crop;
} cases[] = {
    {{40, 60}, {32, 32}, {{21, 32}, 5, 0}, {{32, 48}, 0, -8}},
    {{60, 40}, {32, 32}, {{32, 21}, 0, 5}, {{48, 32}, -8, 0}},
    {{60, 40}, {30, 20}, {{30, 20}, 0, 0}, {{30, 20}, 0, 0}},
    {{100, 100}, {36, 48}, {{36, 36}, 0, 6}, {{48, 48}, -6, 0}},
    {{3, 2000}, {16, 16}, {{1, 16}, 7, 0}, {{16, 10667}, 0, -5325}},
    {{2000, 1}, {16, 16}, {{16, 1}, 0, 7}, {{32000, 16}, -15992, 0}},
};

static void check(struct paced_placement got, struct paced_placement expected) {
    assert_true(paced_extent_equal(got.size, expected.size));
    assert_int_equal(got.top, expected.top);
    assert_int_equal(got.left, expected.left);
}

static void test_places(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        check(paced_fit_place(PACED_FIT_PAD, cases[i].image, cases[i].input), cases[i].pad);
        check(paced_fit_place(PACED_FIT_CROP, cases[i].image, cases[i].input), cases[i].crop);
        check(paced_fit_place(PACED_FIT_STRETCH, cases[i].image, cases[i].input),
              (struct paced_placement){cases[i].input, 0, 0});
    }
}

/* Every pixel of an image that was enlarged comes back from its position in the input; the border is the border. */
static void test_there_and_back(void **state) {
    (void)state;
    enum { H = 5, W = 9, SIDE = 24, BORDER = 255 };
    const struct paced_extent image = {H, W}, input = {SIDE, SIDE};
    uint8_t pixels[H * W], placed[SIDE * SIDE];
    size_t border = 0;
    for (int i = 0; i < H * W; ++i) pixels[i] = (uint8_t)i;
    for (int fit = PACED_FIT_STRETCH; fit <= PACED_FIT_PAD; ++fit) {
        const struct paced_placement p = paced_fit_place(fit, image, input);
        paced_fit_nearest(fit, pixels, image, 1, BORDER, placed, input);
        for (int y = 0; y < H; ++y)
            for (int x = 0; x < W; ++x) {
                int row = paced_fit_index(y, H, p.top, p.size.height),
                    column = paced_fit_index(x, W, p.left, p.size.width);
                assert_in_range(placed[row * SIDE + column], 0, H * W - 1);
            }
        border = 0;
        for (int i = 0; i < SIDE * SIDE; ++i) border += placed[i] == BORDER;
        assert_int_equal(border, (size_t)(SIDE * SIDE) - paced_extent_pixels(p.size));
    }
    assert_int_equal(border, SIDE * (SIDE - 13)); /* 9 x 5 becomes 24 x 13 */
    paced_fit_nearest(PACED_FIT_CROP, pixels, image, 1, BORDER, placed, input);
    for (int i = 0; i < SIDE * SIDE; ++i) assert_in_range(placed[i] % W, 1, 6); /* the middle columns */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_there_and_back)};
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
