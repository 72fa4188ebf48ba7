/* Tables as CSV files: cells by name, texts that need quotes, and the place of each error. */
#include "paced/base.h"

#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Cells are addressed by name; rows may be short or long. */
static void test_any_table(void **state) {
    char path[] = "/tmp/paced-table-XXXXXX";
    static const char text[] = "name,value\r\n\"a,\"\"b\"\"\",0.123456789\nshort\nlong,inf,more\n";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    struct paced_csv table;
    assert_int_equal(paced_csv_read_any(&table, path), PACED_OK);
    assert_true(table.rows == 3 && table.columns == 2);
    assert_true(paced_csv_is(&table, 0, "name", "a,\"b\"") && paced_csv_is(&table, 1, "value", ""));
    assert_string_equal(paced_csv_text(&table, 0, "value"), "0.123456789");
    assert_string_equal(paced_csv_text(&table, 0, "none"), "");
    assert_true(paced_csv_real(&table, 0, "value") == 0.123456789);
    assert_true(isnan(paced_csv_real(&table, 1, "value")) && isnan(paced_csv_real(&table, 2, "value")));
    paced_csv_finish(&table);
    unlink(path);
    assert_int_equal(paced_csv_read_any(&table, path), PACED_OK);
    assert_true(table.rows == 0 && table.columns == 0);
}

static char path[] = "/tmp/paced-csv-XXXXXX";

static int make_file(void **state) {
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state) {
    return unlink(path);
}

static void write_file(const char *text) {
    assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
}

/* Columns may stand in any order, among others. */
static void test_strict_table(void **state) {
    struct paced_csv csv;
    double value;
    int64_t count;
    write_file("more,b,a\n,-inf,7\n\"x\ny\",,8\nz,1e-3,9\n");
    assert_int_equal(paced_csv_read(&csv, path, "a,b", "try again"), PACED_OK);
    assert_int_equal(csv.rows, 3);
    assert_int_equal(paced_csv_take_real(&csv, 0, "b", &value), PACED_OK);
    assert_true(value == -INFINITY);
    assert_int_equal(paced_csv_take_real(&csv, 1, "b", &value), PACED_OK);
    assert_true(isnan(value));
    assert_int_equal(paced_csv_take_real(&csv, 2, "b", &value), PACED_OK);
    assert_true(value == 1e-3);
    assert_int_equal(paced_csv_take_count(&csv, 2, "a", 9, 9, &count), PACED_OK);
    assert_int_equal(count, 9);
    assert_string_equal(paced_csv_text(&csv, 1, "more"), "x\ny");
    struct capture said;
    capture_start(&said);
    enum paced_err err = paced_csv_take_count(&csv, 2, "a", 10, 20, &count);
    capture_end(&said);
    char *expected = paced_format("paced: %s:5: column a: '9' is not a whole number from 10; try again\n", path);
    assert_int_equal(err, PACED_INVALID); /* line 5: the row before has two lines */
    assert_string_equal(said.text, expected);
    free(expected);
    paced_csv_finish(&csv);
}

static void test_refused_tables(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", ":1: the header lacks the column 'a'; try again\n"},
        {"a,c\n1,2\n", ":1: the header lacks the column 'b'; try again\n"},
        {"a,b\n1,2\n\n", ":3: the row ends before the column 'a'; try again\n"},
        {"a,b\n1\n", ":2: the row ends before the column 'b'; try again\n"},
        {"a,b\n1,2,3\n", ":2: the row goes on after its last column: '3'; try again\n"},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct paced_csv csv;
        struct capture said;
        write_file(cases[i].text);
        capture_start(&said);
        enum paced_err err = paced_csv_read(&csv, path, "a,b", "try again");
        capture_end(&said);
        assert_int_equal(err, PACED_INVALID);
        char *expected = paced_format("paced: %s%s", path, cases[i].says);
        assert_string_equal(said.text, expected);
        free(expected);
    }
}

/* Texts and numbers that are written are read back. */
static void test_round_trip(void **state) {
    static const char *const texts[] = {"plain", "a,b", "\"quoted\"", "two\nlines", ""};
    const double numbers[] = {0.1F, NAN, INFINITY, -1e-30, 0};
    struct paced_atomic file;
    struct paced_csv csv;
    assert_int_equal(paced_atomic_open(&file, path), PACED_OK);
    fputs("text,number\n", file.stream);
    for (size_t i = 0; i < PACED_COUNT(texts); ++i) {
        paced_csv_write_text(file.stream, texts[i]);
        paced_csv_write_reals(file.stream, &numbers[i], 1);
        fputc('\n', file.stream);
    }
    assert_int_equal(paced_atomic_commit(&file), PACED_OK);
    assert_int_equal(paced_csv_read(&csv, path, "text,number", ""), PACED_OK);
    assert_int_equal(csv.rows, PACED_COUNT(texts));
    for (size_t i = 0; i < PACED_COUNT(texts); ++i) {
        double value;
        assert_string_equal(paced_csv_text(&csv, i, "text"), texts[i]);
        assert_int_equal(paced_csv_take_real(&csv, i, "number", &value), PACED_OK);
        assert_true((float)value == (float)numbers[i] || (isnan(value) && isnan(numbers[i])));
    }
    paced_csv_finish(&csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_table),
        cmocka_unit_test(test_strict_table),
        cmocka_unit_test(test_refused_tables),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests_name("csv", tests, make_file, remove_file);
}
