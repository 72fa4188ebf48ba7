/* Table and file of a tuning: written values are read back; bad files are rejected with file, line and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paced/device.h"
#include "tests/capture.h"

static const char KEY[] = "224x224x64-64 k3 s1 p1 d1 n4 forward";
static char path[] = "/tmp/paced-tuning-XXXXXX";

static int make_file(void **state) {
    (void)state;
    strcpy(path, "/tmp/paced-tuning-XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : 1;
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

static void test_table(void **state) {
    (void)state;
    struct paced_tuning *tuning = paced_tuning_create();
    assert_null(paced_tuning_get(tuning, "convolution", KEY));
    paced_tuning_set(tuning, "convolution", KEY, "im2col", NULL);
    paced_tuning_set(tuning, "gemm", KEY, "another section's", NULL);
    paced_tuning_set(tuning, "convolution", KEY, "winograd4", "20 ms");
    assert_string_equal(paced_tuning_get(tuning, "convolution", KEY), "winograd4");
    assert_string_equal(paced_tuning_get(tuning, "gemm", KEY), "another section's");
    paced_tuning_destroy(tuning);
    paced_tuning_destroy(NULL);
}

static char *file_text(void) {
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    return (char *)data;
}

/* Sections are in the order of the file, keys in that of setting. A note is a comment. A value cannot start a comment
 * or end a line. */
static void test_file(void **state) {
    (void)state;
    struct paced_tuning *tuning = paced_tuning_create(), *read = paced_tuning_create();
    paced_tuning_set(tuning, "convolution", KEY, "winograd4", "im2col 47.1, winograd4 20.3 ms");
    paced_tuning_set(tuning, "convolution", "b", "im2col", NULL);
    paced_tuning_set(tuning, "convolution", "a", "im2col", NULL);
    paced_tuning_set(tuning, "gemm", "setting", "tile 16x16, vectors of 16", NULL);
    paced_tuning_set(tuning, "device", "name", "one ;two\nthree = four", NULL);
    assert_int_equal(paced_tuning_write(tuning, path), PACED_OK);
    char *text = file_text();
    const char *lines = strstr(text, "\n[device]\n");
    assert_non_null(lines);
    assert_string_equal(lines,
                        "\n[device]\nname = one  two three = four\n\n[gemm]\nsetting = tile 16x16, vectors of 16\n"
                        "\n[convolution]\n224x224x64-64 k3 s1 p1 d1 n4 forward = winograd4 ; im2col 47.1, "
                        "winograd4 20.3 ms\nb = im2col\na = im2col\n");
    free(text);
    assert_int_equal(paced_tuning_read(read, path), PACED_OK);
    assert_string_equal(paced_tuning_get(read, "convolution", KEY), "winograd4");
    assert_string_equal(paced_tuning_get(read, "gemm", "setting"), "tile 16x16, vectors of 16");
    assert_string_equal(paced_tuning_get(read, "device", "name"), "one  two three = four");
    paced_tuning_destroy(read);
    paced_tuning_destroy(tuning);
}

/* A note that would make the line too long to read is omitted. */
static void test_long_note(void **state) {
    (void)state;
    struct paced_tuning *tuning = paced_tuning_create(), *read = paced_tuning_create();
    char note[200];
    memset(note, 'x', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    paced_tuning_set(tuning, "convolution", KEY, "winograd4", note);
    assert_int_equal(paced_tuning_write(tuning, path), PACED_OK);
    assert_int_equal(paced_tuning_read(read, path), PACED_OK);
    assert_string_equal(paced_tuning_get(read, "convolution", KEY), "winograd4");
    paced_tuning_destroy(read);
    paced_tuning_destroy(tuning);
}

/* Read values replace set ones, which keep their position. */
static void test_reading_over(void **state) {
    (void)state;
    static const char text[] = "\xEF\xBB\xBF[gemm]\nsetting = other\n";
    struct paced_tuning *tuning = paced_tuning_create();
    paced_tuning_set(tuning, "gemm", "setting", "one", NULL);
    paced_tuning_set(tuning, "convolution", KEY, "im2col", NULL);
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
        assert_int_equal(paced_tuning_read(tuning, path), PACED_OK);
    }
    assert_string_equal(paced_tuning_get(tuning, "gemm", "setting"), "other");
    assert_string_equal(paced_tuning_get(tuning, "convolution", KEY), "im2col");
    paced_tuning_destroy(tuning);
}

