/* Helpers of the data tests: a temporary folder that is removed at the end, files in it, and captured stderr. */
#ifndef PACED_TESTS_DATA_HELPER_H
#define PACED_TESTS_DATA_HELPER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw; this header must come first */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "paced/data.h"

static char test_dir[64]; /* created by enter_dir */

static inline int enter_dir(void **state) {
    (void)state;
    snprintf(test_dir, sizeof test_dir, "/tmp/paced-test-XXXXXX");
    return mkdtemp(test_dir) == NULL ? -1 : 0;
}

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static inline int leave_dir(void **state) {
    (void)state;
    return nftw(test_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Path in the test's folder; the last four results stay valid. */
static inline const char *at(const char *name) {
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_dir, name);
    return path;
}

static inline const char *put_bytes(const char *name, const void *data, size_t size) {
    const char *path = at(name);
    remove(path); /* ext4 waits for the disk where a file is truncated and written again */
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
    return path;
}

static inline const char *put_text(const char *name, const char *text) {
    return put_bytes(name, text, strlen(text));
}

/* Between hush() and unhush(), stderr is written to a file; unhush returns its contents (valid until the next call). */
static int real_stderr = -1;

static inline void hush(void) {
    fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    remove(at("stderr"));
    int fd = open(at("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static inline const char *unhush(void) {
    static char text[8192];
    fflush(stderr);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    FILE *f = fopen(at("stderr"), "rb");
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);
    if (f != NULL) fclose(f);
    text[n] = '\0';
    return text;
}

#define assert_says(text, part)                                                                 \
    do {                                                                                        \
        const char *text_ = (text), *part_ = (part);                                            \
        if (strstr(text_, part_) == NULL) fail_msg("\"%s\" does not say \"%s\"", text_, part_); \
    } while (0)

static inline int count_of(const char *text, const char *part) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, part)) != NULL; ++p) n++;
    return n;
}

#endif
