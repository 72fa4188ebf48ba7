/* base: paths as text, the directories that they name, and checks for writability. */
#define _GNU_SOURCE /* setresuid */
#include "tests/base/helper.h"

#include <sys/stat.h>

enum { NOBODY = 65534 };

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

static void test_real_paths(void **state) {
    (void)state;
    char *real = paced_path_join(dir, "real"), *file = paced_path_join(dir, "real/file");
    char *link = paced_path_join(dir, "link"), *other = paced_path_join(dir, "link/../link/./file");
    char *missing = paced_path_join(dir, "real/none/x"), *too = paced_path_join(dir, "link/none/../none/./x");
    assert_int_equal(paced_make_dirs(real), PACED_OK);
    assert_int_equal(symlink("real", link), 0);
    assert_true(paced_path_same(file, other));
    assert_int_equal(paced_file_write(file, "", 0), PACED_OK);
    assert_true(paced_path_same(file, other));
    assert_true(paced_path_same(real, link));
    assert_true(paced_path_same(missing, too));
    assert_false(paced_path_same(missing, file));
    assert_false(paced_path_same(real, file));
    char *here = paced_path_absolute("."), *name = paced_path_join(here, "none");
    assert_path(paced_path_real("none"), name);
    assert_path(paced_path_real("none/.."), here);
    char *const paths[] = {real, file, link, other, missing, too, here, name};
    for (size_t i = 0; i < PACED_COUNT(paths); ++i) free(paths[i]);
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
    assert_int_equal(paced_make_dirs(under), PACED_INVALID);
    assert_int_equal(paced_make_dirs(file), PACED_INVALID);
    char *said = capture_end();
    assert_non_null(strstr(said, under));
    free(said);
    free(under);
    free(file);
    free(deep);
}

/* Runs `make` on a directory without write permission, in which it must fail, as an unprivileged user if the tests run
 * as root. Returns the message. */
static char *refused_dir(enum paced_err (*make)(const char *path), const char *name) {
    char *closed = paced_path_join(dir, "closed"), *path = paced_path_join(closed, name);
    bool root = getuid() == 0;
    assert_int_equal(paced_make_dirs(closed), PACED_OK);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(chmod(closed, 0555), 0);
    capture_begin();
    bool fallen = !root || setresuid(NOBODY, NOBODY, 0) == 0;
    enum paced_err err = fallen ? make(path) : PACED_FAILED;
    if (root && fallen) assert_int_equal(setresuid(0, 0, 0), 0);
    char *said = capture_end();
    free(path);
    free(closed);
    if (!fallen) skip();
    assert_int_equal(err, PACED_FAILED);
    return said;
}

static void test_make_dirs_tells_the_cause(void **state) {
    (void)state;
    char *said = refused_dir(paced_make_dirs, "below");
    assert_non_null(strstr(said, "closed/below: cannot create the directory: Permission denied; "));
    free(said);
}

/* Checks the message of paced_dir_check or paced_file_check about a name below the test's directory. */
static void check_place(enum paced_err (*check)(const char *path), const char *name, const char *says) {
    char *path = paced_path_join(dir, name);
    capture_begin();
    enum paced_err err = check(path);
    char *said = capture_end();
    assert_int_equal(err, says ? PACED_INVALID : PACED_OK);
    if (says) assert_non_null(strstr(said, path));
    if (says) assert_non_null(strstr(said, says));
    free(said);
    free(path);
}

static void test_checks_before_writing(void **state) {
    (void)state;
    char long_name[300] = "", *file = paced_path_join(dir, "plain"), *lost = paced_path_join(dir, "lost");
    memset(long_name, 'n', sizeof long_name - 1);
    assert_int_equal(paced_file_write(file, "x", 1), PACED_OK);
    assert_int_equal(symlink("nowhere", lost), 0);
    check_place(paced_dir_check, "", NULL);
    check_place(paced_dir_check, "not/yet//there/", NULL);
    check_place(paced_dir_check, "plain", "Not a directory");
    check_place(paced_dir_check, "plain/not/there", "Not a directory");
    check_place(paced_dir_check, "lost", "No such file or directory");
    check_place(paced_dir_check, long_name, "File name too long");
    check_place(paced_file_check, "plain", NULL);
    check_place(paced_file_check, "new", NULL);
    check_place(paced_file_check, "", "not a plain file");
    check_place(paced_file_check, "not/new", "there is no directory");
    check_place(paced_file_check, "plain/new", "there is no directory");
    char *made = paced_path_join(dir, "not");
    assert_false(paced_path_exists(made));
    assert_int_equal(paced_dir_check("not/yet"), PACED_OK); /* relative to the current directory */
    char *said = refused_dir(paced_dir_check, "below/that");
    assert_non_null(strstr(said, "closed/below/that: cannot be written into: Permission denied; "));
    free(said);
    said = refused_dir(paced_file_check, "new");
    assert_non_null(strstr(said, "closed: cannot be written into: Permission denied; "));
    free(said);
    free(made);
    free(lost);
    free(file);
}

/* ---- limits of memory ---- */

static void write_in(const char *root, const char *name, const char *text) {
    char *path = paced_path_join(root, name), *folder = paced_path_dir(path);
    assert_int_equal(paced_make_dirs(folder), PACED_OK);
    assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
    free(folder);
    free(path);
}

static void test_group_memory(void **state) {
    (void)state;
    static const char *const v2[] = {"0::/a.slice/b\n", "sys/fs/cgroup/a.slice/b/memory.max",
                                     "sys/fs/cgroup/a.slice/memory.max"};
    static const char *const v1[] = {"5:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/y\n",
                                     "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes",
                                     "sys/fs/cgroup/memory/memory.limit_in_bytes"};
    static const struct {
        const char *const *names; /* groups of the process; file of its own group, of the parent */
        const char *own, *parent;
        uint64_t want;
    } rows[] = {{v2, "max\n", "max\n", 0},
                {v2, "1000000\n", "max\n", 1000000},
                {v2, "max\n", "2000000\n", 2000000},
                {v2, "3000000\n", "2000000\n", 2000000},
                {v2, NULL, "4000000\n", 4000000},
                {v1, "9223372036854771712\n", "9223372036854771712\n", 0},
                {v1, "9223372036854771712\n", "5000000\n", 5000000},
                {v1, "6000000\n", "9223372036854771712\n", 6000000}};
    assert_int_equal(paced_group_memory("/no/such/root"), 0);
    for (size_t i = 0; i < PACED_COUNT(rows); ++i) {
        char *root = paced_format("%s/limits %zu", dir, i);
        write_in(root, "proc/self/cgroup", rows[i].names[0]);
        if (rows[i].own) write_in(root, rows[i].names[1], rows[i].own);
        write_in(root, rows[i].names[2], rows[i].parent);
        assert_int_equal(paced_group_memory(root), rows[i].want);
        free(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_real_paths),
        cmocka_unit_test(test_make_dirs),
        cmocka_unit_test(test_make_dirs_tells_the_cause),
        cmocka_unit_test(test_checks_before_writing),
        cmocka_unit_test(test_group_memory),
    };
    return cmocka_run_group_tests_name("path", tests, make_dir, remove_dir);
}
