/* Comparison of tests, from summaries to the exact text of its files and table. */
#include "paced/report.h"

#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char directory[] = "/tmp/paced-comparison-XXXXXX";
static char path[64], summary[64], metrics[64];

static int make_directory(void **state) {
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof(path), "%s/comparison.csv", directory);
    snprintf(summary, sizeof(summary), "%s/summary.csv", directory);
    snprintf(metrics, sizeof(metrics), "%s/metrics.csv", directory);
    return 0;
}

static int remove_directory(void **state) {
    unlink(path);
    unlink(summary);
    unlink(metrics);
    return rmdir(directory);
}

static void write_summary(const char *text) {
    assert_int_equal(paced_file_write(summary, text, strlen(text)), PACED_OK);
}

static void write_metrics(const char *path_, const char *text) {
    assert_int_equal(paced_file_write(path_, text, strlen(text)), PACED_OK);
}

static void check_file(const char *expected) {
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, expected);
    free(data);
}

/* Adds one image without a foreground, so that the metrics of the second row are not applicable. */
static void add_scores(struct paced_comparison *comparison, const char *name) {
    const uint8_t background[4] = {0}, alarm[4] = {1};
    struct paced_scores *scores = paced_scores_create(2);
    paced_scores_add(scores, NULL, background, background, 4);
    paced_scores_add(scores, NULL, alarm, background, 4);
    assert_int_equal(paced_scores_write_summary(scores, summary), PACED_OK);
    assert_int_equal(paced_scores_write_csv(scores, metrics), PACED_OK);
    paced_scores_destroy(scores);
    assert_int_equal(paced_comparison_add(comparison, name, summary, metrics, 1), PACED_OK);
}

static void test_two_tests(void **state) {
    struct paced_comparison comparison = {0};
    write_summary("set,class,images,dice,iou,precision,recall,f1,more\n"
                  "all,mean,3,0.123456789,0.5,1,0,0.25,7\r\nnon-empty,mean,2,0.9,0.8,0.7,0.6,0.5,7\nall,1,x,,,,,,\n");
    char *first = paced_format("%s/first.csv", directory);
    write_metrics(first, "image,class,dice,iou,labelled\n2,1,0.25,1,0\n9,1,1,1,0\n1,1,0.5,1,7\n");
    assert_int_equal(paced_comparison_add(&comparison, "long,name", summary, first, 1), PACED_OK);
    add_scores(&comparison, "b");
    assert_int_equal(paced_comparison_write_csv(&comparison, path), PACED_OK);
    /* Differences per image: 1 - 0.5, and 0.0001 / 1.0001 - 0.25. */
    check_file("stage,set,images,dice,iou,precision,recall,f1,dice_difference,dice_low,dice_high,dice_p\n"
               "\"long,name\",all,3,0.123456789,0.5,1,0,0.25,,,,\n"
               "\"long,name\",non-empty,2,0.9,0.8,0.7,0.6,0.5,,,,\n"
               "b,all,2,0.500049995,0.5,0.5,1,0.666666667,0.125049995,-0.24990001,0.5,0.654720846\n"
               "b,non-empty,0,,,,,,0.5,0.5,0.5,0.317310508\n");
    assert_int_equal(paced_comparison_write_differences(&comparison, path), PACED_OK);
    check_file("stage,against,set,images,metric,difference,low,high,p\n"
               "b,\"long,name\",all,2,dice,0.125049995,-0.24990001,0.5,0.654720846\n"
               "b,\"long,name\",all,2,iou,-0.5,-1,0,0.317310508\n"
               "b,\"long,name\",non-empty,1,dice,0.5,0.5,0.5,0.317310508\n"
               "b,\"long,name\",non-empty,1,iou,0,0,0,1\n");
    unlink(first);
    free(first);
    FILE *out = fopen(path, "w");
    paced_comparison_print(&comparison, out);
    fclose(out);
    check_file("stage      images       dice        iou  precision     recall         f1  dice (non-empty)"
               "    dice - first's          p\n"
               "long,name       3     0.1235     0.5000     1.0000     0.0000     0.2500            0.9000"
               "                 -          -\n"
               "b               2     0.5000     0.5000     0.5000     1.0000     0.6667                 -"
               "            0.1250     0.6547\n");
    paced_comparison_finish(&comparison);
    paced_comparison_finish(NULL);
}

/* The first test of each group is named in the rows of the others. */
static void test_groups(void **state) {
    struct paced_comparison comparison = {0};
    add_scores(&comparison, "a");
    add_scores(&comparison, "b");
    paced_comparison_regroup(&comparison);
    add_scores(&comparison, "c");
    add_scores(&comparison, "d");
    assert_int_equal(comparison.rows[1].first, 0);
    assert_int_equal(comparison.rows[2].first, 2);
    assert_int_equal(comparison.rows[3].first, 2);
    assert_int_equal(paced_comparison_write_differences(&comparison, path), PACED_OK);
    check_file("stage,against,set,images,metric,difference,low,high,p\n"
               "b,a,all,2,dice,0,0,0,1\nb,a,all,2,iou,0,0,0,1\nb,a,all,2,precision,0,0,0,1\n"
               "b,a,all,2,recall,0,0,0,1\nb,a,all,2,f1,0,0,0,1\n"
               "d,c,all,2,dice,0,0,0,1\nd,c,all,2,iou,0,0,0,1\nd,c,all,2,precision,0,0,0,1\n"
               "d,c,all,2,recall,0,0,0,1\nd,c,all,2,f1,0,0,0,1\n");
    paced_comparison_finish(&comparison);
}

