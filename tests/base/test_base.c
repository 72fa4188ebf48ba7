/* base: random numbers against reference values, whole files, paths, text, log lines and stopping.
 *
 * The values of the generator come from a separate implementation of the published algorithms; the state {1, 2, 3, 4}
 * gives xoshiro256**'s well-known first outputs, and "foobar" is a test vector of FNV-1a. */
#define _GNU_SOURCE /* posix_openpt, ptsname */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/base.h"
#include "paced_build.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state) {
    (void)state;
    strcpy(dir, "/tmp/paced-base-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static int remove_dir(void **state) {
    (void)state;
    char *command = paced_format("rm -rf '%s'", dir);
    int status = system(command);
    free(command);
    return status;
}

/* Between capture_begin and capture_end stderr goes into a file, whose content is returned (to be freed). */
static int saved_stderr;

static void capture_begin(void) {
    char *path = paced_path_join(dir, "stderr");
    saved_stderr = dup(STDERR_FILENO);
    assert_non_null(freopen(path, "w", stderr));
    free(path);
}

static char *capture_end(void) {
    char *path = paced_path_join(dir, "stderr");
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    free(path);
    return (char *)data;
}

#define assert_path(call, expected)           \
    do {                                      \
        char *path_ = call;                   \
        assert_string_equal(path_, expected); \
        free(path_);                          \
    } while (0)

/* ---- random numbers ---- */

static void test_rng_reference(void **state) {
    (void)state;
    struct paced_rng rng = {{1, 2, 3, 4}};
    static const uint64_t known[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    for (size_t i = 0; i < PACED_COUNT(known); i++) assert_true(paced_rng_next(&rng) == known[i]);

    static const struct {
        uint64_t seed, stream, values[3];
    } seeded[] = {
        {12345, 0, {0x720ee7881a7fea40, 0x485a7cf90393f0df, 0x86cdcdb092e3ede9}},
        {12345, 1, {0x7434351d06368c07, 0xd435680a5cfe43f4, 0x43aa56c73c68c9cc}},
        {0, 0, {0xfb5405f7bd79c540, 0x780c98e26cea5883, 0x2a146e0980febc66}},
        {UINT64_MAX, 7, {0xd462b6158c719d40, 0x13996d876c18be87, 0x889bca4975ae69e0}},
    };
    for (size_t i = 0; i < PACED_COUNT(seeded); i++) {
        paced_rng_seed(&rng, seeded[i].seed, seeded[i].stream);
        for (int j = 0; j < 3; j++) assert_true(paced_rng_next(&rng) == seeded[i].values[j]);
    }
}

static void test_rng_real(void **state) {
    (void)state;
    struct paced_rng rng;
    static const double uniform[] = {0.44553992340888693, 0.2826307399696615, 0.5265778118217807};
    paced_rng_seed(&rng, 12345, 0);
    for (int i = 0; i < 3; i++) assert_true(paced_rng_uniform(&rng) == uniform[i]);
    static const double normal[] = {-0.22111221373544251, -0.5604621731594698, 1.353604424447491};
    paced_rng_seed(&rng, 12345, 0);
    for (int i = 0; i < 3; i++) assert_true(fabs(paced_rng_normal(&rng) - normal[i]) < 1e-14);

    enum { COUNT = 20000 };
    double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
        double x = paced_rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / COUNT) < 4 / sqrt(COUNT));
    assert_true(fabs(squares / COUNT - 1) < 4 * sqrt(2.0 / COUNT));
}

static void test_rng_whole(void **state) {
    (void)state;
    struct paced_rng rng;
    paced_rng_seed(&rng, 12345, 3);
    static const uint32_t tens[] = {2, 9, 5, 2, 2, 3, 9, 3, 1, 8};
    for (size_t i = 0; i < PACED_COUNT(tens); i++) assert_int_equal(paced_rng_below(&rng, 10), tens[i]);
    static const uint32_t large[] = {2199285713, 2182347219, 1717216939, 2447798827};
    for (size_t i = 0; i < PACED_COUNT(large); i++) assert_int_equal(paced_rng_below(&rng, 3000000000U), large[i]);
    assert_int_equal(paced_rng_below(&rng, 1), 0);

    uint32_t items[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint32_t shuffled[] = {5, 1, 8, 0, 7, 9, 6, 4, 2, 3};
    paced_rng_seed(&rng, 7, 2);
    paced_rng_shuffle(&rng, items, 10);
    assert_memory_equal(items, shuffled, sizeof items);
    struct paced_rng before = rng;
    paced_rng_shuffle(&rng, items, 1);
    paced_rng_shuffle(&rng, NULL, 0);
    assert_memory_equal(&rng, &before, sizeof rng);
}

/* ---- memory ---- */

static void test_memory(void **state) {
    (void)state;
    char *zeroed = paced_alloc(100, 1);
    for (int i = 0; i < 100; i++) assert_int_equal(zeroed[i], 0);
    zeroed[99] = 'x';
    zeroed = paced_grow(zeroed, 1000, 1);
    assert_int_equal(zeroed[99], 'x');
    free(zeroed);
    free(paced_alloc(0, 8));
    free(paced_grow(NULL, 0, 8));
    assert_null(paced_strdup(NULL));
}

static void test_memory_overflow_ends(void **state) {
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        volatile size_t huge = SIZE_MAX / 2;
        if (!freopen("/dev/null", "w", stderr)) _exit(9);
        /* exit would run the test program's own clean-up (and a leak check) in the child. */
        void *memory = paced_alloc(huge, 4);
        _exit(memory ? 8 : 7);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PACED_FAILED);
}

