/* Outcomes of a sweep: exact text of the tables, means and standard deviations over one label, and positions of the
 * marks in the plots. */
#include "paced/report.h"

#include "paced/data.h"
#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/paced-outcomes-XXXXXX";
static char path[64], file[64];

static int make_directory(void **state) {
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof(path), "%s/out", directory);
    snprintf(file, sizeof(file), "%s/in", directory);
    return 0;
}

static int remove_directory(void **state) {
    unlink(path);
    unlink(file);
    return rmdir(directory);
}

static void write_file(const char *text) {
    assert_int_equal(paced_file_write(file, text, strlen(text)), PACED_OK);
}

static void check_file(const char *expected) {
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, expected);
    free(data);
}

#define INTERVALS "set,class,images,metric,mean,low,high\n"

static void add_test(struct paced_outcomes *o, const char *a, const char *b, double dice) {
    const char *labels[] = {a, b};
    char *text =
        paced_format(INTERVALS "all,mean,4,dice,%g,0.125,1\nall,mean,4,hd95,3,2,\nnon-empty,mean,3,dice,%g,0.1,0.2\n"
                               "all,1,4,dice,9,9,9\n",
                     dice, dice / 2);
    write_file(text);
    free(text);
    assert_int_equal(paced_outcomes_add_test(o, labels, file), PACED_OK);
}

static const char *const names[] = {"stage", "run.seed"};

static void test_sweep_csv(void **state) {
    struct paced_outcomes o;
    paced_outcomes_init(&o, names, 2);
    const char *labels[] = {"anything", "2"};
    add_test(&o, "kd", "1", 0.5);
    add_test(&o, "kd,x", "2", 0.75);
    write_file("weights,corruption,metric,clean,severity_1,severity_3,mean,drop\nkd,fog,dice,1,1,1,1,0\n"
               "kd,mean,dice,1,0.5,0.25,0.375,0.625\n\"kd,x\",mean,dice,1,0.5,0.25,0.125,\n");
    assert_int_equal(paced_outcomes_add_robustness(&o, labels, file), PACED_OK);
    assert_int_equal(paced_outcomes_write_csv(&o, path), PACED_OK);
    /* kd was corrupted not with seed 1 but with seed 2, with which it was not tested. */
    check_file("stage,run.seed,images,dice,dice_low,dice_high,hd95,hd95_low,hd95_high,non_empty_images,non_empty_dice,"
               "non_empty_dice_low,non_empty_dice_high,corrupted_dice,drop_dice\n"
               "kd,1,4,0.5,0.125,1,3,2,,3,0.25,0.1,0.2,,\n"
               "\"kd,x\",2,4,0.75,0.125,1,3,2,,3,0.375,0.1,0.2,0.125,\n"
               "kd,2,,,,,,,,,,,,0.375,0.625\n");
    FILE *out = fopen(path, "w");
    paced_outcomes_print(&o, out);
    fclose(out);
    check_file("stage  run.seed  images                       dice  dice (non-empty)  dice (corrupted)    drop\n"
               "kd     1              4  0.5000 (0.1250 to 1.0000)            0.2500                 -       -\n"
               "kd,x   2              4  0.7500 (0.1250 to 1.0000)            0.3750            0.1250       -\n"
               "kd     2              -                          -                 -            0.3750  0.6250\n");
    paced_outcomes_finish(&o);
    paced_outcomes_finish(NULL);
}

