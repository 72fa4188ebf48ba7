/* Process-wide functions: exhausted memory, log lines and the status line, time and stopping. */
#define _GNU_SOURCE /* posix_openpt, ptsname */
#include "tests/base/helper.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

/* ---- memory ---- */

static void test_memory(void **state) {
    (void)state;
    char *zeroed = paced_alloc(100, 1);
    for (int i = 0; i < 100; ++i) assert_int_equal(zeroed[i], 0);
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
        /* exit would run the clean-up of the test program (and a leak check) in the child. */
        void *memory = paced_alloc(huge, 4);
        _exit(memory ? 8 : 7);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PACED_FAILED);
}

/* ---- child processes ---- */

static struct paced_child run_shell(const char *script, double limit_s) {
    const char *const words[] = {"/bin/sh", "-c", script, NULL};
    struct paced_child child;
    assert_int_equal(paced_child_run(words, limit_s, &child), PACED_OK);
    return child;
}

static void test_child_ends(void **state) {
    (void)state;
    struct paced_child exits = run_shell("echo out; echo err >&2; cat; exit 7", 60);
    assert_int_equal(exits.status, 7);
    assert_int_equal(exits.signal, 0);
    assert_string_equal(exits.output, "out\nerr\n");
    struct paced_child signalled = run_shell("kill -ABRT $$", 60);
    assert_int_equal(signalled.status, -1);
    assert_int_equal(signalled.signal, SIGABRT);
    assert_string_equal(signalled.output, "");
    assert_false(exits.timed_out || signalled.timed_out);
    free(exits.output);
    free(signalled.output);
}

/* The time limit also holds if a descendant keeps the pipe open. */
static void test_child_hangs(void **state) {
    (void)state;
    struct paced_child child = run_shell("sleep 60 & sleep 60", 0.2);
    assert_true(child.timed_out);
    assert_int_equal(child.signal, SIGKILL);
    free(child.output);
}

static void test_child_writes_much(void **state) {
    (void)state;
    struct paced_child child =
        run_shell("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; "
                  "i=$((i + 1)); done; echo end",
                  60);
    assert_int_equal(child.status, 0);
    assert_in_range(strlen(child.output), 1 << 16, 1 << 17);
    assert_string_equal(child.output + strlen(child.output) - 4, "end\n");
    free(child.output);
}

/* A process that ignores SIGCHLD is not told how its children end. */
static void test_child_ends_unseen(void **state) {
    (void)state;
    const char *const words[] = {"/bin/true", NULL};
    struct paced_child child;
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    capture_begin();
    enum paced_err err = paced_child_run(words, 60, &child);
    char *text = capture_end();
    signal(SIGCHLD, before);
    assert_int_equal(err, PACED_FAILED);
    assert_non_null(strstr(text, "SIGCHLD"));
    free(text);
}

static void test_child_is_missing(void **state) {
    (void)state;
    const char *const words[] = {"/no/such/program", NULL};
    struct paced_child child;
    capture_begin();
    enum paced_err err = paced_child_run(words, 60, &child);
    char *text = capture_end();
    assert_int_equal(err, PACED_FAILED);
    assert_non_null(strstr(text, "/no/such/program: cannot be started: No such file or directory"));
    free(text);
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

static void *fail_elsewhere(void *unused) {
    paced_error(PACED_FAILED, "another thread's");
    return unused;
}

static void test_errors_are_collected(void **state) {
    (void)state;
    struct paced_failures failures = {0};
    pthread_t other;
    capture_begin();
    paced_errors_collect(&failures);
    assert_int_equal(paced_error(PACED_INVALID, "bad %s", "key"), PACED_INVALID);
    assert_int_equal(paced_error_at(PACED_FAILED, "a.png", "cannot %s", "open"), PACED_FAILED);
    assert_int_equal(paced_error_at_line(PACED_INVALID, "x.ini", 3, "no key"), PACED_INVALID);
    paced_log(PACED_LOG_INFO, "not an error");
    assert_int_equal(pthread_create(&other, NULL, fail_elsewhere, NULL), 0);
    pthread_join(other, NULL);
    paced_errors_collect(NULL);
    paced_error_at(PACED_INVALID, "b.png", "again");
    char *said = capture_end();
    assert_string_equal(said, "paced: not an error\npaced: another thread's\npaced: b.png: again\n");
    free(said);
    static const struct {
        enum paced_err code;
        const char *place, *text;
    } wanted[] = {
        {PACED_INVALID, NULL, "bad key"}, {PACED_FAILED, "a.png", "cannot open"}, {PACED_INVALID, "x.ini:3", "no key"}};
    assert_int_equal(failures.count, PACED_COUNT(wanted));
    for (size_t i = 0; i < failures.count; ++i) {
        assert_int_equal(failures.items[i].code, wanted[i].code);
        if (wanted[i].place)
            assert_string_equal(failures.items[i].place, wanted[i].place);
        else
            assert_null(failures.items[i].place);
        assert_string_equal(failures.items[i].text, wanted[i].text);
    }
    paced_failures_finish(&failures);
}

/* Remedies are plain words in a library, and name keys once the program has set its own. */
static void test_advice(void **state) {
    (void)state;
    for (int cause = 0; cause < PACED_CAUSES; ++cause) {
        assert_non_null(paced_advice((enum paced_cause)cause));
        assert_null(strstr(paced_advice((enum paced_cause)cause), "train."));
    }
    static const char *const own[PACED_CAUSES] = {[PACED_CAUSE_MEMORY] = "lower train.batch"};
    paced_advise(own);
    assert_string_equal(paced_advice(PACED_CAUSE_MEMORY), "lower train.batch");
}

/* On a pseudo-terminal, the status line is erased for a message, redrawn, and removed at the end. */
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
    paced_log_activity("busy");
    paced_log(PACED_LOG_INFO, "more");
    paced_log_activity(NULL);
    paced_log_status("1234567\xC3\xA9"
                     "90abc"); /* cut at ten columns; an accented letter takes one */
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
    /* The output arrives in parts; after closing, the terminal ends with an error. */
    char said[256];
    size_t size = 0;
    for (ssize_t got; (got = read(master, said + size, sizeof said - 1 - size)) > 0;) size += (size_t)got;
    said[size] = '\0';
    close(master);
    assert_true(is_terminal);
    assert_string_equal(said,
                        "\r\033[Kstep 1\r\033[Kpaced: note\r\nstep 1\r\033[Kbusy\r\033[Kpaced: more\r\nbusy"
                        "\r\033[Kstep 1\r\033[K1234567\xC3\xA9"
                        "90\r\033[K\033[33mpaced: warning: \033[0mnarrow\r\n12345\r\033[Kpaced: warning: plain\r\n12345"
                        "\r\033[K\033[31mpaced: \033[0mend\r\n");
    assert_int_equal(resized, 0);
}