/* ---- paths and files ---- */

static void test_paths(void **state) {
    (void)state;
    assert_path(paced_path_join("a", "b"), "a/b");
    assert_path(paced_path_join("a/", "b"), "a/b");
    assert_path(paced_path_join("", "b"), "b");
    assert_path(paced_path_join(NULL, "b"), "b");
    assert_path(paced_path_join("a", "/b"), "/b");
    assert_path(paced_path_dir("a/b.png"), "a");
    assert_path(paced_path_dir("b.png"), ".");
    assert_path(paced_path_dir("/b"), "/");
    assert_path(paced_path_dir("a//b/"), "a");
    assert_path(paced_path_stem("a/b.c.png"), "b.c");
    assert_path(paced_path_stem("a.b/c"), "c");
    assert_path(paced_path_stem("a/.hidden"), ".hidden");
    assert_path(paced_path_stem("a/b.ini/"), "b");
    char *here = paced_path_absolute(".");
    char *below = paced_path_absolute("./x/../y");
    assert_int_equal(*here, '/');
    assert_true(strncmp(below, here, strlen(here)) == 0);
    assert_string_equal(below + strlen(here), "/x/../y");
    assert_path(paced_path_absolute("/a/./b"), "/a/./b");
    free(here);
    free(below);
}

static void test_make_dirs(void **state) {
    (void)state;
    char *deep = paced_path_join(dir, "one//two/three/");
    assert_int_equal(paced_make_dirs(deep), PACED_OK);
    assert_int_equal(paced_make_dirs(deep), PACED_OK);
    assert_true(paced_path_is_dir(deep));
    char *file = paced_path_join(dir, "one/file"), *under = paced_path_join(dir, "one/file/dir");
    assert_int_equal(paced_file_write(file, "x", 1), PACED_OK);
    assert_false(paced_path_is_dir(file));
    capture_begin();
    assert_int_equal(paced_make_dirs(under), PACED_FAILED);
    assert_int_equal(paced_make_dirs(file), PACED_FAILED);
    char *said = capture_end();
    assert_non_null(strstr(said, under));
    free(said);
    free(under);
    free(file);
    free(deep);
}

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
    assert_int_equal(paced_file_read(path, 3, &data, &size), PACED_OK); /* nothing yet for a reader */
    assert_string_equal((char *)data, "old");
    free(data);
    assert_int_equal(paced_atomic_commit(&file), PACED_OK);
    paced_atomic_abort(&file); /* nothing left to do */
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
    /* A disk that is full: the stream's writes fail, so the old file stays. */
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

