/* Helpers of the tests of single configurations: an empty directory for each test, files in it, and
 * captured messages. */
#ifndef PACED_TESTS_CONFIG_INI_H
#define PACED_TESTS_CONFIG_INI_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64]; /* the current directory during a test */

static inline int enter_dir(void **state) {
    (void)state;
    strcpy(dir, "/tmp/paced-config-XXXXXX");
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : 1;
}

static inline int leave_dir(void **state) {
    (void)state;
    char *command = paced_format("rm -rf '%s'", dir);
    int status = chdir("/") == 0 ? system(command) : 1;
    free(command);
    return status;
}

static inline void write_ini(const char *path, const char *text) {
    assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
}

static inline enum paced_err load(struct paced_config *config, const char *path, const char *set) {
    return paced_config_load(config, path, &set, set ? 1 : 0);
}

/* Loads a configuration with stderr redirected to a file; *said receives its contents, which the caller frees. */
static inline enum paced_err load_said(struct paced_config *config, const char *path, const char *set, char **said) {
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen("stderr", "w", stderr));
    enum paced_err err = load(config, path, set);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read("stderr", 0, &data, &size), PACED_OK);
    *said = (char *)data;
    return err;
}

/* Checks that loading fails with exactly one line that contains both parts, and leaves nothing to release. */
static inline void assert_refused(const char *path, const char *set, const char *begin, const char *hint) {
    struct paced_config config, nothing = {0};
    char *said;
    assert_int_equal(load_said(&config, path, set, &said), PACED_INVALID);
    char *expected = paced_format("paced: %s", begin);
    if (strncmp(said, expected, strlen(expected)) != 0 || !strstr(said, hint)) {
        print_error("said:     %sexpected: %s ... %s\n", said, expected, hint);
        fail();
    }
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_memory_equal(&config, &nothing, sizeof config);
    free(expected);
    free(said);
}

static inline void assert_text_refused(const char *text, const char *begin, const char *hint) {
    write_ini("x.ini", text);
    assert_refused("x.ini", NULL, begin, hint);
}

static inline void assert_below_dir(const char *path, const char *rest) {
    char *here = paced_path_absolute("."), *expected = paced_path_join(here, rest);
    assert_string_equal(path, expected);
    free(expected);
    free(here);
}

#endif
