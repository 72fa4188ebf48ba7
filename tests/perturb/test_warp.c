/* Warps: exact cases (identity, flips, quarter turns, whole shifts), positions, alignment of label and image, borders,
 * and the magnitude of the elastic field. Then the corruptions built on them. */
#include "sample.h"

#include "src/perturb/warp.h"
#include "tests/square.h"

static const int sizes[] = {1, 2, 15, 16, 31, 224};

/* ---- exact cases --------------------------------------------------------------------------------------------- */

/* Source of output pixel (x, y). */
typedef void origin_fn(int size, int x, int y, int *from_x, int *from_y);

static void check_exact(const struct warp *warp, origin_fn *origin) {
    for (size_t k = 0; k < PACED_COUNT(sizes); ++k) {
        int size = sizes[k];
        struct paced_sample before = sample_random(square(size), 7), after = sample_copy(&before);
        warp_apply(warp, BORDER_BLACK, &after);
        for (int y = 0; y < size; ++y)
            for (int x = 0; x < size; ++x) {
                static const float black[3];
                int from_x, from_y;
                origin(size, x, y, &from_x, &from_y);
                size_t to = (size_t)(y * size + x), from = (size_t)(from_y * size + from_x);
                bool beyond = from_x < 0 || from_x >= size || from_y < 0 || from_y >= size;
                const float *expected = beyond ? black : before.rgb + from * 3;
                for (int c = 0; c < 3; ++c) assert_true(after.rgb[to * 3 + (size_t)c] == expected[c]);
                assert_int_equal(after.label[to], beyond ? 0 : before.label[from]);
            }
        sample_free(&before);
        sample_free(&after);
    }
}

static void itself(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = x;
    *from_y = y;
}

static void flipped_h(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = size - 1 - x;
    *from_y = y;
}

static void flipped_v(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = x;
    *from_y = size - 1 - y;
}

static void half_turn(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = size - 1 - x;
    *from_y = size - 1 - y;
}

/* Counter-clockwise: the right side moves to the top. */
static void quarter_turn(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = size - 1 - y;
    *from_y = x;
}

static void quarter_back(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = y;
    *from_y = size - 1 - x;
}

static void shifted(int size, int x, int y, int *from_x, int *from_y) {
    *from_x = x - 3;
    *from_y = y + 2;
}

static void test_identity(void **state) {
    struct warp warp;
    warp_init(&warp);
    check_exact(&warp, itself);
    warp.y = -0.0;
    warp.xy = 1e-300; /* not exactly the identity, but with the same effect */
    check_exact(&warp, itself);
}

static void test_flips(void **state) {
    static const struct {
        bool h, v;
        origin_fn *origin;
    } cases[] = {{true, false, flipped_h}, {false, true, flipped_v}, {true, true, half_turn}, {false, false, itself}};
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct warp warp;
        warp_init(&warp);
        warp_flip(&warp, cases[i].h, cases[i].v);
        check_exact(&warp, cases[i].origin);
    }
}

static void test_quarter_turns(void **state) {
    static const struct {
        double degrees;
        origin_fn *origin;
    } cases[] = {{90, quarter_turn},  {180, half_turn}, {-180, half_turn},   {270, quarter_back},
                 {-90, quarter_back}, {360, itself},    {-450, quarter_back}};
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct warp warp;
        warp_init(&warp);
        warp_rotate(&warp, cases[i].degrees);
        check_exact(&warp, cases[i].origin);
    }
}

static void test_whole_shift(void **state) {
    struct warp warp;
    warp_init(&warp);
    warp_shift(&warp, 3, -2);
    check_exact(&warp, shifted);
}

/* ---- positions ----------------------------------------------------------------------------------------------- */

struct centre {
    double x, y, area; /* of the labelled pixels */
};

static struct centre find_label(const struct paced_sample *s) {
    struct centre c = {0};
    for (size_t i = 0; i < pixels_of(s); ++i) {
        if (s->label[i] == 0) continue;
        c.x += (double)(i % (size_t)s->extent.width);
        c.y += (double)(i / (size_t)s->extent.width);
        c.area += 1;
    }
    c.x /= c.area;
    c.y /= c.area;
    return c;
}

