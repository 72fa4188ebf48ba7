/* Elements of the report: escaped text, numbers with their full value, axes, and positions of lines. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/report/chart.h"
#include "src/report/html.h"

static void check_text(const char *text, const char *wanted) {
    struct paced_text out = {0};
    html_text(&out, text);
    assert_string_equal(out.data, wanted);
    free(out.data);
}

static void test_escaping(void **state) {
    check_text("", "");
    check_text("plain, \xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82\tand\nlines",
               "plain, \xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82\tand\nlines");
    check_text("<b>&\"'</b>", "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;");
    check_text("&amp;", "&amp;amp;");
}

#define UNKNOWN "\xef\xbf\xbd"

static void test_bytes_that_are_no_text(void **state) {
    check_text("a\x01z\x7f", "a" UNKNOWN "z" UNKNOWN);
    check_text("\xff<\xc3", UNKNOWN "&lt;" UNKNOWN);                 /* invalid first byte; truncated character */
    check_text("\xc0\xbc", UNKNOWN UNKNOWN);                         /* '<' in two bytes */
    check_text("\xe0\x80\xbc", UNKNOWN UNKNOWN UNKNOWN);             /* '<' in three bytes */
    check_text("\xed\xa0\x80", UNKNOWN UNKNOWN UNKNOWN);             /* half of a UTF-16 surrogate pair */
    check_text("\xf4\x90\x80\x80", UNKNOWN UNKNOWN UNKNOWN UNKNOWN); /* above U+10FFFF */
    check_text("\xc3<", UNKNOWN "&lt;"); /* a '<' that a browser may take for the second byte */
}

static void check_figure(const char *cell, const char *wanted) {
    struct paced_text out = {0};
    html_number(&out, cell);
    assert_string_equal(out.data, wanted);
    free(out.data);
}

static void test_figures(void **state) {
    check_figure("0.860712345", "<data value=\"0.860712345\" title=\"0.860712345\">0.8607</data>");
    check_figure("-12.5", "<data value=\"-12.5\" title=\"-12.5\">-12.50</data>");
    check_figure("1.24e-05", "<data value=\"1.24e-05\" title=\"1.24e-05\">1.2e-05</data>");
    check_figure("0", "<data value=\"0\" title=\"0\">0.0000</data>");
    check_figure("12345.678", "<data value=\"12345.678\" title=\"12345.678\">12345.68</data>");
    check_figure("", "<span class=\"none\">&ndash;</span>");
    check_figure("inf", "inf");
    check_figure("<i>", "&lt;i&gt;");
}

static void check_axis(double least, double most, double min, double max, double step) {
    struct axis axis = axis_around(least, most, 6);
    if (fabs(axis.min - min) > 1e-12 || fabs(axis.max - max) > 1e-12 || fabs(axis.step - step) > 1e-12)
        fail_msg("%g..%g: %g..%g by %g", least, most, axis.min, axis.max, axis.step);
    assert_true(fabs((double)axis.first * axis.step - min) < 1e-12 &&
                fabs((double)axis.last * axis.step - max) < 1e-12);
}

static void test_axes(void **state) {
    check_axis(0.013, 0.387, 0, 0.4, 0.1);
    check_axis(0, 1, 0, 1, 0.2);
    check_axis(-3, 41, -10, 50, 10);
    check_axis(0.003, 0.003, 0, 0.003, 0.0005); /* constant value */
    check_axis(-2, -2, -2, 0, 0.5);
    check_axis(0, 0, 0, 1, 0.2);
    struct axis axis = axis_over(1, 8, 7);
    assert_true(axis.min == 1 && axis.max == 8 && axis.step == 1 && axis.first == 1 && axis.last == 8);
}

static void check_tenths(double least, double most, double min, double max) {
    struct range range = range_empty();
    range_add(&range, most);
    range_add(&range, NAN);
    range_add(&range, least);
    struct axis axis = axis_tenths(range);
    if (fabs(axis.min - min) > 1e-12 || fabs(axis.max - max) > 1e-12)
        fail_msg("%g..%g: %g..%g", least, most, axis.min, axis.max);
}