static void test_bad_summaries(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", ":1: "},
        {"image,class\n", ":1: "},
        {"set,class,images,dice,iou,precision,recall,f1\n", ":2: "},
        {"set,class,images,dice,iou,precision,recall,f1\nall,1,3,1,1,1,1,1\n", ":2: "},
        {"set,class,images,dice,iou,precision,recall,f1\nall,mean,-3,1,1,1,1,1\n", ":2: column images: '-3'"},
        {"set,class,images,dice,iou,precision,recall,f1\nall,mean,3,1,1,x,1,1\n", ":2: column precision: 'x'"},
        {"set,class,images,dice,iou,precision,recall,f1\nall,mean,3,1,1,1,1,1\nall,mean,3,1,1,1,1,1\n", ":3: "},
    };
    struct paced_comparison comparison = {0};
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct capture said;
        write_summary(cases[i].text);
        capture_start(&said);
        enum paced_err err = paced_comparison_add(&comparison, "a", summary, metrics, 1);
        capture_end(&said);
        assert_int_equal(err, PACED_INVALID);
        char *expected = paced_format("paced: %s%s", summary, cases[i].says);
        assert_memory_equal(said.text, expected, strlen(expected));
        free(expected);
    }
    assert_int_equal(comparison.count, 0);
    paced_comparison_finish(&comparison);
}

static void test_bad_metrics(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", ":1: the header lacks the column 'image'"},
        {"image,class,dice\na,1,1\n",
         ":1: the header lacks the column 'labelled'"}, /* a file of a version without `labelled` */
        {"image,class,dice,labelled\na,0,1,1\n", ":2: column class: '0' is not a whole number from 1"},
        {"image,class,dice,labelled\n\"a\nb\",1,1,1\nb,1,1\n", ":4: the row ends before the column 'labelled'"},
        {"image,class,dice,labelled\na,1,x,1\n", ":2: column dice: 'x' is not a number"},
        {"image,class,dice,labelled\na,1,1,1,1\n", ":2: the row goes on after its last column: '1'"},
    };
    struct paced_differences differences;
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct capture said;
        write_metrics(metrics, cases[i].text);
        capture_start(&said);
        enum paced_err err = paced_differences_read(&differences, metrics, metrics, false, 1);
        capture_end(&said);
        assert_int_equal(err, PACED_INVALID);
        char *expected = paced_format("paced: %s%s", metrics, cases[i].says);
        assert_memory_equal(said.text, expected, strlen(expected));
        free(expected);
    }
}

/* Two classes of one image are averaged; repeated names are matched in order. */
static void test_images_are_matched(void **state) {
    char *other = paced_format("%s/other.csv", directory);
    write_metrics(metrics, "image,class,dice,labelled\n\"a,\"\"\",1,0.5,0\n\"a,\"\"\",2,0.7,3\nb,1,0,0\nb,2,0,0\n"
                           "b,1,1,0\nb,2,1,0\n");
    write_metrics(other, "image,class,dice,labelled\nb,1,0.5,0\nb,2,0.5,0\nb,1,1,0\nb,2,1,0\nc,1,1,1\n"
                         "\"a,\"\"\",1,0.7,0\n\"a,\"\"\",2,0.9,3\n");
    struct paced_differences d;
    assert_int_equal(paced_differences_read(&d, metrics, other, false, 1), PACED_OK);
    assert_int_equal(d.images, 3);
    assert_float_equal(d.metrics[PACED_DICE].mean, (0.2 + 0.5 + 0) / 3, 1e-12);
    assert_true(d.metrics[PACED_DICE].low >= 0 && d.metrics[PACED_DICE].high <= 0.5 + 1e-12);
    assert_true(isnan(d.metrics[PACED_IOU].mean) && isnan(d.metrics[PACED_IOU].p));
    assert_int_equal(paced_differences_read(&d, metrics, other, true, 1), PACED_OK);
    assert_int_equal(d.images, 1);
    unlink(other);
    free(other);
}

/* Classes that are skipped have no value; an image without any value is one without foreground, which is perfect. */
static void test_skipped_classes(void **state) {
    char *other = paced_format("%s/other.csv", directory);
    write_metrics(metrics,
                  "image,class,dice,hd95,ece,labelled\na,1,0.5,3,0.1,4\na,2,,,0.1,0\nb,1,,,0.2,0\nb,2,,,0.2,0\n");
    write_metrics(other, "image,class,dice,hd95,ece,labelled\na,1,0.7,1,0.1,4\na,2,0.1,9,0.1,0\nb,1,0,8,0.4,0\n"
                         "b,2,,,0.4,0\n");
    struct paced_differences d;
    assert_int_equal(paced_differences_read(&d, metrics, other, false, 1), PACED_OK);
    assert_int_equal(d.images, 2);
    assert_float_equal(d.metrics[PACED_DICE].mean, ((0.4 - 0.5) + (0 - 1)) / 2, 1e-12);
    assert_float_equal(d.metrics[PACED_HD95].mean, ((5 - 3) + (8 - 0)) / 2.0, 1e-12);
    assert_float_equal(d.metrics[PACED_ECE].mean, 0.2 / 2, 1e-12);
    unlink(other);
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_tests),          cmocka_unit_test(test_groups),
        cmocka_unit_test(test_bad_summaries),      cmocka_unit_test(test_bad_metrics),
        cmocka_unit_test(test_images_are_matched), cmocka_unit_test(test_skipped_classes)};
    return cmocka_run_group_tests_name("comparison", tests, make_directory, remove_directory);
}
