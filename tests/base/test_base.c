/* base: whole files, shipped files, and text ("foobar" is a test vector of FNV-1a). */
#include "paced_build.h"
#include "tests/base/helper.h"

#include <math.h>
#include <sys/stat.h>

/* ---- files ---- */

static size_t entries_named(const char *pattern) {
    char *command = paced_format("ls -A '%s' | grep -c '%s'", dir, pattern);
    FILE *pipe = popen(command, "r");
    size_t count = 99;
    assert_int_equal(fscanf(pipe, "%zu", &count), 1);
    pclose(pipe);
    free(command);
    return count;
}

static void test_atomic(void **state) {
    (void)state;
    char *path = paced_path_join(dir, "atomic");
    struct paced_atomic file;
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_write(path, "old", 3), PACED_OK);
    assert_int_equal(paced_atomic_open(&file, path), PACED_OK);
    fprintf(file.stream, "new content");
    fflush(file.stream);
    assert_int_equal(entries_named("^atomic.tmp."), 1);
    assert_int_equal(paced_file_read(path, 3, &data, &size), PACED_OK); /* readers still see the old file */
    assert_string_equal((char *)data, "old");
    free(data);
    assert_int_equal(paced_atomic_commit(&file), PACED_OK);
    paced_atomic_abort(&file); /* no effect after a commit */
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_int_equal(size, 11);
    assert_string_equal((char *)data, "new content");
    free(data);
    assert_int_equal(paced_atomic_open(&file, path), PACED_OK);
    fprintf(file.stream, "never seen");
    paced_atomic_abort(&file);
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, "new content");
    free(data);
    assert_int_equal(entries_named("^atomic.tmp."), 0);
    free(path);
}

static void test_atomic_refuses(void **state) {
    (void)state;
    char *nowhere = paced_path_join(dir, "missing/file"), *full = paced_path_join(dir, "full");
    capture_begin();
    assert_int_equal(paced_file_write(nowhere, "x", 1), PACED_FAILED);
    assert_int_equal(paced_file_write(dir, "x", 1), PACED_FAILED);
    assert_int_equal(paced_file_write("/dev/null", "x", 1), PACED_FAILED); /* a rename would replace the device */
    /* On a full disk, writes of the stream fail and the old file is kept. */
    assert_int_equal(paced_file_write(full, "old", 3), PACED_OK);
    struct paced_atomic file;
    assert_int_equal(paced_atomic_open(&file, full), PACED_OK);
    assert_non_null(freopen("/dev/full", "w", file.stream));
    fprintf(file.stream, "lost");
    assert_int_equal(paced_atomic_commit(&file), PACED_FAILED);
    char *said = capture_end();
    assert_non_null(strstr(said, nowhere));
    assert_non_null(strstr(said, "No space left"));
    free(said);
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(full, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, "old");
    assert_int_equal(entries_named(".tmp."), 0);
    free(data);
    free(full);
    free(nowhere);
}

static void assert_content(const char *path, const char *content) {
    char *text;
    assert_int_equal(paced_file_read_text(path, 0, &text), PACED_OK);
    assert_string_equal(text, content);
    free(text);
}

/* A link is refused, whether it leads to a file or nowhere, and no file appears at its target. */
static void test_links_are_refused(void **state) {
    (void)state;
    const char *const targets[] = {"target", "gone"};
    char *target = paced_path_join(dir, "target"), *gone = paced_path_join(dir, "gone");
    assert_int_equal(paced_file_write(target, "kept", 4), PACED_OK);
    for (size_t i = 0; i < PACED_COUNT(targets); ++i) {
        char *name = paced_format("%s/link_%zu", dir, i);
        assert_int_equal(symlink(targets[i], name), 0);
        capture_begin();
        enum paced_err errors[] = {paced_link_check(name), paced_file_check(name), paced_file_write(name, "bc", 2),
                                   paced_file_append(name, "bc", 2)};
        char *said = capture_end();
        for (size_t k = 0; k < PACED_COUNT(errors); ++k) assert_int_equal(errors[k], PACED_INVALID);
        assert_non_null(strstr(said, name));
        assert_non_null(
            strstr(said, ": is a symbolic link in the place of a result; remove it, or choose another place"));
        free(said);
        free(name);
    }
    assert_content(target, "kept");
    assert_false(paced_path_exists(gone));
    assert_int_equal(entries_named("^link_.*tmp"), 0);
    free(gone);
    free(target);
}