static void check_landing(const struct warp *warp, double x, double y, double scale) {
    struct paced_sample s = sample_disk(101, 70, 40, 12); /* 20 right of the centre, 10 above it */
    double area = find_label(&s).area;
    warp_apply(warp, BORDER_BLACK, &s);
    struct centre c = find_label(&s);
    assert_true(fabs(c.x - 50 - x) < 0.15 && fabs(c.y - 50 - y) < 0.15);
    assert_true(fabs(c.area - area * scale * scale) < 0.1 * 2 * M_PI * 12 * scale); /* a tenth of the border */
    check_together(&s);
    sample_free(&s);
}

static void test_landing(void **state) {
    struct warp warp;
    warp_init(&warp);
    warp_rotate(&warp, 30); /* counter-clockwise, with y downwards */
    check_landing(&warp, 20 * cos(M_PI / 6) - 10 * sin(M_PI / 6), -10 * cos(M_PI / 6) - 20 * sin(M_PI / 6), 1);
    warp_init(&warp);
    warp_scale(&warp, 1.5);
    check_landing(&warp, 30, -15, 1.5);
    warp_init(&warp);
    warp_shift(&warp, -7.125, 3.125);
    check_landing(&warp, 12.875, -6.875, 1);
    warp_init(&warp);
    warp_flip(&warp, true, false);
    check_landing(&warp, -20, -10, 1);
}

/* Each move acts on the result of the previous one: rotate then shift differs from shift then rotate. */
static void test_order_of_moves(void **state) {
    struct warp warp;
    warp_init(&warp);
    warp_rotate(&warp, 90);  /* (20, -10) -> (-10, -20) */
    warp_shift(&warp, 5, 0); /* -> (-5, -20) */
    warp_scale(&warp, 0.5);  /* -> (-2.5, -10) */
    check_landing(&warp, -2.5, -10, 0.5);
    warp_init(&warp);
    warp_shift(&warp, 5, 0);       /* (25, -10) */
    warp_rotate(&warp, 90);        /* (-10, -25) */
    warp_flip(&warp, false, true); /* (-10, 25) */
    check_landing(&warp, -10, 25, 1);
}

/* Round trip: smooth content within a circle that stays visible is restored. */
static void test_round_trip(void **state) {
    enum { SIZE = 96 };
    struct paced_sample before = sample_create(square(SIZE));
    for (size_t i = 0; i < pixels_of(&before) * 3; ++i)
        before.rgb[i] = (float)(0.5 + 0.4 * sin((double)(i / 3 % SIZE) / 9) * cos((double)(i / 3 / SIZE) / 7));
    struct paced_sample after = sample_copy(&before);
    struct warp there, back;
    warp_init(&there);
    warp_init(&back);
    warp_rotate(&there, 23);
    warp_shift(&there, 2.5, -1.75);
    warp_shift(&back, -2.5, 1.75);
    warp_rotate(&back, -23);
    warp_apply(&there, BORDER_BLACK, &after);
    warp_apply(&back, BORDER_BLACK, &after);
    for (int y = 0; y < SIZE; ++y)
        for (int x = 0; x < SIZE; ++x) {
            if (hypot(x - 47.5, y - 47.5) > 40) continue;
            size_t i = (size_t)(y * SIZE + x) * 3;
            assert_true(fabsf(before.rgb[i] - after.rgb[i]) < 0.01F);
        }
    sample_free(&before);
    sample_free(&after);
}

/* ---- borders ------------------------------------------------------------------------------------------------- */

