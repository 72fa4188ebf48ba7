/* Plots: positions of lines and marks, distinct series in colour and greyscale, and empty gaps. */
#include "paced/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 420, HEIGHT = 300 };

static uint32_t pixel(const struct paced_canvas *canvas, int x, int y) {
    const uint8_t *p = canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static bool is_coloured(uint32_t colour) {
    int r = colour >> 16, g = colour >> 8 & 0xff, b = colour & 0xff;
    return abs(r - g) > 40 || abs(g - b) > 40 || abs(r - b) > 40;
}

struct spot {
    double x, y; /* centre, pixels */
    int count;
};

/* Finds the coloured pixels in columns [from, to). */
static struct spot find(const struct paced_canvas *canvas, int from, int to) {
    struct spot spot = {0};
    for (int y = 0; y < canvas->height; ++y)
        for (int x = from; x < to; ++x) {
            if (!is_coloured(pixel(canvas, x, y))) continue;
            spot.x += x;
            spot.y += y;
            ++spot.count;
        }
    spot.x /= spot.count;
    spot.y /= spot.count;
    return spot;
}

static struct paced_plot plot_of(const struct paced_series *series) {
    return (struct paced_plot){
        .title = "title", .x_label = "x", .y_label = "y", .x_max = 4, .y_max = 1, .series = series, .series_count = 1};
}

static struct paced_canvas draw(const double *x, const double *y, size_t count) {
    const struct paced_series series = {.name = "a", .x = x, .y = y, .count = count};
    const struct paced_plot plot = plot_of(&series);
    struct paced_canvas canvas = paced_canvas_create(WIDTH, HEIGHT, PACED_COLOUR_PAPER);
    paced_canvas_plot(&canvas, 0, 0, WIDTH, HEIGHT, &plot);
    return canvas;
}

static struct spot find_mark(double x, double y) {
    struct paced_canvas canvas = draw(&x, &y, 1);
    struct spot spot = find(&canvas, 0, WIDTH);
    paced_canvas_finish(&canvas);
    return spot;
}

/* Equal steps of a value are equal distances, upwards and to the right. */
static void test_scale(void **state) {
    struct spot low = find_mark(1, 0.25), middle = find_mark(2, 0.5), high = find_mark(3, 0.75);
    assert_true(low.count > 40 && low.count < 120);
    assert_true(fabs(high.x + low.x - 2 * middle.x) < 0.1);
    assert_true(fabs(high.y + low.y - 2 * middle.y) < 0.1);
    assert_true(high.x - low.x > 150 && low.y - high.y > 90);
}

static void test_line_joins_marks(void **state) {
    static const double x[] = {1, 3}, y[] = {0.25, 0.75};
    struct spot a = find_mark(x[0], y[0]), b = find_mark(x[1], y[1]);
    struct paced_canvas canvas = draw(x, y, 2);
    for (int column = (int)a.x + 8; column < (int)b.x - 8; ++column) {
        struct spot on = find(&canvas, column, column + 1);
        double wanted = a.y + (column - a.x) / (b.x - a.x) * (b.y - a.y);
        if (!(on.count > 0 && fabs(on.y - wanted) < 2)) fail_msg("column %d: %g, not %g", column, on.y, wanted);
    }
    paced_canvas_finish(&canvas);
}

static void test_gap(void **state) {
    static const double x[] = {0, 1, 2, 3, 4}, y[] = {0.5, 0.5, NAN, 0.5, 0.5};
    struct spot left = find_mark(1, 0.5), right = find_mark(3, 0.5);
    struct paced_canvas canvas = draw(x, y, 5);
    assert_int_equal(find(&canvas, (int)left.x + 10, (int)right.x - 10).count, 0);
    assert_true(find(&canvas, 0, (int)left.x).count > 0);
    assert_true(find(&canvas, (int)right.x, WIDTH).count > 0);
    paced_canvas_finish(&canvas);
}

/* An interval spans its low to high limit at its point; a point without an interval has only its mark. */
static void test_intervals(void **state) {
    static const double x[] = {1, 3}, y[] = {0.5, 0.5}, low[] = {0.25, NAN}, high[] = {1, NAN};
    const struct paced_series series = {.name = "a", .x = x, .y = y, .count = 2, .low = low, .high = high};
    const struct paced_plot plot = plot_of(&series);
    struct spot mark = find_mark(1, 0.5), other = find_mark(3, 0.5);
    int top = (int)lround(find_mark(1, 1).y), bottom = (int)lround(find_mark(1, 0.25).y);
    struct paced_canvas canvas = paced_canvas_create(WIDTH, HEIGHT, PACED_COLOUR_PAPER), plain = draw(x, y, 2);
    paced_canvas_plot(&canvas, 0, 0, WIDTH, HEIGHT, &plot);
    int from = HEIGHT, to = 0;
    for (int row = 0; row < HEIGHT; ++row) {
        if (!is_coloured(pixel(&canvas, (int)lround(mark.x), row))) continue;
        if (row < from) from = row;
        to = row;
    }
    assert_in_range(from, top - 1, top + 1);
    assert_in_range(to, bottom - 1, bottom + 1);
    for (int column = (int)other.x - 8; column < WIDTH; ++column)
        for (int row = 0; row < HEIGHT; ++row)
            assert_int_equal(pixel(&canvas, column, row), pixel(&plain, column, row));
    paced_canvas_finish(&plain);
    paced_canvas_finish(&canvas);
}

static void test_stays_in_its_place(void **state) {
    static const double x[] = {0, 4}, y[] = {0, 1};
    const struct paced_series series = {.name = "a", .x = x, .y = y, .count = 2};
    const struct paced_plot plot = plot_of(&series);
    struct paced_canvas canvas = paced_canvas_create(WIDTH + 200, HEIGHT + 200, PACED_COLOUR_PAPER);
    paced_canvas_plot(&canvas, 100, 100, WIDTH, HEIGHT, &plot);
    for (int row = 0; row < canvas.height; ++row)
        for (int column = 0; column < canvas.width; ++column) {
            bool inside = row >= 100 && row < 100 + HEIGHT && column >= 100 && column < 100 + WIDTH;
            if (!inside) assert_int_equal(pixel(&canvas, column, row), PACED_COLOUR_PAPER);
        }
    paced_canvas_finish(&canvas);
}

/* Points outside the axes or the canvas are harmless. */
static void test_out_of_range(void **state) {
    static const double x[] = {-50, 2, 90}, y[] = {7, -3, 0.5};
    struct paced_canvas canvas = draw(x, y, 3);
    paced_canvas_finish(&canvas);
}

/* Number of text pixels in the row of tick names. */
static int count_tick_text(const double *ticks, const char *const *names, size_t count) {
    static const double x[] = {0, 4}, y[] = {0, 1};
    const struct paced_series series = {.name = "a", .x = x, .y = y, .count = 2};
    struct paced_plot plot = plot_of(&series);
    plot.x_ticks = ticks;
    plot.x_tick_names = names;
    plot.x_tick_count = count;
    plot.x_label = "";
    struct paced_canvas canvas = paced_canvas_create(WIDTH, HEIGHT, PACED_COLOUR_PAPER);
    paced_canvas_plot(&canvas, 0, 0, WIDTH, HEIGHT, &plot);
    int found = 0;
    for (int row = HEIGHT - 28; row < HEIGHT - 15; ++row)
        for (int column = 60; column < WIDTH; ++column) found += pixel(&canvas, column, row) == PACED_COLOUR_TEXT;
    paced_canvas_finish(&canvas);
    return found;
}

/* Ticks follow the plot; of overlapping names the first is drawn. */
static void test_named_ticks(void **state) {
    static const double apart[] = {1, 3}, close[] = {1, 1.01};
    static const char *const words[] = {"word", "word"};
    int one = count_tick_text(apart, words, 1);
    assert_true(one > 10);
    assert_int_equal(count_tick_text(apart, words, 2), 2 * one);
    assert_int_equal(count_tick_text(close, words, 2), one);
}

static void test_legend(void **state) {
    enum { COUNT = 8 };
    struct paced_series series[COUNT];
    for (size_t i = 0; i < COUNT; ++i) series[i] = (struct paced_series){.name = "name"};
    int one = paced_canvas_legend(NULL, 0, 0, 4000, series, COUNT);
    int many = paced_canvas_legend(NULL, 0, 0, 10, series, COUNT);
    assert_int_equal(paced_canvas_legend(NULL, 0, 0, 10, series, 0), 0);
    assert_int_equal(many, COUNT * one);
    /* No two samples are alike in greyscale. */
    static uint8_t grey[COUNT][44 * 16];
    struct paced_canvas canvas = paced_canvas_create(200, many, PACED_COLOUR_PAPER);
    paced_canvas_legend(&canvas, 0, 0, 10, series, COUNT);
    for (int i = 0; i < COUNT; ++i) {
        for (int k = 0; k < 44 * 16; ++k) {
            uint32_t colour = pixel(&canvas, k % 44, i * one + k / 44);
            grey[i][k] = (uint8_t)((30 * (colour >> 16) + 59 * (colour >> 8 & 0xff) + 11 * (colour & 0xff)) / 100);
        }
        for (int j = 0; j < i; ++j) {
            int different = 0;
            for (int k = 0; k < 44 * 16; ++k) different += abs(grey[i][k] - grey[j][k]) > 40;
            if (different < 20) fail_msg("samples %d and %d differ in %d pixels", j, i, different);
        }
    }
    paced_canvas_finish(&canvas);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scale),        cmocka_unit_test(test_line_joins_marks),
        cmocka_unit_test(test_gap),          cmocka_unit_test(test_stays_in_its_place),
        cmocka_unit_test(test_out_of_range), cmocka_unit_test(test_named_ticks),
        cmocka_unit_test(test_legend),       cmocka_unit_test(test_intervals),
    };
    return cmocka_run_group_tests_name("plot", tests, NULL, NULL);
}
