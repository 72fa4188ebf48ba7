/* Label maps on a picture: tint, outlines, and distinct colours. */
#include "paced/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GROUND 0x406080u

enum { SIDE = 5, SCALE = 4, X = 3, Y = 2 };

/* A square of 3 x 3 of class 1 with a corner of class 2, away from the border. */
static const uint8_t label[SIDE * SIDE] = {
    0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0, 0,
};
static const uint32_t colours[] = {0x111111, 0xff0000, 0x00ff00};

static uint32_t pixel(const struct paced_canvas *canvas, int x, int y) {
    const uint8_t *p = canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static struct paced_canvas ground(void) {
    return paced_canvas_create(SIDE * SCALE + 7, SIDE * SCALE + 9, GROUND);
}

static void check_tint(int left, int top) {
    struct paced_canvas canvas = ground();
    paced_canvas_tint(&canvas, left, top, SCALE, label, SIDE, SIDE, colours, 0.25);
    for (int y = 0; y < canvas.height; ++y)
        for (int x = 0; x < canvas.width; ++x) {
            int u = x - left, v = y - top;
            bool within = u >= 0 && v >= 0 && u < SIDE * SCALE && v < SIDE * SCALE;
            uint8_t class = within ? label[v / SCALE * SIDE + u / SCALE] : 0;
            assert_int_equal(pixel(&canvas, x, y), ((uint32_t[]){GROUND, 0x704860, 0x308860})[class]);
        }
    paced_canvas_finish(&canvas);
}

static void test_tint(void **state) {
    check_tint(X, Y);
}

/* Parts outside the canvas are clipped; here all of it is far above the canvas memory. */
static void test_tint_outside(void **state) {
    check_tint(-X, -Y);
    check_tint(2 * SCALE, 3 * SCALE);
    check_tint(0, -(1 << 20));
}

/* A thin line within each class, in its colour, and a dark line outside. */
static void test_outlines(void **state) {
    struct paced_canvas canvas = ground();
    paced_canvas_outlines(&canvas, X, Y, SCALE, label, SIDE, SIDE, colours, 1);
    int left = X + SCALE, top = Y + SCALE, end = X + 4 * SCALE;
    assert_int_equal(pixel(&canvas, left, top), 0xff0000);
    assert_int_equal(pixel(&canvas, left + 1, top + 1), GROUND);
    assert_int_equal(pixel(&canvas, left + 5, top + 5), GROUND);
    assert_true(pixel(&canvas, left - 1, top) != GROUND && pixel(&canvas, left - 1, top) != 0xff0000);
    assert_int_equal(pixel(&canvas, left - 2, top), GROUND);
    assert_int_equal(pixel(&canvas, left - 1, top - 1), GROUND);
    assert_int_equal(pixel(&canvas, end - 1, Y + 4 * SCALE - 1), 0x00ff00);
    assert_int_equal(pixel(&canvas, X + 3 * SCALE, Y + 3 * SCALE + 1), 0x00ff00);     /* between the classes */
    assert_int_equal(pixel(&canvas, X + 3 * SCALE - 1, Y + 3 * SCALE + 1), 0xff0000); /* on the other side */
    paced_canvas_finish(&canvas);
}

/* Black and white dashes on every side; no other pixel changes. */
static void test_dashes(void **state) {
    uint8_t full[24 * 24];
    for (int i = 0; i < 24 * 24; ++i) full[i] = 1;
    struct paced_canvas canvas = paced_canvas_create(24, 24, GROUND);
    paced_canvas_outlines(&canvas, 0, 0, 1, full, 24, 24, NULL, 1);
    int black[4] = {0}, white[4] = {0}, ground_left = 0;
    for (int i = 0; i < 24; ++i) {
        const uint32_t sides[4] = {pixel(&canvas, i, 0), pixel(&canvas, i, 23), pixel(&canvas, 0, i),
                                   pixel(&canvas, 23, i)};
        for (int s = 0; s < 4; ++s) {
            black[s] += sides[s] == 0;
            white[s] += sides[s] == 0xffffff;
        }
    }
    for (int s = 0; s < 4; ++s) assert_true(black[s] >= 8 && white[s] >= 8 && black[s] + white[s] == 24);
    for (int y = 0; y < 24; ++y)
        for (int x = 0; x < 24; ++x) ground_left += pixel(&canvas, x, y) == GROUND;
    assert_int_equal(ground_left, 22 * 22);
    paced_canvas_finish(&canvas);
}

static int apart(uint32_t a, uint32_t b) {
    int sum = 0;
    for (int shift = 0; shift <= 16; shift += 8) sum += abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff));
    return sum;
}