static void test_tenths(void **state) {
    check_tenths(0.31, 0.78, 0.3, 0.8);
    check_tenths(0.1 + 0.2, 0.7, 0.3, 0.7);
    check_tenths(-0.05, 1.01, -0.1, 1.1);
    check_tenths(0.83, 0.83, 0.8, 0.9);
    check_tenths(1, 1, 0.9, 1); /* a single tenth */
    check_tenths(0, 0, 0, 0.1);
    check_tenths(-0.2, -0.2, -0.2, -0.1);
    check_tenths(NAN, NAN, 0, 0.1);
}

static char *draw(double *x, double *y, size_t count) {
    struct paced_text out = {0};
    struct series series = {.name = "<b>", .x = x, .y = y, .count = count};
    struct chart chart = {.title = "a & b",
                          .x_name = "epoch",
                          .x_unit = "passes",
                          .y_name = "dice",
                          .y_unit = "0 to 1",
                          .y_min = 0,
                          .y_max = 1,
                          .series = &series,
                          .series_count = 1};
    assert_true(chart_has_points(&chart));
    chart_add(&out, &chart, "c", "");
    return out.data;
}

/* Reads the points of the line, pixels; returns their number. */
static int take_line(const char *svg, double points[][2], int most) {
    const char *path = strstr(svg, "<path class=\"line\" d=\"");
    assert_non_null(path);
    path += strlen("<path class=\"line\" d=\"");
    int count = 0, used;
    while (count < most && sscanf(path, "%*1[ML]%lf %lf%n", &points[count][0], &points[count][1], &used) == 2) {
        path += used;
        ++count;
    }
    assert_int_equal(*path, '"');
    return count;
}

static void test_line_is_to_scale(void **state) {
    static double x[] = {1, 2, 4}, y[] = {0.25, 0.5, 1};
    double p[4][2];
    char *svg = draw(x, y, 3);
    assert_int_equal(take_line(svg, p, 4), 3);
    double right = (p[2][0] - p[0][0]) / 3, up = (p[0][1] - p[2][1]) / 0.75;
    assert_true(right > 50 && up > 100);
    assert_true(fabs(p[1][0] - p[0][0] - right) < 0.2);
    assert_true(fabs(p[0][1] - p[1][1] - 0.25 * up) < 0.2);
    free(svg);
}

static void test_chart_says_what_it_shows(void **state) {
    static double x[] = {1, 2}, y[] = {0.123456789, 0.5};
    char *svg = draw(x, y, 2);
    static const char *const wanted[] = {"role=\"img\"", "<title id=\"c-title\">a &amp; b: dice against epoch</title>",
                                         ">epoch (passes)<", ">dice (0 to 1)<",
                                         "<title>&lt;b&gt;, epoch 1: 0.123456789</title>"};
    for (size_t i = 0; i < PACED_COUNT(wanted); ++i)
        if (!strstr(svg, wanted[i])) fail_msg("no %s in %s", wanted[i], svg);
    assert_null(strstr(svg, "<b>"));
    free(svg);
}

static void test_gap(void **state) {
    static double x[] = {0, 1, 2, 3}, y[] = {0.5, 0.5, NAN, 0.5};
    char *svg = draw(x, y, 4);
    const char *path = strstr(svg, "<path class=\"line\"");
    assert_non_null(path);
    int moves = 0;
    for (; *path && *path != '>'; ++path) moves += *path == 'M';
    assert_int_equal(moves, 2);
    assert_null(strstr(svg, "nan"));
    free(svg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_tenths),
        cmocka_unit_test(test_line_is_to_scale),
        cmocka_unit_test(test_chart_says_what_it_shows),
        cmocka_unit_test(test_gap),
    };
    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