static void test_atomic_link(void **state) {
    (void)state;
    char *target = paced_path_join(dir, "target"), *name = paced_path_join(dir, "link");
    struct stat info;
    assert_int_equal(paced_file_write(target, "a", 1), PACED_OK);
    assert_int_equal(symlink(target, name), 0);
    assert_int_equal(paced_file_write(name, "bc", 2), PACED_OK);
    assert_int_equal(lstat(name, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_size, 2);
    free(target);
    free(name);
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
    assert_int_equal(fgetc(watching), ' '); /* who has it open sees what is added */
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

/* Of a text the byte order mark is not part; UTF-16 is no text. */
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
    for (size_t i = 0; i < PACED_COUNT(texts); i++) {
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
    assert_non_null(strstr(said, "text:2: holds a zero byte"));
    free(said);
    free(path);
}

static void test_file_read(void **state) {
    (void)state;
    char *path = paced_path_join(dir, "large"), *missing = paced_path_join(dir, "none");
    enum { SIZE = 300000 };
    uint8_t *content = paced_alloc(SIZE, 1), *data;
    size_t size;
    for (int i = 0; i < SIZE; i++) content[i] = (uint8_t)(i * 7);
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

/* ---- text ---- */

static void test_text(void **state) {
    (void)state;
    struct paced_text text = {0};
    for (int i = 0; i < 1000; i++) paced_text_add(&text, "%d,", i % 10);
    assert_int_equal(text.size, 2000);
    assert_int_equal(strlen(text.data), 2000);
    assert_memory_equal(text.data + 1990, "5,6,7,8,9,", 10);
    paced_text_add(&text, "%s", "");
    assert_int_equal(text.size, 2000);
    free(text.data);
    assert_path(paced_format("%d-%s", 3, "x"), "3-x");
}

static void test_list(void **state) {
    static const struct {
        const char *list, *items[4];
    } cases[] = {
        {"", {NULL}},  {"a", {"a"}}, {"a,b", {"a", "b"}}, {" a b ,\tc , ", {"a b", "c", ""}},
        {"a,", {"a"}}, {",", {""}},  {",a", {"", "a"}},   {"a,,b", {"a", "", "b"}},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); i++) {
        const char *rest = cases[i].list;
        for (size_t k = 0; cases[i].items[k]; k++) {
            char *item = paced_list_next(&rest);
            assert_non_null(item);
            assert_string_equal(item, cases[i].items[k]);
            free(item);
        }
        assert_null(paced_list_next(&rest));
        assert_null(paced_list_next(&rest));
    }
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
    for (size_t i = 0; i < PACED_COUNT(no_int); i++) assert_false(paced_parse_int(no_int[i], &whole));
    assert_int_equal(whole, 10);
    assert_true(paced_parse_real(" 2.5e-3 ", &real) && real == 0.0025);
    assert_true(paced_parse_real(".5", &real) && real == 0.5);
    assert_true(paced_parse_real("-7", &real) && real == -7);
    static const char *const no_real[] = {"", "nan", "inf", "1e999", "0x1p3", "1,5", "1.5x", "1 2", ".", "e5", "1e"};
    for (size_t i = 0; i < PACED_COUNT(no_real); i++) assert_false(paced_parse_real(no_real[i], &real));
    assert_true(real == -7);
}

static void test_hash(void **state) {
    (void)state;
    assert_true(paced_hash(PACED_HASH_START, "foobar", 6) == 0x85944171f73967e8U);
    assert_true(paced_hash(paced_hash(PACED_HASH_START, "foo", 3), "bar", 3) == 0x85944171f73967e8U);
    assert_true(paced_hash(PACED_HASH_START, NULL, 0) == PACED_HASH_START);
}

/* ---- log, time, stopping ---- */

static void test_log(void **state) {
    (void)state;
    capture_begin();
    paced_log_status("progress");
    assert_false(paced_log_is_terminal());
    assert_int_equal(paced_error(PACED_NO_DEVICE, "x.ini:%d: wrong; fix it", 3), PACED_NO_DEVICE);
    paced_log(PACED_LOG_WARN, "careful");
    paced_log(PACED_LOG_INFO, "hello");
    paced_log(PACED_LOG_DEBUG, "hidden");
    paced_log_set_level(PACED_LOG_ERROR);
    paced_log(PACED_LOG_WARN, "hidden");
    paced_error(PACED_FAILED, "shown");
    paced_log_set_level(PACED_LOG_DEBUG);
    paced_log(PACED_LOG_DEBUG, "detail");
    paced_log_set_level(PACED_LOG_INFO);
    paced_log_status(NULL);
    char *said = capture_end();
    assert_string_equal(said, "paced: x.ini:3: wrong; fix it\npaced: warning: careful\npaced: hello\npaced: shown\n"
                              "paced: debug: detail\n");
    free(said);
}

static void take_line(void *context, enum paced_log_level level, const char *fmt, va_list args) {
    char *line = context;
    line += strlen(line);
    line += sprintf(line, "%d ", (int)level);
    vsprintf(line, fmt, args);
}

static void *say_elsewhere(void *unused) {
    paced_log(PACED_LOG_WARN, "another thread's");
    return unused;
}

static void test_log_diverted(void **state) {
    (void)state;
    char taken[128] = "";
    pthread_t other;
    capture_begin();
    paced_log_divert(take_line, taken);
    assert_int_equal(paced_error(PACED_INVALID, "bad %s, ", "key"), PACED_INVALID);
    paced_log(PACED_LOG_DEBUG, "detail");
    assert_int_equal(pthread_create(&other, NULL, say_elsewhere, NULL), 0);
    pthread_join(other, NULL);
    paced_log_divert(NULL, NULL);
    paced_log(PACED_LOG_INFO, "again");
    char *said = capture_end();
    assert_string_equal(taken, "0 bad key, 3 detail");
    assert_string_equal(said, "paced: warning: another thread's\npaced: again\n");
    free(said);
}

/* A build folder is no installation, so what is shipped is in the source folder. */
static void test_shipped(void **state) {
    (void)state;
    if (!*PACED_SOURCE_ROOT) skip(); /* meson option source_lookup */
    char *path = paced_shipped_path("cl/common.clh");
    assert_non_null(path);
    assert_true(paced_path_exists(path));
    free(path);
    assert_null(paced_shipped_path("cl/no such kernel.cl"));
}

/* On a pseudo-terminal: the status line is erased for a message, drawn again, and removed at the end. */
static void test_log_status(void **state) {
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) skip();
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0) skip();
    struct winsize window = {.ws_row = 24, .ws_col = 11};
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &window), 0);
    setenv("TERM", "xterm", 1);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(terminal, STDERR_FILENO);
    bool is_terminal = paced_log_is_terminal();
    paced_log_status("step 1");
    paced_log(PACED_LOG_INFO, "note");
    paced_log_status("1234567\xC3\xA9"
                     "90abc"); /* cut at ten columns, an accented letter is one */
    window.ws_col = 6;
    int resized = ioctl(terminal, TIOCSWINSZ, &window);
    setenv("NO_COLOR", "", 1);
    paced_log(PACED_LOG_WARN, "narrow");
    setenv("NO_COLOR", "1", 1);
    paced_log(PACED_LOG_WARN, "plain");
    unsetenv("NO_COLOR");
    paced_log_status(NULL);
    paced_error(PACED_OK, "end");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(terminal);
    /* What was written arrives in pieces, when the kernel gets to it; closed, the terminal ends with an error. */
    char said[256];
    size_t size = 0;
    for (ssize_t got; (got = read(master, said + size, sizeof said - 1 - size)) > 0;) size += (size_t)got;
    said[size] = '\0';
    close(master);
    assert_true(is_terminal);
    assert_string_equal(said,
                        "\r\033[Kstep 1\r\033[Kpaced: note\r\nstep 1\r\033[K1234567\xC3\xA9"
                        "90\r\033[K\033[33mpaced: warning: \033[0mnarrow\r\n12345\r\033[Kpaced: warning: plain\r\n12345"
                        "\r\033[K\033[31mpaced: \033[0mend\r\n");
    assert_int_equal(resized, 0);
}

