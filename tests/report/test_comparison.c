/* The comparison of tests: from summaries as the scores write them to the exact text of its file and table. */
#include "paced/report.h"

#include "tests/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char directory[] = "/tmp/paced-comparison-XXXXXX";
static char path[64], summary[64];

static int make_directory(void **state) {
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof(path), "%s/comparison.csv", directory);
    snprintf(summary, sizeof(summary), "%s/summary.csv", directory);
    return 0;
}

static int remove_directory(void **state) {
    unlink(path);
    unlink(summary);
    return rmdir(directory);
}

static void write_summary(const char *text) {
    assert_int_equal(paced_file_write(summary, text, strlen(text)), PACED_OK);
}

static void check_file(const char *expected) {
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, expected);
    free(data);
}

/* One image without a foreground, so that the second row's figures do not apply. */
static void add_scores(struct paced_comparison *comparison, const char *name) {
    const uint8_t background[4] = {0}, alarm[4] = {1};
    struct paced_scores *scores = paced_scores_create(2);
    paced_scores_add(scores, NULL, background, background, 4);
    paced_scores_add(scores, NULL, alarm, background, 4);
    assert_int_equal(paced_scores_write_summary(scores, summary), PACED_OK);
    paced_scores_destroy(scores);
    assert_int_equal(paced_comparison_add(comparison, name, summary), PACED_OK);
}

static void test_two_tests(void **state) {
    struct paced_comparison comparison = {0};
    write_summary("set,class,images,dice,iou,precision,recall,f1,more\n"
                  "all,mean,3,0.123456789,0.5,1,0,0.25,7\r\nnon-empty,mean,2,0.9,0.8,0.7,0.6,0.5,7\nall,1,x\n");
    assert_int_equal(paced_comparison_add(&comparison, "long,name", summary), PACED_OK);
    add_scores(&comparison, "b");
    assert_int_equal(paced_comparison_write_csv(&comparison, path), PACED_OK);
    check_file("stage,set,images,dice,iou,precision,recall,f1\n"
               "\"long,name\",all,3,0.123456789,0.5,1,0,0.25\n"
               "\"long,name\",non-empty,2,0.9,0.8,0.7,0.6,0.5\n"
               "b,all,2,0.500049995,0.5,0.5,1,0.666666667\n"
               "b,non-empty,0,,,,,\n");
    FILE *out = fopen(path, "w");
    paced_comparison_print(&comparison, out);
    fclose(out);
    check_file("stage      images       dice        iou  precision     recall         f1  dice (non-empty)\n"
               "long,name       3     0.1235     0.5000     1.0000     0.0000     0.2500            0.9000\n"
               "b               2     0.5000     0.5000     0.5000     1.0000     0.6667                 -\n");
    paced_comparison_finish(&comparison);
    paced_comparison_finish(NULL);
}

static void test_bad_summaries(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", ":1: "},
        {"image,class\n", ":1: "},
        {"set,class,images,dice,iou,precision,recall,f1\n", ":2: "},
        {"set,class,images,dice,iou,precision,recall,f1\nall,1,3,1,1,1,1,1\n", ":2: "},
        {"set,class,images,dice,iou,precision,recall,f1\nall,mean,-3,1,1,1,1,1\n", ":2: "},
        {"set,class,images,dice,iou,precision,recall,f1\nall,mean,3,1,1,x,1,1\n", ":2: "},
        {"set,class,images,dice,iou,precision,recall,f1\nall,mean,3,1,1,1,1,1\nall,mean,3,1,1,1,1,1\n", ":3: "},
    };
    struct paced_comparison comparison = {0};
    for (size_t i = 0; i < PACED_COUNT(cases); i++) {
        struct capture said;
        write_summary(cases[i].text);
        capture_start(&said);
        enum paced_err err = paced_comparison_add(&comparison, "a", summary);
        capture_end(&said);
        assert_int_equal(err, PACED_INVALID);
        char *expected = paced_format("paced: %s%s", summary, cases[i].says);
        assert_memory_equal(said.text, expected, strlen(expected));
        free(expected);
    }
    assert_int_equal(comparison.count, 0);
    paced_comparison_finish(&comparison);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_tests), cmocka_unit_test(test_bad_summaries)};
    return cmocka_run_group_tests_name("comparison", tests, make_directory, remove_directory);
}
