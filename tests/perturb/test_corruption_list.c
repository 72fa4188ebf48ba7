/* Lists of corruptions and severities: their elements and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "paced/perturb.h"

enum { MOST = 64 };

static void assert_chosen(const char *list, const char *name, bool wanted) {
    bool chosen[MOST] = {false};
    size_t index = 0;
    assert_true(paced_corruption_count() <= MOST && paced_corruption_find(name, &index));
    assert_int_equal(paced_corruptions_read("x", list, chosen), PACED_OK);
    assert_int_equal(chosen[index], wanted);
}

static void test_words(void **state) {
    (void)state;
    assert_chosen("all", "fog", true);
    assert_chosen("all", "rotate", false);
    assert_chosen("geometric", "rotate", true);
    assert_chosen("geometric", "fog", false);
    assert_chosen("hflip, all", "hflip", true);
    assert_chosen("hflip, all", "rotate", false);
    assert_chosen("fog ,spatter", "spatter", true);
    assert_chosen("fog ,spatter", "elastic", false);
}

static void test_severities(void **state) {
    (void)state;
    bool chosen[PACED_SEVERITIES + 1] = {false};
    assert_int_equal(paced_severities_read("x", "5, 1,5", chosen), PACED_OK);
    for (int i = 1; i <= PACED_SEVERITIES; ++i) assert_int_equal(chosen[i], i == 1 || i == 5);
}

static void assert_refused(enum paced_err (*check)(const char *where, const char *list), const char *list,
                           const char *says) {
    struct capture capture;
    capture_start(&capture);
    const enum paced_err err = check("x.ini:3", list);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    if (strncmp(capture.text, "paced: x.ini:3: ", 16) != 0 || !strstr(capture.text, says))
        fail_msg("'%s': said %s instead of %s", list, capture.text, says);
}

static void test_refused(void **state) {
    (void)state;
    assert_refused(paced_corruptions_check, "all, gausian_blur",
                   "'gausian_blur' is not a corruption; did you mean gaussian_blur?");
    assert_refused(paced_corruptions_check, "geometrc", "did you mean geometric?");
    assert_refused(paced_corruptions_check, "xyz", "write all, geometric or a list of names");
    assert_refused(paced_corruptions_check, "fog,", "missing beside a comma");
    assert_refused(paced_corruptions_check, "", "empty");
    static const char *const wrong[] = {"0", "6", "1,two", "1;2", "1-5"};
    for (size_t i = 0; i < PACED_COUNT(wrong); ++i)
        assert_refused(paced_severities_check, wrong[i], "is not a severity; write a list of 1 to 5");
    assert_refused(paced_severities_check, "1,,2", "missing beside a comma");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