static void test_now(void **state) {
    (void)state;
    double before = paced_now_s(), after = paced_now_s();
    assert_true(before > 0 && after >= before && after - before < 10);
}

/* Processor time grows with computation, and not with sleep. */
static void test_processor_time(void **state) {
    (void)state;
    static const struct timespec pause = {.tv_nsec = 200000000};
    double before = paced_processor_s();
    nanosleep(&pause, NULL);
    double rested = paced_processor_s();
    assert_true(before > 0 && rested >= before && rested - before < 0.2);
    while (paced_processor_s() - rested < 0.01) {
    }
}

/* The clock goes on while the process is suspended, as by Ctrl-Z, and while it sleeps. */
static void test_now_while_suspended(void **state) {
    (void)state;
    static const struct timespec pause = {.tv_nsec = 200000000};
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        double before = paced_now_s();
        raise(SIGSTOP);
        _exit(paced_now_s() - before >= 0.2 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    nanosleep(&pause, NULL);
    kill(child, SIGCONT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Sends a signal to the process and waits briefly until it is handled. */
static void send_stop(int signal_number) {
    sigset_t pending;
    kill(getpid(), signal_number);
    for (int i = 0; i < 5000; ++i) {
        sigpending(&pending);
        if (!sigismember(&pending, signal_number)) break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void wait_until_asked(void) {
    for (int i = 0; i < 5000 && !paced_stop_asked(); ++i) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* The child of test_stop: each exit status names a fault. */
static void stop_twice(void) {
    paced_catch_stop();
    if (paced_stop_asked()) _exit(9);
    send_stop(SIGTERM);
    send_stop(SIGINT);
    wait_until_asked();
    if (!paced_stop_asked()) _exit(8);
    paced_stop_later(true);
    if (paced_stop_asked()) _exit(7);
    paced_stop_later(false);
    if (!paced_stop_asked()) _exit(6);
    send_stop(SIGINT);
    sleep(5); /* interrupted by the signal */
    _exit(5);
}

/* A stop prints one line, whatever the number of signals; a second Ctrl-C ends the process. */
static void test_stop(void **state) {
    (void)state;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        stop_twice();
    }
    close(ends[1]);
    char said[256];
    size_t size = 0;
    for (ssize_t got; (got = read(ends[0], said + size, sizeof said - 1 - size)) > 0;) size += (size_t)got;
    said[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PACED_STOPPED);
    assert_string_equal(said, "paced: stopping after this step; Ctrl-C again ends at once, without saving\n");
    assert_false(paced_stop_asked());
}

/* A process whose stderr nobody reads still stops. */
static void test_stop_unread(void **state) {
    (void)state;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        while (write(ends[1], "x", 1) == 1) {
        }
        fcntl(ends[1], F_SETFL, 0);
        dup2(ends[1], STDERR_FILENO);
        stop_twice();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    close(ends[1]);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PACED_STOPPED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_overflow_ends),
        cmocka_unit_test(test_child_ends),
        cmocka_unit_test(test_child_hangs),
        cmocka_unit_test(test_child_writes_much),
        cmocka_unit_test(test_child_ends_unseen),
        cmocka_unit_test(test_child_is_missing),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_errors_are_collected),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_log_status),
        cmocka_unit_test(test_now),
        cmocka_unit_test(test_processor_time),
        cmocka_unit_test(test_now_while_suspended),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stop_unread),
    };
    return cmocka_run_group_tests_name("process", tests, make_dir, remove_dir);
}