static void test_average(void **state) {
    struct paced_outcomes o;
    paced_outcomes_init(&o, names, 2);
    add_test(&o, "a", "1", 0.5);
    add_test(&o, "b", "1", 0.25);
    add_test(&o, "a", "2", 0.75);
    add_test(&o, "a", "3", 1);
    struct paced_outcomes means = paced_outcomes_average(&o, 1);
    assert_int_equal(paced_outcomes_write_csv(&means, path), PACED_OK);
    check_file("stage,runs,dice,dice_sd,hd95,hd95_sd,non_empty_dice,non_empty_dice_sd\n"
               "a,3,0.75,0.25,3,0,0.375,0.125\nb,1,0.25,,3,,0.125,\n");
    FILE *out = fopen(path, "w");
    paced_outcomes_print(&means, out);
    fclose(out);
    check_file("stage  runs              dice  dice (non-empty)\n"
               "a         3  0.7500 +- 0.2500  0.3750 +- 0.1250\n"
               "b         1  0.2500            0.1250          \n");
    /* Without labels, one row remains. */
    struct paced_outcomes all = paced_outcomes_average(&means, 0);
    assert_int_equal(paced_outcomes_write_csv(&all, path), PACED_OK);
    check_file("runs,dice,dice_sd,hd95,hd95_sd,non_empty_dice,non_empty_dice_sd\n"
               "2,0.5,0.353553391,3,0,0.25,0.176776695\n");
    paced_outcomes_finish(&all);
    paced_outcomes_finish(&means);
    paced_outcomes_finish(&o);
}

static const char *const swept[] = {"stage", "data.size", "run.seed"};

/* Adds a test without outline metrics, with one more label. */
static void add_swept_test(struct paced_outcomes *o, const char *stage, const char *size, const char *seed,
                           double dice) {
    const char *labels[] = {stage, size, seed};
    char *text = paced_format(INTERVALS "all,mean,4,dice,%g,,\n", dice);
    write_file(text);
    free(text);
    assert_int_equal(paced_outcomes_add_test(o, labels, file), PACED_OK);
}

static void test_join(void **state) {
    struct paced_outcomes o;
    const char *labels[] = {"any", "64", "2"};
    const bool kept[] = {false, true, false};
    paced_outcomes_init(&o, swept, 3);
    add_swept_test(&o, "teacher", "32", "1", 0.5);
    add_swept_test(&o, "kd", "32", "1", 0.25);
    add_swept_test(&o, "teacher", "64", "1", 0.75);
    add_swept_test(&o, "teacher", "32", "2", 0.625);
    add_swept_test(&o, "kd", "32", "2", 0.375);
    write_file("weights,corruption,metric,clean,severity_1,mean,drop\nteacher,mean,dice,1,1,0.125,\n");
    assert_int_equal(paced_outcomes_add_robustness(&o, labels, file), PACED_OK);
    paced_outcomes_join(&o, "teacher", kept);
    assert_int_equal(paced_outcomes_write_csv(&o, path), PACED_OK);
    check_file("stage,data.size,run.seed,images,dice,dice_low,dice_high,non_empty_images,corrupted_dice\n"
               "teacher,32,,4,0.5,,,,\nkd,32,1,4,0.25,,,,\nteacher,64,,4,0.75,,,,0.125\nkd,32,2,4,0.375,,,,\n");
    struct paced_outcomes means = paced_outcomes_average(&o, 2);
    paced_outcomes_join(&means, "teacher", (const bool[]){false, false});
    FILE *out = fopen(path, "w");
    paced_outcomes_print(&means, out);
    fclose(out);
    check_file("stage    data.size  runs              dice  dice (corrupted)\n"
               "teacher  -             1  0.5000            0.1250          \n"
               "kd       32            2  0.3125 +- 0.0884                 -\n");
    paced_outcomes_finish(&means);
    paced_outcomes_finish(&o);
}

static void test_bad_files(void **state) {
    static const struct {
        const char *text, *says;
    } tests[] = {
        {"", ":1: the header lacks the column 'set'"},
        {"set,class\n", ":1: the header lacks the column 'images'"},
        {INTERVALS "all,mean,4,dice,1,1\n", ":2: the row ends before the column 'high'"},
        {INTERVALS "all,mean,4,dice,1,x,1\n", ":2: column low: 'x' is not a number"},
        {INTERVALS "all,mean,4,dace,1,1,1\n", ":2: column metric: 'dace' is not a metric"},
    };
    const char *labels[] = {"a", "1"};
    for (size_t i = 0; i < PACED_COUNT(tests); ++i) {
        struct paced_outcomes o;
        paced_outcomes_init(&o, names, 2);
        struct capture said;
        write_file(tests[i].text);
        capture_start(&said);
        enum paced_err err = paced_outcomes_add_test(&o, labels, file);
        capture_end(&said);
        assert_int_equal(err, PACED_INVALID);
        char *expected = paced_format("paced: %s%s", file, tests[i].says);
        assert_memory_equal(said.text, expected, strlen(expected));
        free(expected);
        paced_outcomes_finish(&o);
    }
}