static void test_now(void **state) {
    (void)state;
    double before = paced_now_s(), after = paced_now_s();
    assert_true(before > 0 && after >= before && after - before < 10);
}

/* Sends a signal to the process and waits, a while, until it was taken. */
static void send_stop(int signal_number) {
    sigset_t pending;
    kill(getpid(), signal_number);
    for (int i = 0; i < 5000; i++) {
        sigpending(&pending);
        if (!sigismember(&pending, signal_number)) break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void wait_until_asked(void) {
    for (int i = 0; i < 5000 && !paced_stop_asked(); i++) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void test_stop(void **state) {
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        paced_catch_stop();
        if (paced_stop_asked()) _exit(9);
        send_stop(SIGTERM);
        send_stop(SIGINT);
        wait_until_asked();
        if (!paced_stop_asked()) _exit(8);
        send_stop(SIGINT);
        sleep(5); /* ends within */
        _exit(7);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PACED_STOPPED);
    assert_false(paced_stop_asked());
}

/* Bytes as the format's own documentation gives them, and a negative number, which takes ten. */
static void test_message(void **state) {
    (void)state;
    struct paced_message inner = {0}, message = {0};
    paced_message_integer(&inner, 1, 150);
    paced_message_nested(&message, 3, &inner);
    assert_null(inner.bytes);
    paced_message_text(&message, 2, "testing");
    paced_message_float(&message, 5, 1.5f);
    paced_message_double(&message, 16, -2.0);
    paced_message_integer(&message, 4, -1);
    static const uint8_t expected[] = {0x1a, 3,    0x08, 0x96, 0x01,                               /* 3: {1: 150} */
                                       0x12, 7,    't',  'e',  's',  't',  'i',  'n',  'g',        /* 2: "testing" */
                                       0x2d, 0,    0,    0xc0, 0x3f,                               /* 5: 1.5f */
                                       0x81, 0x01, 0,    0,    0,    0,    0,    0,    0,    0xc0, /* 16: -2.0 */
                                       0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    assert_int_equal(message.size, sizeof expected);
    assert_memory_equal(message.bytes, expected, sizeof expected);
    paced_message_finish(&message);
    assert_null(message.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_reference),
        cmocka_unit_test(test_rng_real),
        cmocka_unit_test(test_rng_whole),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_overflow_ends),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_make_dirs),
        cmocka_unit_test(test_atomic),
        cmocka_unit_test(test_atomic_refuses),
        cmocka_unit_test(test_atomic_link),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_file_read_text),
        cmocka_unit_test(test_cache_dir),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_diverted),
        cmocka_unit_test(test_log_status),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_now),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests_name("base", tests, make_dir, remove_dir);
}
