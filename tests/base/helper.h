/* Helpers of the base tests: a directory for the group of tests, and captured stderr. */
#ifndef PACED_TESTS_BASE_HELPER_H
#define PACED_TESTS_BASE_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/base.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define assert_path(call, expected)           \
    do {                                      \
        char *path_ = call;                   \
        assert_string_equal(path_, expected); \
        free(path_);                          \
    } while (0)

static char dir[64];

static inline int make_dir(void **state) {
    (void)state;
    strcpy(dir, "/tmp/paced-base-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static inline int remove_dir(void **state) {
    (void)state;
    char *command = paced_format("rm -rf '%s'", dir);
    int status = system(command);
    free(command);
    return status;
}

/* Between capture_begin and capture_end, stderr is written to a file; capture_end returns its contents, to be freed. */
static int saved_stderr;

static inline void capture_begin(void) {
    char *path = paced_path_join(dir, "stderr");
    saved_stderr = dup(STDERR_FILENO);
    assert_non_null(freopen(path, "w", stderr));
    free(path);
}

static inline char *capture_end(void) {
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

#endif
