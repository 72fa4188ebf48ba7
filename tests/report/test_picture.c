/* The canvas: positions, clipping, and even lightness steps of the colour map. */
#include "paced/report.h"

#include "paced/data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint32_t pixel(const struct paced_canvas *canvas, int x, int y) {
    const uint8_t *p = canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Number of pixels of a colour within a rectangle. */
static int count_in(const struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour) {
    int found = 0;
    for (int row = y; row < y + height; ++row)
        for (int column = x; column < x + width; ++column) found += pixel(canvas, column, row) == colour;
    return found;
}

static int count(const struct paced_canvas *canvas, uint32_t colour) {
    return count_in(canvas, 0, 0, canvas->width, canvas->height, colour);
}

/* ---- colours ------------------------------------------------------------------------------------------------- */

static double linear(uint32_t channel) {
    double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* CIE L*, from 0 (black) to 100 (white). */
static double lightness(uint32_t colour) {
    double y = 0.2126 * linear(colour >> 16) + 0.7152 * linear(colour >> 8 & 0xff) + 0.0722 * linear(colour & 0xff);
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389.0 / 27;
}

static void test_colours_grow_lighter(void **state) {
    for (int i = 1; i <= 255; ++i) {
        double step = lightness(paced_colour_map(i / 255.0)) - lightness(paced_colour_map((i - 1) / 255.0));
        if (!(step > 0 && step < 1)) fail_msg("value %d/255: L* grows by %g", i, step);
    }
}

static void test_colours_are_even(void **state) {
    double dark = lightness(paced_colour_map(0)), light = lightness(paced_colour_map(1));
    assert_true(dark < 12 && light > 88);
    for (int i = 1; i < 16; ++i) {
        double wanted = dark + (light - dark) * i / 16, found = lightness(paced_colour_map(i / 16.0));
        if (!(fabs(found - wanted) < 5)) fail_msg("value %d/16: L* %g, not about %g", i, found, wanted);
    }
}

static void test_colours_end(void **state) {
    assert_int_equal(paced_colour_map(-1), paced_colour_map(0));
    assert_int_equal(paced_colour_map(-INFINITY), paced_colour_map(0));
    assert_int_equal(paced_colour_map(7), paced_colour_map(1));
    assert_int_equal(paced_colour_map(NAN), PACED_COLOUR_UNKNOWN);
}

/* ---- shapes -------------------------------------------------------------------------------------------------- */

static void test_fill_and_frame(void **state) {
    struct paced_canvas canvas = paced_canvas_create(9, 7, 0x010203);
    assert_int_equal(count(&canvas, 0x010203), 9 * 7);
    paced_canvas_fill(&canvas, 3, 2, 2, 3, 0xaabbcc);
    assert_int_equal(count(&canvas, 0xaabbcc), 2 * 3);
    assert_int_equal(count_in(&canvas, 3, 2, 2, 3, 0xaabbcc), 2 * 3);
    paced_canvas_frame(&canvas, 3, 2, 2, 3, 0xff0000);
    assert_int_equal(count(&canvas, 0xaabbcc), 2 * 3);
    assert_int_equal(count(&canvas, 0xff0000), 4 * 5 - 2 * 3);
    assert_int_equal(pixel(&canvas, 2, 1), 0xff0000);
    assert_int_equal(pixel(&canvas, 5, 5), 0xff0000);
    paced_canvas_finish(&canvas);
    paced_canvas_finish(&canvas);
    assert_null(canvas.rgb);
}

static void test_edges_cut_off(void **state) {
    struct paced_canvas canvas = paced_canvas_create(4, 3, 0);
    paced_canvas_fill(&canvas, -2, -2, 3, 3, 0xff);
    assert_int_equal(count(&canvas, 0xff), 1);
    paced_canvas_fill(&canvas, 3, 2, 50, 50, 0xff);
    assert_int_equal(count(&canvas, 0xff), 2);
    paced_canvas_fill(&canvas, 4, 0, 5, 5, 0xff);
    paced_canvas_fill(&canvas, 0, -9, 5, 5, 0xff);
    paced_canvas_fill(&canvas, 0, 0, -3, 2, 0xff);
    assert_int_equal(count(&canvas, 0xff), 2);
    paced_canvas_text(&canvas, -3, -3, 3, 0xff00, "W@");
    paced_canvas_colour_bar(&canvas, 2, 2, 1, 9, 1);
    paced_canvas_finish(&canvas);
}

static void test_image_and_map(void **state) {
    static const uint8_t rgb[] = {1, 2, 3, 4, 5, 6};
    static const float values[] = {0, 0.5f, NAN, 0.25f};
    struct paced_canvas canvas = paced_canvas_create(20, 20, 0);
    paced_canvas_image(&canvas, 2, 1, 3, rgb, 2, 1);
    assert_int_equal(count_in(&canvas, 2, 1, 3, 3, 0x010203), 9);
    assert_int_equal(count_in(&canvas, 5, 1, 3, 3, 0x040506), 9);
    assert_int_equal(count(&canvas, 0), 20 * 20 - 18);
    paced_canvas_map(&canvas, 10, 10, 2, values, 2, 2, 0.5);
    assert_int_equal(count_in(&canvas, 10, 10, 2, 2, paced_colour_map(0)), 4);
    assert_int_equal(count_in(&canvas, 12, 10, 2, 2, paced_colour_map(1)), 4);
    assert_int_equal(count_in(&canvas, 10, 12, 2, 2, PACED_COLOUR_UNKNOWN), 4);
    assert_int_equal(count_in(&canvas, 12, 12, 2, 2, paced_colour_map(0.5)), 4);
    paced_canvas_finish(&canvas);
}

static void test_colour_bar(void **state) {
    struct paced_canvas canvas = paced_canvas_create(120, 30, PACED_COLOUR_PAPER);
    paced_canvas_colour_bar(&canvas, 10, 10, 100, 9, 0.5);
    int left = 10 + paced_text_width("0", 1) + 5, right = 110 - paced_text_width("0.5", 1) - 5;
    assert_int_equal(count_in(&canvas, left, 10, 1, 9, paced_colour_map(0)), 9);
    assert_int_equal(count_in(&canvas, right - 1, 10, 1, 9, paced_colour_map(1)), 9);
    assert_true(count_in(&canvas, 10, 10, left - 10, 9, PACED_COLOUR_PAPER) < (left - 10) * 9);
    assert_true(count_in(&canvas, right, 10, 110 - right, 9, PACED_COLOUR_PAPER) < (110 - right) * 9);
    assert_int_equal(
        count_in(&canvas, 10, 10, 100, 9, PACED_COLOUR_PAPER) + count_in(&canvas, 0, 0, 120, 10, PACED_COLOUR_PAPER) +
            count_in(&canvas, 0, 19, 120, 11, PACED_COLOUR_PAPER) +
            count_in(&canvas, 0, 10, 10, 9, PACED_COLOUR_PAPER) + count_in(&canvas, 110, 10, 10, 9, PACED_COLOUR_PAPER),
        count(&canvas, PACED_COLOUR_PAPER));
    assert_int_equal(count_in(&canvas, 0, 0, 120, 10, PACED_COLOUR_PAPER), 1200);
    paced_canvas_finish(&canvas);
}

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* Capitals begin at x, y and are PACED_TEXT_HEIGHT * scale high, up to a pixel of rounding. */
static void test_text_lands(void **state) {
    struct paced_canvas canvas = paced_canvas_create(60, 60, 0);
    int height = 4 * PACED_TEXT_HEIGHT, width = paced_text_width("H", 4);
    paced_canvas_text(&canvas, 10, 12, 4, 0xff, "H");
    int drawn = 60 * 60 - count(&canvas, 0);
    assert_true(count(&canvas, 0xff) > height); /* a stem */
    assert_int_equal((width + 2) * (height + 2) - count_in(&canvas, 9, 11, width + 2, height + 2, 0), drawn);
    for (int row = 1; row < height - 1; ++row) assert_true(count_in(&canvas, 10, 12 + row, width, 1, 0) < width);
    paced_canvas_finish(&canvas);
}

static void test_text_stays_in_its_width(void **state) {
    static const char text[] = "W_g@#";
    int width = paced_text_width(text, 3);
    assert_int_equal(paced_text_width("", 3), 0);
    assert_true(paced_text_width("W", 3) < width && paced_text_width("ii", 3) < paced_text_width("WW", 3));
    struct paced_canvas canvas = paced_canvas_create(width + 20, 60, 0);
    paced_canvas_text(&canvas, 10, 15, 3, 0xff, text);
    int drawn = (width + 20) * 60 - count(&canvas, 0);
    assert_true(drawn > 0);
    assert_int_equal((width + 4) * 60 - count_in(&canvas, 8, 0, width + 4, 60, 0), drawn);
    paced_canvas_finish(&canvas);
}

/* Letters differ, those outside ASCII too, and bytes that are not UTF-8 are question marks. */
static void test_letters(void **state) {
    enum { WIDTH = 40, HEIGHT = 40, BYTES = WIDTH * HEIGHT * 3 };
    static const char *const letters[] = {" ", "a", "\xc3\xa4", "\xce\xbb", "?", "\xff"};
    static uint8_t drawn[PACED_COUNT(letters)][BYTES];
    for (size_t i = 0; i < PACED_COUNT(letters); ++i) {
        struct paced_canvas canvas = paced_canvas_create(WIDTH, HEIGHT, 0);
        paced_canvas_text(&canvas, 10, 10, 2, 0xffffff, letters[i]);
        memcpy(drawn[i], canvas.rgb, BYTES);
        paced_canvas_finish(&canvas);
        for (size_t k = 0; k < i; ++k) assert_int_equal(memcmp(drawn[i], drawn[k], BYTES) == 0, i == 5 && k == 4);
    }
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static void test_write(void **state) {
    char path[] = "/tmp/paced-picture-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    struct paced_canvas canvas = paced_canvas_create(31, 17, PACED_COLOUR_PAPER);
    paced_canvas_text(&canvas, 3, 3, 1, 0xc02040, "png");
    struct paced_image image = {0};
    enum paced_err written = paced_canvas_write(&canvas, path), read = paced_image_read(path, NULL, NULL, &image);
    unlink(path);
    assert_int_equal(written, PACED_OK);
    assert_int_equal(read, PACED_OK);
    assert_int_equal(image.width, 31);
    assert_int_equal(image.height, 17);
    assert_memory_equal(image.rgb, canvas.rgb, 31 * 17 * 3);
    free(image.rgb);
    paced_canvas_finish(&canvas);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colours_grow_lighter),
        cmocka_unit_test(test_colours_are_even),
        cmocka_unit_test(test_colours_end),
        cmocka_unit_test(test_fill_and_frame),
        cmocka_unit_test(test_edges_cut_off),
        cmocka_unit_test(test_image_and_map),
        cmocka_unit_test(test_colour_bar),
        cmocka_unit_test(test_text_lands),
        cmocka_unit_test(test_text_stays_in_its_width),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
