/* Lock of a directory: between processes, within one, after a kill, and on a file system without locks. */
#define _GNU_SOURCE /* syscall */
#include "tests/data/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "src/run/lock.h"
#include "tests/capture.h"

enum { PROCESSES = 4, ROUNDS = 200 };

static int flock_failure; /* errno of every flock; 0: works */

/* Replaces the function of the C library. */
int flock(int fd, int operation) {
    if (flock_failure) {
        errno = flock_failure;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static bool exists(const char *name) {
    char *path = paced_path_join(test_dir, name);
    bool found = paced_path_exists(path);
    free(path);
    return found;
}

static void test_twice_in_a_process(void **state) {
    (void)state;
    struct dir_lock *outer, *inner;
    char *other = paced_format("%s/./", test_dir);
    assert_int_equal(dir_lock_take(&outer, test_dir), PACED_OK);
    assert_int_equal(dir_lock_take(&inner, other), PACED_OK);
    dir_lock_release(inner);
    assert_true(exists(".paced.lock"));
    dir_lock_release(outer);
    assert_false(exists(".paced.lock"));
    free(other);
}

static void test_created_directories_vanish_again(void **state) {
    (void)state;
    struct dir_lock *lock;
    char *deep = paced_format("%s/a/b/c", test_dir), *file = paced_format("%s/a/kept", test_dir);
    assert_int_equal(dir_lock_take(&lock, deep), PACED_OK);
    dir_lock_release(lock);
    assert_false(exists("a"));
    assert_int_equal(dir_lock_take(&lock, deep), PACED_OK);
    assert_int_equal(paced_file_write(file, "", 0), PACED_OK);
    dir_lock_release(lock);
    assert_false(exists("a/b"));
    assert_true(exists("a/kept"));
    assert_int_equal(dir_lock_take(&lock, deep), PACED_OK);
    dir_lock_keep(lock);
    dir_lock_release(lock);
    assert_true(exists("a/b/c"));
    free(file);
    free(deep);
}

static void test_file_system_without_locks(void **state) {
    (void)state;
    static const int failures[] = {ENOLCK, EOPNOTSUPP, ENOSYS};
    for (size_t i = 0; i < PACED_COUNT(failures); ++i) {
        struct capture capture;
        struct dir_lock *lock;
        flock_failure = failures[i];
        capture_start(&capture);
        enum paced_err err = dir_lock_take(&lock, test_dir);
        capture_end(&capture);
        flock_failure = 0;
        dir_lock_release(lock);
        assert_int_equal(err, PACED_OK);
        assert_non_null(strstr(capture.text, "warning: "));
        assert_non_null(strstr(capture.text, strerror(failures[i])));
        assert_false(exists(".paced.lock"));
    }
}

/* Takes the lock, tells the parent, and waits to be killed. */
static void own(int to) {
    struct dir_lock *lock;
    if (dir_lock_take(&lock, test_dir) == PACED_OK && write(to, "", 1) == 1) pause();
    _exit(1);
}

static void test_other_process_is_named_until_it_is_killed(void **state) {
    (void)state;
    int pipes[2];
    char byte, owner[64];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) own(pipes[1]);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    struct paced_failures failures = {0};
    struct dir_lock *lock;
    paced_errors_collect(&failures);
    assert_int_equal(dir_lock_take(&lock, test_dir), PACED_INVALID);
    paced_errors_collect(NULL);
    assert_null(lock);
    snprintf(owner, sizeof owner, "process %ld on host ", (long)child);
    assert_int_equal(failures.count, 1);
    assert_non_null(strstr(failures.items[0].text, owner));
    paced_failures_finish(&failures);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(exists(".paced.lock"));
    assert_int_equal(dir_lock_take(&lock, test_dir), PACED_OK);
    dir_lock_release(lock);
    assert_false(exists(".paced.lock"));
    close(pipes[0]);
    close(pipes[1]);
}

/* Takes and releases the lock of a directory that may vanish with it. _exit(1) if another process has it, too. */
static void compete(const char *dir, const char *mark) {
    struct paced_failures failures = {0};
    paced_errors_collect(&failures);
    for (int taken = 0; taken < ROUNDS;) {
        struct dir_lock *lock;
        enum paced_err err = dir_lock_take(&lock, dir);
        if (err == PACED_INVALID) continue;
        int fd = err ? -1 : open(mark, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0) _exit(1);
        close(fd);
        unlink(mark);
        dir_lock_release(lock);
        ++taken;
    }
    _exit(0);
}

static void test_one_owner_at_a_time(void **state) {
    (void)state;
    char *dir = paced_format("%s/a/b", test_dir), *mark = paced_format("%s/mark", test_dir);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; ++i)
        if ((children[i] = fork()) == 0) compete(dir, mark);
    for (int i = 0; i < PROCESSES; ++i) {
        int status;
        waitpid(children[i], &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    free(mark);
    free(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_twice_in_a_process, enter_dir, leave_dir),
        cmocka_unit_test_setup_teardown(test_created_directories_vanish_again, enter_dir, leave_dir),
        cmocka_unit_test_setup_teardown(test_file_system_without_locks, enter_dir, leave_dir),
        cmocka_unit_test_setup_teardown(test_other_process_is_named_until_it_is_killed, enter_dir, leave_dir),
        cmocka_unit_test_setup_teardown(test_one_owner_at_a_time, enter_dir, leave_dir),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