/* The text of the figure. Release with free(). */
static char *plot(const struct paced_outcomes *o) {
    char *text;
    assert_int_equal(paced_outcomes_plot(o, path), PACED_OK);
    assert_int_equal(paced_file_read_text(path, 0, &text), PACED_OK);
    return text;
}

/* A network shared by all values of a numeric label appears at all of them: the second line is horizontal. */
static void test_shared_is_a_level_line(void **state) {
    struct paced_outcomes o;
    paced_outcomes_init(&o, names, 2);
    add_test(&o, "kd", "1", 0.5);
    add_test(&o, "kd", "2", 0.75);
    add_test(&o, "teacher", "", 0.875);
    char *svg = plot(&o);
    const char *line = strstr(svg, "<g class=\"s1\">\n<path class=\"line\"");
    double x[2], y[2];
    assert_non_null(line);
    assert_int_equal(sscanf(strstr(line, " d=\""), " d=\"M%lf %lfL%lf %lf\"", &x[0], &y[0], &x[1], &y[1]), 4);
    assert_true(x[0] + 100 < x[1] && y[0] == y[1]);
    free(svg);
    paced_outcomes_finish(&o);
}

/* Mean position of the marks of the first panel in the figure of two networks, along x or y. */
static double find_marks(const char *a, const char *b, double dice_a, double dice_b, bool across) {
    struct paced_outcomes o;
    paced_outcomes_init(&o, names, 2);
    add_test(&o, "n", a, dice_a);
    add_test(&o, "n", b, dice_b);
    char *svg = plot(&o), *mark = svg;
    double sum = 0;
    for (int i = 0; i < 2; ++i) {
        double x, y;
        mark = strstr(mark, "class=\"mark\"") + 1;
        if (across)
            assert_int_equal(sscanf(mark, "lass=\"mark\" d=\"M%lf %lfh", &x, &y), 2);
        else
            assert_int_equal(sscanf(mark, "lass=\"mark\" transform=\"translate(%lf %lf)", &x, &y), 2);
        sum += across ? x : y;
    }
    free(svg);
    paced_outcomes_finish(&o);
    return sum / 2;
}

/* Number of bars in the figure of a sweep over two numbers, with the intervals of add_test, or with averages over one
 * run each, which have no standard deviation. */
static int count_bars(bool averaged) {
    struct paced_outcomes o, means;
    paced_outcomes_init(&o, names, 2);
    add_test(&o, "1", "1", 0.5);
    add_test(&o, "2", "1", 0.5);
    means = paced_outcomes_average(&o, 1);
    char *svg = plot(averaged ? &means : &o);
    int count = 0;
    for (const char *at = svg; (at = strstr(at, "class=\"interval\"")); ++at) ++count;
    free(svg);
    paced_outcomes_finish(&means);
    paced_outcomes_finish(&o);
    return count;
}

static void test_curves_have_bars(void **state) {
    assert_int_equal(count_bars(false), 2 * 2); /* two networks, two panels */
    assert_int_equal(count_bars(true), 0);
}

/* With a numeric label, higher is better; with names, further to the right is better. */
static void test_plots(void **state) {
    assert_true(find_marks("1", "2", 0.8, 0.9, false) + 15 < find_marks("1", "2", 0.2, 0.9, false));
    assert_true(find_marks("1", "1.0", 0.8, 0.9, true) > find_marks("1", "1.0", 0.2, 0.9, true) + 15); /* one number */
    assert_true(find_marks("x", "y", 0.8, 0.9, true) > find_marks("x", "y", 0.2, 0.9, true) + 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_shared_is_a_level_line),
        cmocka_unit_test(test_sweep_csv),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_plots),
        cmocka_unit_test(test_curves_have_bars),
    };
    return cmocka_run_group_tests_name("outcomes", tests, make_directory, remove_directory);
}
