/* Helpers of the experiment tests: a directory for each test, x.ini in it, and captured messages. */
#ifndef PACED_TESTS_CONFIG_EXPERIMENT_H
#define PACED_TESTS_CONFIG_EXPERIMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/config.h"
#include "tests/capture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64]; /* the current directory during a test */
static char *here;   /* the same path as reported by the program */

static inline int enter_dir(void **state) {
    strcpy(dir, "/tmp/paced-stage-XXXXXX");
    if (!mkdtemp(dir) || chdir(dir) != 0) return 1;
    here = paced_path_absolute(".");
    return 0;
}

static inline int leave_dir(void **state) {
    char *command = paced_format("rm -rf '%s'", dir);
    int status = chdir("/") == 0 ? system(command) : 1;
    free(command);
    free(here);
    return status;
}

static inline void write_ini(const char *path, const char *text) {
    assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
}

static inline enum paced_err load_said(struct paced_experiment *experiment, struct capture *said) {
    capture_start(said);
    enum paced_err err = paced_experiment_load(experiment, "x.ini", NULL, 0);
    capture_end(said);
    return err;
}

/* Checks that x.ini with `text` is rejected in one line that begins with `begin` and contains `hint`. */
static inline void assert_refused(const char *text, const char *begin, const char *hint) {
    struct paced_experiment experiment, nothing = {0};
    struct capture capture;
    const char *said = capture.text;
    char *expected = paced_format("paced: %s", begin);
    write_ini("x.ini", text);
    assert_int_equal(load_said(&experiment, &capture), PACED_INVALID);
    if (strncmp(said, expected, strlen(expected)) != 0 || !strstr(said, hint))
        fail_msg("said: %sexpected: %s ... %s", said, expected, hint);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_memory_equal(&experiment, &nothing, sizeof nothing);
    free(expected);
}

static inline void assert_below(const char *path, const char *rest) {
    char *expected = paced_path_join(here, rest);
    assert_string_equal(path, expected);
    free(expected);
}

#endif
