/* Selection of the representative images of a test. */
#include "paced/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIXELS = 20, MOST = 16 };

/* Adds an image of ten labelled pixels, `right` of which are predicted; dice grows with `right`. */
static void add_image(struct paced_scores *scores, const char *name, int right) {
    uint8_t prediction[PIXELS] = {0}, label[PIXELS] = {0};
    for (int i = 0; i < 10; ++i) label[i] = 1;
    for (int i = 0; i < right; ++i) prediction[i] = 1;
    paced_scores_add(scores, name, prediction, label, PIXELS);
}

static void add_nothing(struct paced_scores *scores) {
    const uint8_t none[PIXELS] = {0};
    paced_scores_add(scores, "empty", none, none, PIXELS);
}

static void add_false_alarm(struct paced_scores *scores) {
    const uint8_t prediction[PIXELS] = {1}, none[PIXELS] = {0};
    paced_scores_add(scores, "alarm", prediction, none, PIXELS);
}

/* Checks kinds and images, in order, such as "b0 m3 w7". */
static void check_chosen(const struct paced_scores *scores, size_t wanted, const char *expected) {
    struct paced_case cases[MOST];
    char text[8 * MOST] = "";
    size_t count = paced_cases_choose(scores, wanted, cases);
    assert_true(count <= wanted);
    for (size_t i = 0; i < count; ++i) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%c%zu", i ? " " : "", cases[i].kind[0],
                 cases[i].image);
        assert_true(cases[i].number == 1 || cases[i].number == cases[i - 1].number + 1);
        assert_true(cases[i].dice == paced_scores_image(scores, cases[i].image, 0).dice);
    }
    assert_string_equal(text, expected);
}

static void test_thirds(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    const int right[] = {3, 9, 1, 10, 5, 7, 2, 8, 4, 6, 0};
    for (size_t i = 0; i < PACED_COUNT(right); ++i) add_image(scores, "a", right[i]);
    check_chosen(scores, 0, "");
    check_chosen(scores, 1, "b3");
    check_chosen(scores, 2, "b3 w10");
    check_chosen(scores, 3, "b3 m4 w10");
    check_chosen(scores, 4, "b3 b1 m4 w10");
    check_chosen(scores, 8, "b3 b1 b7 m9 m4 w10 w2 w6");
    check_chosen(scores, 11, "b3 b1 b7 b5 m9 m4 m8 w10 w2 w6 w0");
    check_chosen(scores, MOST, "b3 b1 b7 b5 m9 m4 m8 w10 w2 w6 w0");
    paced_scores_destroy(scores);
}

static void test_few_images(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    check_chosen(scores, 8, "");
    add_image(scores, "a", 3);
    check_chosen(scores, 8, "b0");
    add_image(scores, "b", 4);
    check_chosen(scores, 8, "b1 w0");
    add_image(scores, "c", 5);
    add_image(scores, "d", 6);
    check_chosen(scores, 8, "b3 b2 m1 w0");
    paced_scores_destroy(scores);
}

static void test_ties_keep_their_order(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    for (int i = 0; i < 9; ++i) add_image(scores, "a", 5);
    check_chosen(scores, 3, "b0 m4 w8");
    paced_scores_destroy(scores);
}

/* An empty image predicted as empty has dice 1, but is ranked last because it shows nothing. */
static void test_what_shows_nothing_comes_last(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    add_nothing(scores);
    for (int i = 1; i <= 3; ++i) add_image(scores, "a", 3 * i);
    add_false_alarm(scores);
    add_nothing(scores);
    check_chosen(scores, 3, "b3 m2 w4");
    check_chosen(scores, 5, "b0 b3 m2 w4 w1");
    check_chosen(scores, 6, "b0 b5 m3 m2 w4 w1");
    paced_scores_destroy(scores);
}

static void test_table(void **state) {
    char path[] = "/tmp/paced-cases-XXXXXX", text[512];
    int file = mkstemp(path);
    assert_true(file >= 0);
    struct paced_scores *scores = paced_scores_create(2);
    struct paced_case cases[3];
    add_image(scores, "benign/a, \"b\".png", 10);
    add_image(scores, "c.png", 0);
    size_t count = paced_cases_choose(scores, 3, cases);
    enum paced_err err = paced_cases_write_csv(scores, cases, count, path);
    close(file);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    unlink(path);
    assert_int_equal(err, PACED_OK);
    assert_string_equal(text, "file,case,image,dice\n"
                              "best_01.png,best,\"benign/a, \"\"b\"\".png\",1\n"
                              "worst_01.png,worst,c.png,9.9999e-06\n");
    paced_scores_destroy(scores);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thirds),
        cmocka_unit_test(test_few_images),
        cmocka_unit_test(test_ties_keep_their_order),
        cmocka_unit_test(test_what_shows_nothing_comes_last),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