/* The line has the requested width on both sides of the border, and the same distance on a diagonal. */
static void test_wide_outlines(void **state) {
    (void)state;
    enum { WIDE = 60, LINE = 7 };
    static uint8_t map[WIDE][WIDE];
    const uint32_t shades[] = {0, 0xff8000};
    for (int y = 20; y < 40; ++y) memset(&map[y][20], 1, 20);
    struct paced_canvas canvas = paced_canvas_create(WIDE, WIDE, 0x808080);
    paced_canvas_outlines(&canvas, 0, 0, 1, map[0], WIDE, WIDE, shades, LINE);
    const uint8_t *row = canvas.rgb + 30 * WIDE * 3;
    assert_int_equal(row[3 * 12], 0x80); /* beyond the outer line */
    assert_int_equal(row[3 * 13], 0x10);
    assert_int_equal(row[3 * 20], 0xff);
    assert_int_equal(row[3 * 26], 0xff);
    assert_int_equal(row[3 * 27], 0x80); /* inside the region */
    const uint8_t *corner = canvas.rgb + (14 * WIDE + 14) * 3;
    assert_int_equal(corner[0], 0x80);
    assert_int_equal(canvas.rgb[(15 * WIDE + 15) * 3], 0x10);
    paced_canvas_finish(&canvas);
}

static void test_class_colours(void **state) {
    for (int a = 1; a <= 24; ++a)
        for (int b = 1; b < a; ++b)
            if (apart(paced_class_colour(a), paced_class_colour(b)) < 40)
                fail_msg("classes %d and %d: %06x and %06x", b, a, paced_class_colour(b), paced_class_colour(a));
    assert_true(paced_class_colour(255) <= 0xffffff);
}

/* Ignored pixels have grey stripes, whatever the colours, and are background for outlines. */
static void test_ignored(void **state) {
    uint8_t marked[SIDE * SIDE], plain[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; ++i) {
        marked[i] = i % 2 && label[i] != 2 ? PACED_IGNORED : label[i];
        plain[i] = marked[i] == PACED_IGNORED ? 0 : label[i];
    }
    struct paced_canvas canvas = ground(), expected = ground();
    paced_canvas_tint(&canvas, X, Y, SCALE, marked, SIDE, SIDE, colours, 1);
    int dark = 0, bright = 0;
    for (int v = 0; v < SIDE * SCALE; ++v)
        for (int u = 0; u < SIDE * SCALE; ++u) {
            uint32_t got = pixel(&canvas, X + u, Y + v);
            uint8_t own = marked[v / SCALE * SIDE + u / SCALE];
            if (own != PACED_IGNORED) assert_int_equal(got, own ? colours[own] : GROUND);
            if (own != PACED_IGNORED) continue;
            assert_true((got & 0xff) == (got >> 8 & 0xff) && (got & 0xff) == got >> 16);
            dark += got < 0x808080;
            bright += got > 0x808080;
        }
    assert_true(dark > 20 && bright > 20);
    paced_canvas_finish(&canvas);
    for (int line = 1; line <= 3; line += 2)
        for (int dashed = 0; dashed < 2; ++dashed) {
            canvas = ground();
            paced_canvas_finish(&expected);
            expected = ground();
            paced_canvas_outlines(&canvas, X, Y, SCALE, marked, SIDE, SIDE, dashed ? NULL : colours, line);
            paced_canvas_outlines(&expected, X, Y, SCALE, plain, SIDE, SIDE, dashed ? NULL : colours, line);
            assert_memory_equal(canvas.rgb, expected.rgb, 3 * (size_t)canvas.width * (size_t)canvas.height);
            paced_canvas_finish(&canvas);
        }
    paced_canvas_finish(&expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tint),    cmocka_unit_test(test_tint_outside),  cmocka_unit_test(test_outlines),
        cmocka_unit_test(test_dashes),  cmocka_unit_test(test_wide_outlines), cmocka_unit_test(test_class_colours),
        cmocka_unit_test(test_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