struct bad {
    const char *text, *place, *says; /* place: text after the file name */
};

static void assert_refused(const struct bad *bad, size_t size) {
    struct paced_tuning *tuning = paced_tuning_create();
    assert_int_equal(paced_file_write(path, bad->text, size), PACED_OK);
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_tuning_read(tuning, path);
    capture_end(&capture);
    char *begin = paced_format("paced: %s%s", path, bad->place);
    assert_int_equal(err, PACED_INVALID);
    if (strncmp(capture.text, begin, strlen(begin)) != 0) fail_msg("%s does not begin with %s", capture.text, begin);
    if (!strstr(capture.text, bad->says)) fail_msg("%s does not say %s", capture.text, bad->says);
    assert_int_equal(strcspn(capture.text, "\n"), strlen(capture.text) - 1);
    free(begin);
    paced_tuning_destroy(tuning);
}

static void test_bad_files(void **state) {
    (void)state;
    static const struct bad files[] = {
        {"[gemm]\nsetting = a\n[gem]\nsetting = b\n", ":4: [gem] setting:", "the sections are"},
        {"setting = a\n", ":1: [] setting:", "the sections are"},
        {"[gemm]\n; comment\nsettings = a\n", ":3: [gemm] settings:", "unknown key"},
        {"[convolution]\na = im2col\nb = im2col\na = winograd4\n", ":4: [convolution] a:", "given twice"},
        {"[convolution]\na = im2col\n  and more\n", ":3: [convolution] a:", "given twice"},
        {"[device]\nname = x\nnonsense\n", ":3:", "neither"},
        {"[device]\nname = x\n[gemm\n", ":3:", "has no ']'"},
    };
    for (size_t i = 0; i < PACED_COUNT(files); ++i) assert_refused(&files[i], strlen(files[i].text));
    static const char zero[] = "[gemm]\nsetting = a\0b\n";
    assert_refused(&(struct bad){zero, ":", "zero byte"}, sizeof zero - 1);
    char *longest = paced_format("[device]\nname = %0300d\n", 1);
    assert_refused(&(struct bad){longest, ":2:", "longer than 199 bytes"}, strlen(longest));
    free(longest);
}

static void test_missing_file(void **state) {
    (void)state;
    struct paced_tuning *tuning = paced_tuning_create();
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_tuning_read(tuning, "/nowhere/tuning.ini");
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(capture.text, "/nowhere/tuning.ini"));
    paced_tuning_destroy(tuning);
}

static void test_refusal_names_the_place(void **state) {
    (void)state;
    static const char text[] = "[convolution]\na = im2col\nb = winograd9 ; not known\n";
    struct paced_tuning *tuning = paced_tuning_create();
    assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
    assert_int_equal(paced_tuning_read(tuning, path), PACED_OK);
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_tuning_refuse(tuning, "convolution", "b", "no such algorithm");
    capture_end(&capture);
    char *want = paced_format("paced: %s:3: [convolution] b = winograd9: no such algorithm\n", path);
    assert_int_equal(err, PACED_INVALID);
    assert_string_equal(capture.text, want);
    free(want);
    paced_tuning_destroy(tuning);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test_setup_teardown(test_file, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_long_note, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_reading_over, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_bad_files, make_file, remove_file),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test_setup_teardown(test_refusal_names_the_place, make_file, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