/* A link that appears after the opening is replaced, not followed. */
static void test_late_link_is_replaced(void **state) {
    (void)state;
    char *target = paced_path_join(dir, "late_target"), *name = paced_path_join(dir, "late_link");
    struct paced_atomic file;
    assert_int_equal(paced_file_write(target, "kept", 4), PACED_OK);
    assert_int_equal(paced_atomic_open(&file, name), PACED_OK);
    fputs("new", file.stream);
    assert_int_equal(symlink("late_target", name), 0);
    assert_int_equal(paced_atomic_commit(&file), PACED_OK);
    assert_int_equal(paced_link_check(name), PACED_OK);
    assert_content(name, "new");
    assert_content(target, "kept");
    free(name);
    free(target);
}

static void test_begins(void **state) {
    (void)state;
    char *path = paced_path_join(dir, "begins");
    assert_int_equal(paced_file_write(path, "abc", 3), PACED_OK);
    assert_true(paced_file_begins(path, "ab"));
    assert_true(paced_file_begins(path, "abc"));
    assert_false(paced_file_begins(path, "b"));
    assert_false(paced_file_begins(path, "abcd"));
    assert_false(paced_file_begins(dir, ""));
    free(path);
}

/* A pipe without a writer, whose opening would wait for ever. */
static void test_unreadable(void **state) {
    (void)state;
    char *pipe = paced_path_join(dir, "pipe"), *missing = paced_path_join(dir, "none");
    uint8_t *data;
    size_t size;
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_non_null(strstr(paced_path_unreadable(pipe), "pipe"));
    assert_non_null(strstr(paced_path_unreadable(dir), "directory"));
    assert_null(paced_path_unreadable(missing));
    assert_false(paced_file_begins(pipe, "a"));
    capture_begin();
    assert_int_equal(paced_file_read(pipe, 0, &data, &size), PACED_INVALID);
    char *said = capture_end();
    assert_non_null(strstr(said, pipe));
    free(said);
    free(missing);
    free(pipe);
}

static void test_quote(void **state) {
    (void)state;
    char quoted[8];
    assert_true(paced_text_has_control("a\nb"));
    assert_true(paced_text_has_control("\x7f"));
    assert_false(paced_text_has_control("a \xc3\xb6"));
    paced_text_quote("a\nb\tc", quoted, sizeof quoted);
    assert_string_equal(quoted, "a?b?...");
    paced_text_quote("\x01z", quoted, sizeof quoted);
    assert_string_equal(quoted, "?z");
}

static void test_append(void **state) {
    (void)state;
    char *path = paced_path_join(dir, "growing");
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_write(path, "one", 3), PACED_OK);
    FILE *watching = fopen(path, "r");
    assert_int_equal(fseek(watching, 3, SEEK_SET), 0);
    assert_int_equal(fgetc(watching), EOF);
    assert_int_equal(paced_file_append(path, " two", 4), PACED_OK);
    clearerr(watching);
    assert_int_equal(fgetc(watching), ' '); /* an open reader sees the appended bytes */
    fclose(watching);
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, "one two");
    free(data);
    unlink(path);
    capture_begin();
    enum paced_err err = paced_file_append(path, "x", 1);
    char *said = capture_end();
    assert_non_null(strstr(said, "growing: cannot write"));
    free(said);
    assert_int_equal(err, PACED_FAILED);
    assert_false(paced_path_exists(path));
    free(path);
}

/* The byte order mark is not part of a text; UTF-16 is rejected. */
static void test_file_read_text(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *text;
        size_t size;
    } texts[] = {{"\xEF\xBB\xBF[run]\n", "[run]\n", 9},
                 {"\xEF\xBB\xBF", "", 3},
                 {"\xEF\xBB", "\xEF\xBB", 2},
                 {"a\xEF\xBB\xBF", "a\xEF\xBB\xBF", 4},
                 {"\xEF\xBB\xBF\xEF\xBB\xBF", "\xEF\xBB\xBF", 6},
                 {"", "", 0}};
    char *path = paced_path_join(dir, "text"), *text;
    for (size_t i = 0; i < PACED_COUNT(texts); ++i) {
        assert_int_equal(paced_file_write(path, texts[i].bytes, texts[i].size), PACED_OK);
        assert_int_equal(paced_file_read_text(path, 0, &text), PACED_OK);
        assert_string_equal(text, texts[i].text);
        free(text);
    }
    assert_int_equal(paced_file_write(path, "a\n\0b", 4), PACED_OK);
    capture_begin();
    assert_int_equal(paced_file_read_text(path, 0, &text), PACED_INVALID);
    char *said = capture_end();
    assert_null(text);
    assert_non_null(strstr(said, "text:2: contains a zero byte"));
    free(said);
    free(path);
}

