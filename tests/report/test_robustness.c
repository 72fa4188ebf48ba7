/* Robustness tables: exact text of the files for a few images. */
#include "paced/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WEIGHTS = 2, CORRUPTIONS = 2, SEVERITIES = 2, CELLS = WEIGHTS * CORRUPTIONS * SEVERITIES };

static char directory[] = "/tmp/paced-robustness-XXXXXX";
static char path[64];

static int make_directory(void **state) {
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof(path), "%s/table", directory);
    return 0;
}

static int remove_directory(void **state) {
    unlink(path);
    return rmdir(directory);
}

/* Scores of one image of four pixels of class 1, `found` of which are predicted: recall and iou are found / 4. */
static struct paced_scores *scores_of(int found, int classes) {
    const uint8_t label[4] = {1, 1, 1, 1};
    uint8_t prediction[4];
    for (int i = 0; i < 4; ++i) prediction[i] = i < found;
    struct paced_scores *scores = paced_scores_create(classes);
    paced_scores_add(scores, "a,b.png", prediction, label, 4);
    return scores;
}

static struct paced_scores *clean[WEIGHTS], *cells[CELLS];
static const char *const weights[] = {"unet", "a_long_name_of_weights"}, *const corruptions[] = {"fog",
                                                                                                 "gaussian_noise"};
static const int severities[] = {1, 4};
static const struct paced_robustness robustness = {weights,     corruptions, severities, WEIGHTS,
                                                   CORRUPTIONS, SEVERITIES,  clean,      cells};

static void fill(const int of_clean[WEIGHTS], const int of_cells[CELLS], int classes) {
    for (int i = 0; i < WEIGHTS; ++i) clean[i] = scores_of(of_clean[i], classes);
    for (int i = 0; i < CELLS; ++i) cells[i] = scores_of(of_cells[i], classes);
}

static void empty(void) {
    for (int i = 0; i < WEIGHTS; ++i) paced_scores_destroy(clean[i]);
    for (int i = 0; i < CELLS; ++i) paced_scores_destroy(cells[i]);
}

static char *read_table(void) {
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    return (char *)data;
}

static void check_has(const char *text, const char *line) {
    char *whole = paced_format("\n%s\n", line);
    if (!strstr(text, whole)) fail_msg("no line %s in\n%s", line, text);
    free(whole);
}

static const int found_clean[] = {4, 0};
static const int found[] = {4, 2, 1, 1, 0, 0, 2, 0}; /* unet: fog, gaussian_noise; then the second network */

static void test_summary(void **state) {
    fill(found_clean, found, 2);
    assert_int_equal(paced_robustness_write_summary(&robustness, path), PACED_OK);
    char *text = read_table();
    const char header[] = "weights,corruption,metric,clean,severity_1,severity_4,mean,drop\n";
    assert_memory_equal(text, header, strlen(header));
    check_has(text, "unet,fog,iou,1,1,0.5,0.75,0.25");
    check_has(text, "unet,fog,precision,1,1,1,1,0");
    check_has(text, "unet,gaussian_noise,recall,1,0.25,0.25,0.25,0.75");
    check_has(text, "unet,mean,iou,1,0.625,0.375,0.5,0.5");
    check_has(text, "a_long_name_of_weights,fog,iou,0,0,0,0,"); /* no drop without a clean value */
    check_has(text, "a_long_name_of_weights,mean,iou,0,0.25,0,0.125,");
    free(text);
    empty();
}

static void test_images(void **state) {
    fill(found_clean, found, 2);
    assert_int_equal(paced_robustness_write_csv(&robustness, path), PACED_OK);
    char *text = read_table();
    const char head[] = "weights,image,corruption,severity,class,dice,iou,precision,recall,f1\n"
                        "unet,\"a,b.png\",clean,0,mean,1,1,1,1,1\n"
                        "unet,\"a,b.png\",fog,1,mean,1,1,1,1,1\n"
                        "unet,\"a,b.png\",fog,4,mean,0.66667";
    assert_memory_equal(text, head, strlen(head));
    size_t lines = 0;
    for (const char *c = text; *c; ++c) lines += *c == '\n';
    assert_int_equal(lines, 1 + WEIGHTS + CELLS);
    free(text);
    empty();
}

static void test_images_of_more_classes(void **state) {
    fill(found_clean, found, 3);
    assert_int_equal(paced_robustness_write_csv(&robustness, path), PACED_OK);
    char *text = read_table();
    check_has(text, "unet,\"a,b.png\",clean,0,mean,1,1,1,1,1");
    check_has(text, "unet,\"a,b.png\",clean,0,1,1,1,1,1,1");
    check_has(text, "unet,\"a,b.png\",clean,0,2,,,,,"); /* absent */
    check_has(text, "unet,\"a,b.png\",gaussian_noise,4,1,0.400012,0.25,1,0.25,0.4");
    free(text);
    empty();
}

static void test_table(void **state) {
    fill((int[]){4, 2}, found, 2);
    FILE *out = fopen(path, "w");
    paced_robustness_print(&robustness, out);
    fclose(out);
    char *text = read_table();
    assert_string_equal(text, "corruption                        unet  a_long_name_of_weights\n"
                              "clean                  1.0000                  0.6667\n"
                              "fog                    0.8333   -16.7%         0.0000  -100.0%\n"
                              "gaussian_noise         0.4000   -60.0%         0.3333   -50.0%\n"
                              "mean                   0.6167   -38.3%         0.1667   -75.0%\n");
    free(text);
    empty();
}

/* A Dice without any overlap is not 0, because of the smoothing constant, but has no drop either. */
static void test_no_drop_from_nothing(void **state) {
    fill((int[]){4, 0}, found, 2);
    assert_int_equal(paced_robustness_write_summary(&robustness, path), PACED_OK);
    char *text = read_table();
    check_has(text, "a_long_name_of_weights,fog,dice,2.4999375e-05,2.4999375e-05,2.4999375e-05,2.4999375e-05,");
    free(text);
    FILE *out = fopen(path, "w");
    paced_robustness_print(&robustness, out);
    fclose(out);
    text = read_table();
    check_has(text, "fog                    0.8333   -16.7%         0.0000        -");
    check_has(text, "mean                   0.6167   -38.3%         0.1667        -");
    free(text);
    empty();
}

static void test_no_images(void **state) {
    fill(found_clean, found, 2);
    for (int i = 0; i < WEIGHTS; ++i) paced_scores_clear(clean[i]);
    for (int i = 0; i < CELLS; ++i) paced_scores_clear(cells[i]);
    assert_int_equal(paced_robustness_write_summary(&robustness, path), PACED_OK);
    char *text = read_table();
    check_has(text, "unet,mean,dice,,,,,");
    free(text);
    FILE *out = fopen(path, "w");
    paced_robustness_print(&robustness, out);
    fclose(out);
    text = read_table();
    assert_null(strstr(text, "nan"));
    free(text);
    empty();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_images_of_more_classes),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_no_drop_from_nothing),
        cmocka_unit_test(test_no_images),
    };
    return cmocka_run_group_tests_name("robustness", tests, make_directory, remove_directory);
}
