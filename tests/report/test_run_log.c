/* The training log: round trip, digits, missing values, damaged files. */
#include "paced/report.h"

#include "tests/capture.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER "epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second\n"

static char directory[] = "/tmp/paced-log-XXXXXX";
static char path[64];

static int make_directory(void **state) {
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof(path), "%s/log.csv", directory);
    return 0;
}

static int remove_directory(void **state) {
    unlink(path);
    return rmdir(directory);
}

static void check_file(const char *expected) {
    char text[2048];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void write_bytes(const char *text, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static struct paced_log_row train_row(int epoch) {
    return (struct paced_log_row){.epoch = epoch,
                                  .phase = "train",
                                  .measures.loss = 0.5 / epoch,
                                  .measures.ce = 0.25,
                                  .measures.kld = NAN,
                                  .measures.lr = 0.003,
                                  .measures.mu = NAN,
                                  .measures.admitted = NAN,
                                  .measures.dice = NAN,
                                  .measures.iou = NAN,
                                  .measures.precision = NAN,
                                  .measures.recall = NAN,
                                  .measures.f1 = NAN,
                                  .measures.seconds = 12.5,
                                  .measures.images_per_second = 54.4};
}

static struct paced_log_row val_row(int epoch) {
    struct paced_log_row row = train_row(epoch);
    row.phase = "val";
    row.measures.kld = 3;
    row.measures.mu = -0.1;
    row.measures.admitted = 1;
    for (int m = 0; m < PACED_PIXEL_METRICS; ++m) row.measures.of[PACED_MEASURE_DICE + m] = 0.1 * (m + 1);
    return row;
}

static struct paced_run_log three_epochs(void) {
    struct paced_run_log log = {0};
    for (int epoch = 1; epoch <= 3; ++epoch) {
        struct paced_log_row train = train_row(epoch), val = val_row(epoch);
        paced_run_log_add(&log, &train);
        paced_run_log_add(&log, &val);
    }
    return log;
}

/* Compares bits of numbers; NaN equals NaN. */
static void check_same(double a, double b) {
    assert_true(isnan(a) ? isnan(b) : a == b);
}

static void check_rows(const struct paced_run_log *log, const struct paced_run_log *expected, size_t count) {
    assert_int_equal(log->count, count);
    for (size_t i = 0; i < count; ++i) {
        const struct paced_log_row *a = &log->rows[i], *b = &expected->rows[i];
        assert_int_equal(a->epoch, b->epoch);
        assert_string_equal(a->phase, b->phase);
        check_same((float)a->measures.loss, (float)b->measures.loss);
        check_same(a->measures.ce, b->measures.ce);
        check_same(a->measures.kld, b->measures.kld);
        check_same(a->measures.lr, b->measures.lr);
        check_same(a->measures.mu, b->measures.mu);
        check_same(a->measures.admitted, b->measures.admitted);
        check_same(a->measures.dice, b->measures.dice);
        check_same(a->measures.f1, b->measures.f1);
        check_same(a->measures.seconds, b->measures.seconds);
        check_same(a->measures.images_per_second, b->measures.images_per_second);
    }
}

static void test_text_of_the_file(void **state) {
    struct paced_run_log log = {0};
    struct paced_log_row train = train_row(1), val = val_row(1);
    paced_run_log_add(&log, &train);
    paced_run_log_add(&log, &val);
    assert_int_equal(paced_run_log_write(&log, path), PACED_OK);
    check_file(HEADER "1,train,0.5,0.25,,0.003,,,,,,,,12.5,54.4\n"
                      "1,val,0.5,0.25,3,0.003,-0.1,1,0.1,0.2,0.3,0.4,0.5,12.5,54.4\n");
    paced_run_log_finish(&log);
    paced_run_log_finish(&log);
    paced_run_log_finish(NULL);
}

static void test_round_trip(void **state) {
    struct paced_run_log written = three_epochs(), read = {0};
    assert_int_equal(paced_run_log_write(&written, path), PACED_OK);
    assert_int_equal(paced_run_log_read(&read, path, 100), PACED_OK);
    check_rows(&read, &written, 6);
    /* A second read replaces the first; epochs after the last one are dropped. */
    assert_int_equal(paced_run_log_read(&read, path, 2), PACED_OK);
    check_rows(&read, &written, 4);
    assert_int_equal(paced_run_log_read(&read, path, 0), PACED_OK);
    check_rows(&read, &written, 0);
    paced_run_log_finish(&written);
    paced_run_log_finish(&read);
}

/* Neighbouring float32 values stay distinct, and a log that is read and written again is the same file. */
static void test_digits(void **state) {
    float values[] = {0.1F,     nextafterf(0.1F, 1),     16777215, FLT_MIN, FLT_MAX,
                      1.0F / 3, nextafterf(1.0F / 3, 1), -1e-30F};
    struct paced_run_log written = {0}, read = {0};
    for (size_t i = 0; i < PACED_COUNT(values); ++i) {
        struct paced_log_row row = train_row(1);
        row.measures.loss = values[i];
        paced_run_log_add(&written, &row);
    }
    assert_int_equal(paced_run_log_write(&written, path), PACED_OK);
    assert_int_equal(paced_run_log_read(&read, path, 1), PACED_OK);
    assert_int_equal(read.count, PACED_COUNT(values));
    for (size_t i = 0; i < PACED_COUNT(values); ++i) assert_true((float)read.rows[i].measures.loss == values[i]);
    paced_run_log_finish(&written);
    paced_run_log_finish(&read);
}

static void test_infinity(void **state) {
    struct paced_run_log written = {0}, read = {0};
    struct paced_log_row row = train_row(1);
    row.measures.loss = INFINITY;
    row.measures.ce = -INFINITY;
    paced_run_log_add(&written, &row);
    assert_int_equal(paced_run_log_write(&written, path), PACED_OK);
    assert_int_equal(paced_run_log_read(&read, path, 1), PACED_OK);
    assert_true(read.rows[0].measures.loss == INFINITY && read.rows[0].measures.ce == -INFINITY);
    paced_run_log_finish(&written);
    paced_run_log_finish(&read);
}

static void test_other_line_ends(void **state) {
    static const char text[] = "epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,"
                               "images_per_second\r\n1,train,1,2,,,,,,,,,,,5\r\n2,val,1,2,,,,,,,,,,,";
    struct paced_run_log log = {0};
    write_bytes(text, strlen(text));
    assert_int_equal(paced_run_log_read(&log, path, 9), PACED_OK);
    assert_int_equal(log.count, 2);
    assert_true(log.rows[0].measures.images_per_second == 5);
    assert_true(isnan(log.rows[1].measures.images_per_second));
    paced_run_log_finish(&log);
}

static const struct {
    const char *text;
    int line;
    const char *part; /* of the message */
} damaged[] = {
    {"", 1, "'epoch'"},
    {"\n", 1, "'epoch'"},
    {"epoch,phase\n", 1, "'loss'"},
    {"epoch;phase;loss\n", 1, "'epoch'"},
    {"epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second,more\n", 1, "more"},
    {HEADER "x,train,1,2,,,,,,,,,,,\n", 2, "'x'"},
    {HEADER ",train,1,2,,,,,,,,,,,\n", 2, "epoch"},
    {HEADER "0,train,1,2,,,,,,,,,,,\n", 2, "'0'"},
    {HEADER "-1,train,1,2,,,,,,,,,,,\n", 2, "'-1'"},
    {HEADER "4294967297,train,1,2,,,,,,,,,,,\n", 2, "epoch"},
    {HEADER "1\n", 2, "phase"},
    {HEADER "1,test,1,2,,,,,,,,,,,\n", 2, "'test'"},
    {HEADER "1,train,1,2,,,,,,,,,,,\n2,val,1,two,,,,,,,,,,,\n", 3, "'two'"},
    {HEADER "1,train,1,2,,,,,,,,,,,\n\n", 3, "epoch"},
    {HEADER "1,train,1,2\n", 2, "'kld'"},
    {HEADER "1,train,1,2,,,,,,,,,,\n", 2, "'images_per_second'"},
    {HEADER "1,train,1,2,,,,,,,,,,,,\n", 2, "last column"},
    {HEADER "1,train,nan,2,,,,,,,,,,,\n", 2, "'nan'"},
    {HEADER "9,train,1,2,,,,,,,,,,,x\n", 2, "'x'"},
};

/* Reads the malformed file `path`: the error names file and line, and the caller's log is unchanged. */
static void check_refused(int line, const char *part) {
    struct paced_run_log log = three_epochs(), copy = three_epochs();
    struct capture capture;
    char place[96];
    snprintf(place, sizeof(place), "%s:%d: ", path, line);
    capture_start(&capture);
    enum paced_err err = paced_run_log_read(&log, path, 5);
    capture_end(&capture);
    if (err != PACED_INVALID || !strstr(capture.text, place) || !strstr(capture.text, part))
        fail_msg("status %d, expected %s%s in: %s", err, place, part, capture.text);
    check_rows(&log, &copy, 6);
    paced_run_log_finish(&log);
    paced_run_log_finish(&copy);
}

static void test_damaged_files(void **state) {
    for (size_t i = 0; i < PACED_COUNT(damaged); ++i) {
        write_bytes(damaged[i].text, strlen(damaged[i].text));
        check_refused(damaged[i].line, damaged[i].part);
    }
    static const char in_row[] = HEADER "1,train,1,\0,,,,,,,,,,,\n", for_row[] = HEADER "\0001,train,,,,,,,,,,,,,\n";
    write_bytes(in_row, sizeof(in_row) - 1);
    check_refused(2, "zero byte");
    write_bytes(for_row, sizeof(for_row) - 1);
    check_refused(2, "zero byte");
}

static void test_missing_file(void **state) {
    struct paced_run_log log = {0};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_run_log_read(&log, "/nowhere/log.csv", 1);
    capture_end(&capture);
    assert_int_not_equal(err, PACED_OK);
    assert_null(log.rows);
}

static void test_losses(void **state) {
    struct paced_run_log log = {0};
    assert_int_equal(paced_run_log_write_losses(&log, path), PACED_OK);
    check_file("{\"train\": [], \"val\": []}\n");
    for (int epoch = 1; epoch <= 3; ++epoch) {
        struct paced_log_row train = train_row(epoch), val = val_row(epoch);
        train.measures.ce = 0.1F * (float)epoch;
        val.measures.ce = epoch == 1 ? NAN : epoch == 2 ? INFINITY : 1e-7;
        paced_run_log_add(&log, &train);
        paced_run_log_add(&log, &val);
    }
    assert_int_equal(paced_run_log_write_losses(&log, path), PACED_OK);
    check_file("{\"train\": [0.100000001, 0.200000003, 0.300000012], \"val\": [null, null, 1e-07]}\n");
    paced_run_log_finish(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of_the_file), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_digits),           cmocka_unit_test(test_infinity),
        cmocka_unit_test(test_other_line_ends),  cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_missing_file),     cmocka_unit_test(test_losses),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