static void test_file_read(void **state) {
    (void)state;
    char *path = paced_path_join(dir, "large"), *missing = paced_path_join(dir, "none");
    enum { SIZE = 300000 };
    uint8_t *content = paced_alloc(SIZE, 1), *data;
    size_t size;
    for (int i = 0; i < SIZE; ++i) content[i] = (uint8_t)(i * 7);
    assert_int_equal(paced_file_write(path, content, SIZE), PACED_OK);
    assert_int_equal(paced_file_read(path, SIZE, &data, &size), PACED_OK);
    assert_int_equal(size, SIZE);
    assert_memory_equal(data, content, SIZE);
    assert_int_equal(data[SIZE], 0);
    free(data);
    capture_begin();
    assert_int_equal(paced_file_read(path, SIZE - 1, &data, &size), PACED_INVALID);
    assert_null(data);
    assert_int_equal(paced_file_read(missing, 0, &data, &size), PACED_INVALID);
    assert_int_equal(paced_file_read(dir, 0, &data, &size), PACED_INVALID);
    char *said = capture_end();
    assert_non_null(strstr(said, missing));
    assert_non_null(strstr(said, "is a directory"));
    free(said);
    assert_int_equal(paced_file_write(path, NULL, 0), PACED_OK);
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_int_equal(size, 0);
    free(data);
    free(content);
    free(path);
    free(missing);
}

static void test_cache_dir(void **state) {
    (void)state;
    char *own = paced_path_join(dir, "cache/own"), *home = paced_path_join(dir, "home");
    char *below_home = paced_path_join(home, ".cache/paced"), *file = paced_path_join(dir, "plain");
    setenv("PACED_CACHE_DIR", own, 1);
    assert_path(paced_cache_dir(), own);
    assert_true(paced_path_is_dir(own));
    unsetenv("PACED_CACHE_DIR");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", home, 1);
    assert_path(paced_cache_dir(), below_home);
    assert_int_equal(paced_file_write(file, "x", 1), PACED_OK);
    setenv("XDG_CACHE_HOME", file, 1);
    assert_null(paced_cache_dir());
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_null(paced_cache_dir());
    free(own);
    free(home);
    free(below_home);
    free(file);
}

/* A build folder is not an installation, so shipped files are found in the source folder. */
static void test_shipped(void **state) {
    (void)state;
    if (!*PACED_SOURCE_ROOT) skip(); /* built without the meson option source_lookup */
    char *path = paced_shipped_path("cl/common.clh");
    assert_non_null(path);
    assert_true(paced_path_exists(path));
    free(path);
    assert_null(paced_shipped_path("cl/no such kernel.cl"));
}

/* ---- text ---- */

static void test_text(void **state) {
    (void)state;
    struct paced_text text = {0};
    for (int i = 0; i < 1000; ++i) paced_text_add(&text, "%d,", i % 10);
    assert_int_equal(text.size, 2000);
    assert_int_equal(strlen(text.data), 2000);
    assert_memory_equal(text.data + 1990, "5,6,7,8,9,", 10);
    paced_text_add(&text, "%s", "");
    assert_int_equal(text.size, 2000);
    free(text.data);
    assert_path(paced_format("%d-%s", 3, "x"), "3-x");
}

static void test_clean_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *clean;
    } cases[] = {{"", ""},
                 {"plain", "plain"},
                 {"\xC3\xA9t\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA9t\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
                 {"caf\xE9", "caf?"},
                 {"cut \xE2\x82", "cut ??"},
                 {"\xC0\x80 \xED\xA0\x80 \xF5\x80\x80\x80", "?? ??? ????"}};
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        char text[32];
        snprintf(text, sizeof text, "%s", cases[i].text);
        paced_text_clean(text);
        assert_string_equal(text, cases[i].clean);
    }
}

static void test_list(void **state) {
    static const struct {
        const char *list, *items[4];
    } cases[] = {
        {"", {NULL}},  {"a", {"a"}}, {"a,b", {"a", "b"}}, {" a b ,\tc , ", {"a b", "c", ""}},
        {"a,", {"a"}}, {",", {""}},  {",a", {"", "a"}},   {"a,,b", {"a", "", "b"}},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        const char *rest = cases[i].list;
        for (size_t k = 0; cases[i].items[k]; ++k) {
            char *item = paced_list_next(&rest);
            assert_non_null(item);
            assert_string_equal(item, cases[i].items[k]);
            free(item);
        }
        assert_null(paced_list_next(&rest));
        assert_null(paced_list_next(&rest));
    }
}