static void test_borders(void **state) {
    struct paced_sample before = sample_random(square(4), 3), black = sample_copy(&before),
                        mirror = sample_copy(&before);
    struct warp warp;
    warp_init(&warp);
    warp_shift(&warp, 6, 0);
    warp_apply(&warp, BORDER_BLACK, &black);
    warp_apply(&warp, BORDER_DOUBLED, &mirror);
    static const int expected[] = {2, 3, 3, 2}; /* columns -6 to -3 of ... 0 1 2 3 | 3 2 1 0 | 0 1 2 3 */
    for (size_t i = 0; i < 16; ++i) {
        size_t from = i / 4 * 4 + (size_t)expected[i % 4];
        assert_true(black.rgb[i * 3] == 0 && black.label[i] == 0);
        assert_true(mirror.rgb[i * 3 + 1] == before.rgb[from * 3 + 1]);
        assert_int_equal(mirror.label[i], before.label[from]);
    }
    sample_free(&before);
    sample_free(&black);
    sample_free(&mirror);
}

/* Half a pixel beyond the border, half of the value remains. */
static void test_black_border_fades(void **state) {
    struct paced_sample s = sample_create(square(3));
    for (size_t i = 0; i < 27; ++i) s.rgb[i] = 1;
    struct warp warp;
    warp_init(&warp);
    warp_shift(&warp, 0.5, 0);
    warp_apply(&warp, BORDER_BLACK, &s);
    for (size_t i = 0; i < 9; ++i) assert_true(s.rgb[i * 3] == (i % 3 == 0 ? 0.5F : 1));
    sample_free(&s);
}

/* ---- elastic ------------------------------------------------------------------------------------------------- */

/* stddev of the elastic field: white noise of +-0.5 % of the side, filtered by a Gaussian with weights w, has stddev
 * alpha * 0.01 side / sqrt(12) * sum w^2 (both directions). */
static double expected_deviation(double alpha, int size) {
    double sigma = 0.01 * size, sum = 0, squares = 0;
    int radius = (int)(3 * sigma + 0.5);
    for (int i = -radius; i <= radius; ++i) sum += exp(-0.5 * i * i / (sigma * sigma));
    for (int i = -radius; i <= radius; ++i) squares += pow(exp(-0.5 * i * i / (sigma * sigma)) / sum, 2);
    return alpha * 0.01 * size / sqrt(12) * squares;
}

static void test_elastic_field(void **state) {
    static const int sides[] = {15, 64, 224};
    for (size_t k = 0; k < PACED_COUNT(sides); ++k) {
        int size = sides[k], drawn = 224 * 224 * 4 / (size * size) + 1;
        double sum = 0, squares = 0, cross = 0, count = 0;
        struct paced_rng rng;
        paced_rng_seed(&rng, 5, 0);
        for (int n = 0; n < drawn; ++n) {
            struct warp warp;
            warp_init(&warp);
            warp_elastic(&warp, 20, &rng, square(size));
            for (int i = 0; i < size * size; ++i) {
                sum += (double)warp.dx[i] + (double)warp.dy[i];
                squares += (double)(warp.dx[i] * warp.dx[i] + warp.dy[i] * warp.dy[i]);
                cross += (double)(warp.dx[i] * warp.dy[i]);
            }
            count += 2 * size * size;
            warp_finish(&warp);
        }
        double expected = expected_deviation(20, size), deviation = sqrt(squares / count);
        /* The mirrored border has a slightly higher variance than the inside. */
        if (fabs(deviation / expected - 1) > 0.04) fail_msg("size %d: deviation %g, not %g", size, deviation, expected);
        assert_true(fabs(sum / count) < 0.03 * expected);
        assert_true(fabs(2 * cross / count) < 0.03 * expected * expected);
    }
}

static void test_elastic_moves_both(void **state) {
    struct paced_sample s = sample_disk(128, 60, 70, 30), before = sample_copy(&s);
    size_t elastic;
    assert_true(paced_corruption_find("elastic", &elastic));
    assert_false(paced_corruption_is_geometric(elastic));
    struct paced_rng rng;
    paced_rng_seed(&rng, 1, 1);
    assert_int_equal(paced_corrupt(elastic, 5, &rng, &s), PACED_OK);
    double moved = 0;
    for (size_t i = 0; i < pixels_of(&s); ++i) moved += s.label[i] != before.label[i];
    assert_true(moved > 60); /* of the 190 pixels of a border */
    check_together(&s);
    sample_free(&s);
    sample_free(&before);
}

