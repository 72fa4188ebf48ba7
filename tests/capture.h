/* Catches what a test makes the program write to stderr: keeps expected errors out of the test's output, and lets
 * their text be checked. Between start and end no assertion may fail: its report would be caught, too. */
#ifndef PACED_TESTS_CAPTURE_H
#define PACED_TESTS_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

struct capture {
    FILE *file;
    int saved;
    char text[4096]; /* the beginning of what was written */
};

static inline void capture_start(struct capture *capture) {
    fflush(stderr);
    capture->file = tmpfile();
    capture->saved = dup(STDERR_FILENO);
    dup2(fileno(capture->file), STDERR_FILENO);
}

static inline void capture_end(struct capture *capture) {
    fflush(stderr);
    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    rewind(capture->file);
    size_t size = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
    capture->text[size] = '\0';
    fclose(capture->file);
}

#endif