static void test_list_check(void **state) {
    static const char *const sound[] = {"", "a, b", "\"a, b\", c", " \"a\" ,b", "a\"b\", c", "\"", "\"a, b"};
    static const struct {
        const char *list, *says;
    } faulty[] = {{"\"a\"b, c", "x: \"a\"b: "},      {"c,\"a, b\" d", "x: \"a, b\" d: "},
                  {"\"a\"\"b\"", "x: \"a\"\"b\": "}, {",", "x: an item is missing"},
                  {"a,,b", "x: an item is missing"}, {"a, ", "x: an item is missing"},
                  {"\"\"", "x: an item is missing"}};
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(sound); ++i) assert_int_equal(paced_list_check("x", sound[i]), PACED_OK);
    for (size_t i = 0; i < PACED_COUNT(faulty); ++i) {
        capture_begin();
        enum paced_err err = paced_list_check("x", faulty[i].list);
        char *said = capture_end();
        assert_int_equal(err, PACED_INVALID);
        assert_non_null(strstr(said, faulty[i].says));
        free(said);
    }
}

static void test_plural(void **state) {
    (void)state;
    assert_string_equal(paced_plural(0, "epoch", "epochs"), "epochs");
    assert_string_equal(paced_plural(1, "epoch", "epochs"), "epoch");
    assert_string_equal(paced_plural(2, "epoch", "epochs"), "epochs");
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const words[] = {"epochs", "batch", "lr", "optimizer", "sgd", "adam"};
    size_t count = PACED_COUNT(words);
    assert_string_equal(paced_nearest("epoch", words, count), "epochs");
    assert_string_equal(paced_nearest("EPOCHS", words, count), "epochs");
    assert_string_equal(paced_nearest("bacth", words, count), "batch");
    assert_string_equal(paced_nearest("sdg", words, count), "sgd");
    assert_string_equal(paced_nearest("optimiser", words, count), "optimizer");
    assert_null(paced_nearest("momentum", words, count));
    assert_null(paced_nearest("xy", words, count));
    assert_null(paced_nearest("q", words, count));
    assert_null(paced_nearest("", words, count));
    assert_null(paced_nearest("epochs", words, 0));
    char longest[200] = {0};
    memset(longest, 'e', sizeof longest - 1);
    assert_null(paced_nearest(longest, words, count));
}

static void test_parse(void **state) {
    (void)state;
    int64_t whole = 0;
    double real = 0;
    assert_true(paced_parse_int(" -42\t", &whole) && whole == -42);
    assert_true(paced_parse_int("9223372036854775807", &whole) && whole == INT64_MAX);
    assert_true(paced_parse_int("+010", &whole) && whole == 10);
    static const char *const no_int[] = {"",  " ",  "9223372036854775808", "1.0", "1e3", "0x10", "12a", "1 2",
                                         "-", "--1"};
    for (size_t i = 0; i < PACED_COUNT(no_int); ++i) assert_false(paced_parse_int(no_int[i], &whole));
    assert_int_equal(whole, 10);
    assert_true(paced_parse_real(" 2.5e-3 ", &real) && real == 0.0025);
    assert_true(paced_parse_real(".5", &real) && real == 0.5);
    assert_true(paced_parse_real("-7", &real) && real == -7);
    static const char *const no_real[] = {"", "nan", "inf", "1e999", "0x1p3", "1,5", "1.5x", "1 2", ".", "e5", "1e"};
    for (size_t i = 0; i < PACED_COUNT(no_real); ++i) assert_false(paced_parse_real(no_real[i], &real));
    assert_true(real == -7);
}

static void test_hash(void **state) {
    (void)state;
    assert_true(paced_hash(PACED_HASH_START, "foobar", 6) == 0x85944171f73967e8U);
    assert_true(paced_hash(paced_hash(PACED_HASH_START, "foo", 3), "bar", 3) == 0x85944171f73967e8U);
    assert_true(paced_hash(PACED_HASH_START, NULL, 0) == PACED_HASH_START);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_atomic),
        cmocka_unit_test(test_atomic_refuses),
        cmocka_unit_test(test_links_are_refused),
        cmocka_unit_test(test_late_link_is_replaced),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_file_read_text),
        cmocka_unit_test(test_cache_dir),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_clean_text),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_check),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_plural),
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests_name("base", tests, make_dir, remove_dir);
}
