/* Text of the progress line at several widths, and no output if stderr is not a terminal. */
#include "paced/base.h"

#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct paced_progress halfway(void) {
    return (struct paced_progress){.label = "train 3/40", .done = 50, .total = 100};
}

static void test_line(void **state) {
    struct paced_progress progress = halfway();
    char line[PACED_PROGRESS_LINE];
    paced_progress_format(line, &progress, 0.12345, 2, 80);
    assert_string_equal(line, "train 3/40 [==========>          ] 50/100  loss 0.1235  25.0 images/s  ETA 0:02");
}

static void test_line_fills_the_width(void **state) {
    struct paced_progress progress = halfway();
    char line[PACED_PROGRESS_LINE];
    for (size_t columns = 0; columns < 600; ++columns) {
        paced_progress_format(line, &progress, 1, 2, columns);
        assert_true(strlen(line) < PACED_PROGRESS_LINE);
        if (columns > 1) assert_true(strlen(line) < columns);
        if (columns >= 80 && columns <= PACED_PROGRESS_LINE) assert_int_equal(strlen(line), columns - 1);
        if (columns > 17) assert_int_equal(strncmp(line, "train 3/40", 10), 0);
        if (strchr(line, '[')) assert_non_null(strchr(line, ']'));
    }
}

static void test_line_without_a_loss(void **state) {
    struct paced_progress progress = halfway();
    char line[PACED_PROGRESS_LINE];
    paced_progress_format(line, &progress, NAN, 5000, 54);
    assert_string_equal(line, "train 3/40 [===>  ] 50/100  0.0 images/s  ETA 1:23:20");
}

static void test_line_leaves_out_what_does_not_fit(void **state) {
    static const struct {
        size_t columns;
        const char *line;
    } cases[] = {{60, "train 3/40 50/100  loss 1.0000  25.0 images/s  ETA 0:02"},
                 {56, "train 3/40 50/100  loss 1.0000  25.0 images/s  ETA 0:02"},
                 {50, "train 3/40 [===>  ] 50/100  loss 1.0000  ETA 0:02"},
                 {41, "train 3/40 50/100  loss 1.0000  ETA 0:02"},
                 {30, "train 3/40 50/100  ETA 0:02"},
                 {20, "train 3/40 50/100"},
                 {12, "trai 50/100"}};
    struct paced_progress progress = halfway();
    char line[PACED_PROGRESS_LINE];
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        paced_progress_format(line, &progress, 1, 2, cases[i].columns);
        assert_string_equal(line, cases[i].line);
    }
}

static void test_line_at_the_ends(void **state) {
    char line[PACED_PROGRESS_LINE];
    struct paced_progress none = {.label = "x"}, start = {.label = "x", .total = 10};
    struct paced_progress past = {.label = "x", .done = 30, .total = 10};
    paced_progress_format(line, &none, NAN, 0, 60);
    assert_non_null(strstr(line, "0/0"));
    paced_progress_format(line, &start, NAN, 0, 60);
    assert_non_null(strstr(line, "ETA -"));
    paced_progress_format(line, &past, NAN, 3, 60);
    assert_non_null(strstr(line, "=]"));
    assert_null(strchr(line, '>'));
    assert_non_null(strstr(line, "ETA 0:00"));
}

static void test_no_terminal(void **state) {
    struct paced_progress progress;
    struct capture capture;
    char label[100];
    memset(label, 'a', sizeof(label));
    label[sizeof(label) - 1] = '\0';
    capture_start(&capture);
    paced_progress_start(&progress, label, 10);
    paced_progress_step(&progress, 4, 0.5);
    paced_progress_step(&progress, 6, 0.5);
    paced_progress_end(&progress);
    capture_end(&capture);
    assert_string_equal(capture.text, "");
    assert_int_equal(progress.done, 10);
    assert_int_equal(strlen(progress.label), sizeof(progress.label) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_line_fills_the_width),
        cmocka_unit_test(test_line_without_a_loss),
        cmocka_unit_test(test_line_leaves_out_what_does_not_fit),
        cmocka_unit_test(test_line_at_the_ends),
        cmocka_unit_test(test_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