/* ---- the geometric corruptions ------------------------------------------------------------------------------- */

/* Checks the effect of each severity on position and size of the disk, in any direction. */
static void check_geometric(const char *name, const double amount[PACED_SEVERITIES],
                            double (*measure)(struct centre before, struct centre after)) {
    size_t corruption;
    assert_true(paced_corruption_find(name, &corruption));
    assert_true(paced_corruption_is_geometric(corruption));
    int ways[2] = {0};
    for (int n = 0; n < 20 * PACED_SEVERITIES; ++n) {
        int severity = 1 + n % PACED_SEVERITIES;
        struct paced_sample s = sample_disk(201, 125, 80, 20);
        struct centre before = find_label(&s);
        struct paced_rng rng;
        paced_rng_seed(&rng, 2, (uint64_t)n);
        assert_int_equal(paced_corrupt(corruption, severity, &rng, &s), PACED_OK);
        double measured = measure(before, find_label(&s));
        if (fabs(fabs(measured) - amount[severity - 1]) > 0.02 * fabs(amount[severity - 1]) + 0.01)
            fail_msg("%s, severity %d: %g instead of %g", name, severity, measured, amount[severity - 1]);
        ways[measured > 0] += 1;
        check_together(&s);
        sample_free(&s);
    }
    assert_true(strcmp(name, "translate") == 0 || strcmp(name, "hflip") == 0 || (ways[0] > 30 && ways[1] > 30));
}

static double turned_by(struct centre a, struct centre b) {
    return (atan2(100 - b.y, b.x - 100) - atan2(100 - a.y, a.x - 100)) * 180 / M_PI;
}

static double moved_by(struct centre a, struct centre b) {
    return hypot(b.x - a.x, b.y - a.y) / 201;
}

static double log_scaled_by(struct centre a, struct centre b) {
    return log(b.area / a.area) / 2;
}

static double mirrored(struct centre a, struct centre b) {
    return hypot(b.x - (200 - a.x), b.y - a.y);
}

static void test_geometric(void **state) {
    check_geometric("rotate", (double[]){5, 10, 15, 20, 30}, turned_by);
    check_geometric("translate", (double[]){.03, .06, .1, .15, .2}, moved_by);
    check_geometric("scale", (double[]){log(1.05), log(1.1), log(1.2), log(1.35), log(1.5)}, log_scaled_by);
    check_geometric("hflip", (double[]){0, 0, 0, 0, 0}, mirrored);
}

/* Rectangles turn around their own centre: flips and a half turn are exact, and a quarter turn leaves the overlap. */
static void test_rectangle(void **state) {
    (void)state;
    const struct paced_extent extent = {5, 9};
    for (int k = 0; k < 3; ++k) {
        struct paced_sample from = sample_random(extent, 3), to = sample_copy(&from);
        struct warp warp;
        warp_init(&warp);
        if (k == 2)
            warp_rotate(&warp, 180);
        else
            warp_flip(&warp, k == 0, k == 1);
        warp_apply(&warp, BORDER_BLACK, &to);
        for (int y = 0; y < extent.height; ++y)
            for (int x = 0; x < extent.width; ++x) {
                int from_x = k == 1 ? x : extent.width - 1 - x, from_y = k == 0 ? y : extent.height - 1 - y;
                size_t i = (size_t)(y * extent.width + x), j = (size_t)(from_y * extent.width + from_x);
                assert_int_equal(to.label[i], from.label[j]);
                assert_memory_equal(to.rgb + 3 * i, from.rgb + 3 * j, 3 * sizeof(float));
            }
        sample_free(&from);
        sample_free(&to);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_quarter_turns),
        cmocka_unit_test(test_whole_shift),
        cmocka_unit_test(test_landing),
        cmocka_unit_test(test_order_of_moves),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_black_border_fades),
        cmocka_unit_test(test_elastic_field),
        cmocka_unit_test(test_elastic_moves_both),
        cmocka_unit_test(test_geometric),
        cmocka_unit_test(test_rectangle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
