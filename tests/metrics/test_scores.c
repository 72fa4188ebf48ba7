/* Scores against hand-computed values, and the exact text of their files. */
#include "paced/report.h"

#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/paced-scores-XXXXXX";
static char path[64];

static int make_directory(void **state) {
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof(path), "%s/scores.csv", directory);
    return 0;
}

static int remove_directory(void **state) {
    unlink(path);
    return rmdir(directory);
}

static void check_text(FILE *file, const char *expected) {
    char text[2048];
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void check_metrics(struct paced_metrics m, double dice, double iou, double precision, double recall, double f1) {
    const double got[] = {m.dice, m.iou, m.precision, m.recall, m.f1};
    const double expected[] = {dice, iou, precision, recall, f1};
    for (size_t i = 0; i < PACED_COUNT(got); ++i)
        if (!(fabs(got[i] - expected[i]) < 1e-12)) fail_msg("figure %zu: %.17g, not %.17g", i, got[i], expected[i]);
}

static const uint8_t background[4] = {0, 0, 0, 0};

/* Adds an image with TP 1, |P| 2, |G| 2. */
static void add_half(struct paced_scores *scores, const char *name) {
    paced_scores_add(scores, name, (uint8_t[]){1, 1, 0, 0}, (uint8_t[]){1, 0, 1, 0}, 4);
}

static void add_false_alarm(struct paced_scores *scores, const char *name) {
    paced_scores_add(scores, name, (uint8_t[]){1, 0, 0, 0}, background, 4);
}

static void test_one_image(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    size_t images = 9;
    add_half(scores, "a");
    check_metrics(paced_scores_mean(scores, 0, false, &images), 2.0001 / 4.0001, 1.0 / 3, .5, .5, .5);
    assert_int_equal(images, 1);
    check_metrics(paced_scores_mean(scores, 1, true, &images), 2.0001 / 4.0001, 1.0 / 3, .5, .5, .5);
    assert_int_equal(images, 1);
    paced_scores_destroy(scores);
}

static void test_empty_masks(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    paced_scores_add(scores, NULL, background, background, 4);
    check_metrics(paced_scores_mean(scores, 0, false, NULL), 1, 1, 1, 1, 1);
    paced_scores_clear(scores);
    add_false_alarm(scores, NULL); /* recall is 0 / 0 */
    check_metrics(paced_scores_mean(scores, 0, false, NULL), 1e-4 / 1.0001, 0, 0, 1, 0);
    paced_scores_clear(scores);
    paced_scores_add(scores, NULL, background, (uint8_t[]){1, 1, 0, 0}, 4); /* precision is 0 / 0 */
    check_metrics(paced_scores_mean(scores, 0, false, NULL), 1e-4 / 2.0001, 0, 1, 0, 0);
    paced_scores_clear(scores);
    paced_scores_add(scores, NULL, (uint8_t[]){1, 0, 0, 0}, (uint8_t[]){0, 1, 0, 0}, 4); /* precision = recall = 0 */
    check_metrics(paced_scores_mean(scores, 0, false, NULL), 1e-4 / 2.0001, 0, 0, 0, 0);
    paced_scores_destroy(scores);
}

static void test_f1_comes_from_the_means(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    size_t images = 0;
    add_half(scores, NULL);        /* precision 1/2, recall 1/2, f1 1/2 */
    add_false_alarm(scores, NULL); /* precision 0, recall 1, f1 0 */
    check_metrics(paced_scores_mean(scores, 0, false, &images), (2.0001 / 4.0001 + 1e-4 / 1.0001) / 2, 1.0 / 6, .25,
                  .75, .375);
    assert_int_equal(images, 2);
    /* The label map of the false alarm is empty. */
    check_metrics(paced_scores_mean(scores, 0, true, &images), 2.0001 / 4.0001, 1.0 / 3, .5, .5, .5);
    assert_int_equal(images, 1);
    paced_scores_destroy(scores);
}

static void test_no_images(void **state) {
    struct paced_scores *scores = paced_scores_create(3);
    for (int round = 0; round < 2; ++round) {
        size_t images = 9;
        struct paced_metrics m = paced_scores_mean(scores, 0, round == 1, &images);
        assert_int_equal(images, 0);
        assert_true(isnan(m.dice) && isnan(m.iou) && isnan(m.precision) && isnan(m.recall) && isnan(m.f1));
        add_false_alarm(scores, NULL); /* one image, but no non-empty one */
    }
    paced_scores_destroy(scores);
    paced_scores_destroy(NULL);
}

/* Class 1: TP 1, |P| 2, |G| 2. Class 2: TP 2, |P| 2, |G| 3. */
static void add_three_classes(struct paced_scores *scores) {
    paced_scores_add(scores, NULL, (uint8_t[]){1, 1, 2, 2, 0, 0}, (uint8_t[]){1, 2, 2, 2, 0, 1}, 6);
}

static void test_classes_are_kept_apart(void **state) {
    struct paced_scores *scores = paced_scores_create(3);
    double dice1 = 2.0001 / 4.0001, dice2 = 4.0001 / 5.0001;
    add_three_classes(scores);
    check_metrics(paced_scores_mean(scores, 1, false, NULL), dice1, 1.0 / 3, .5, .5, .5);
    check_metrics(paced_scores_mean(scores, 2, false, NULL), dice2, 2.0 / 3, 1, 2.0 / 3, .8);
    check_metrics(paced_scores_mean(scores, 0, false, NULL), (dice1 + dice2) / 2, .5, .75, 7.0 / 12, .65625);
    paced_scores_destroy(scores);
}

static void test_many_images(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    size_t images = 0;
    for (int i = 0; i < 200; ++i) add_half(scores, "again");
    assert_int_equal(paced_scores_count(scores), 200);
    check_metrics(paced_scores_mean(scores, 0, true, &images), 2.0001 / 4.0001, 1.0 / 3, .5, .5, .5);
    assert_int_equal(images, 200);
    paced_scores_clear(scores);
    assert_int_equal(paced_scores_count(scores), 0);
    paced_scores_destroy(scores);
}

/* Label values that are not a class (in the prediction of another network) are not counted as a class. */
static void test_values_beyond_the_classes(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    paced_scores_add(scores, NULL, (uint8_t[]){1, 255, 0, 0}, (uint8_t[]){1, 255, 7, 0}, 4);
    check_metrics(paced_scores_mean(scores, 0, false, NULL), 1, 1, 1, 1, 1);
    paced_scores_destroy(scores);
}

static void test_metrics_csv(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    add_half(scores, "benign (1).png");
    add_false_alarm(scores, "odd, \"name\"\n.png");
    add_half(scores, NULL);
    assert_int_equal(paced_scores_write_csv(scores, path), PACED_OK);
    check_text(fopen(path, "r"), "image,class,dice,iou,precision,recall,f1,labelled\n"
                                 "benign (1).png,1,0.5000125,0.333333333,0.5,0.5,0.5,2\n"
                                 "\"odd, \"\"name\"\"\n.png\",1,9.9990001e-05,0,0,1,0,0\n"
                                 "3,1,0.5000125,0.333333333,0.5,0.5,0.5,2\n");
    paced_scores_destroy(scores);
}

static void test_metrics_csv_of_several_classes(void **state) {
    struct paced_scores *scores = paced_scores_create(3);
    add_three_classes(scores);
    assert_int_equal(paced_scores_write_csv(scores, path), PACED_OK);
    check_text(fopen(path, "r"), "image,class,dice,iou,precision,recall,f1,labelled\n"
                                 "1,1,0.5000125,0.333333333,0.5,0.5,0.5,2\n"
                                 "1,2,0.800004,0.666666667,1,0.666666667,0.8,3\n");
    paced_scores_destroy(scores);
}

static void test_summary_csv(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    add_half(scores, "a");
    paced_scores_add(scores, "b", background, background, 4);
    assert_int_equal(paced_scores_write_summary(scores, path), PACED_OK);
    check_text(fopen(path, "r"), "set,class,images,dice,iou,precision,recall,f1\n"
                                 "all,mean,2,0.75000625,0.666666667,0.75,0.75,0.75\n"
                                 "non-empty,mean,1,0.5000125,0.333333333,0.5,0.5,0.5\n"
                                 "all,1,2,0.75000625,0.666666667,0.75,0.75,0.75\n");
    paced_scores_destroy(scores);
}

static void test_summary_csv_without_figures(void **state) {
    struct paced_scores *scores = paced_scores_create(3);
    assert_int_equal(paced_scores_write_summary(scores, path), PACED_OK);
    check_text(fopen(path, "r"), "set,class,images,dice,iou,precision,recall,f1\n"
                                 "all,mean,0,,,,,\n"
                                 "non-empty,mean,0,,,,,\n"
                                 "all,1,0,,,,,\n"
                                 "all,2,0,,,,,\n");
    paced_scores_destroy(scores);
}

static void test_table(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    FILE *file = tmpfile();
    assert_non_null(file);
    paced_scores_add(scores, "b", background, background, 4);
    paced_scores_print(scores, NULL, 1, file);
    rewind(file);
    check_text(file, "set        class  images       dice        iou  precision     recall         f1\n"
                     "all         mean       1     1.0000     1.0000     1.0000     1.0000     1.0000\n"
                     "non-empty   mean       0          -          -          -          -          -\n"
                     "all            1       1     1.0000     1.0000     1.0000     1.0000     1.0000\n"
                     "95% of all, from             1.0000     1.0000     1.0000     1.0000     1.0000\n"
                     "                      to     1.0000     1.0000     1.0000     1.0000     1.0000\n");
    paced_scores_destroy(scores);
}

static void test_unwritable_place(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    struct capture capture;
    capture_start(&capture);
    enum paced_err csv = paced_scores_write_csv(scores, "/nowhere/metrics.csv");
    enum paced_err summary = paced_scores_write_summary(scores, "/nowhere/summary.csv");
    capture_end(&capture);
    assert_int_not_equal(csv, PACED_OK);
    assert_int_not_equal(summary, PACED_OK);
    paced_scores_destroy(scores);
}

/* The metrics of pixels come first, as the tables rely on. */
static void test_pixel_metrics_come_first(void **state) {
    for (int m = 0; m < PACED_METRICS; ++m)
        assert_int_equal(paced_metric_table[m].basis == PACED_OF_PIXELS, m < PACED_PIXEL_METRICS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixel_metrics_come_first),
        cmocka_unit_test(test_one_image),
        cmocka_unit_test(test_empty_masks),
        cmocka_unit_test(test_f1_comes_from_the_means),
        cmocka_unit_test(test_no_images),
        cmocka_unit_test(test_classes_are_kept_apart),
        cmocka_unit_test(test_many_images),
        cmocka_unit_test(test_values_beyond_the_classes),
        cmocka_unit_test(test_metrics_csv),
        cmocka_unit_test(test_metrics_csv_of_several_classes),
        cmocka_unit_test(test_summary_csv),
        cmocka_unit_test(test_summary_csv_without_figures),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_unwritable_place),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
