/* error: errors as structs. An error is printed when it is recorded, or collected for a caller that goes on or that
 * knows more about it. */
#define _GNU_SOURCE /* vasprintf */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local struct paced_failures *collector; /* NULL: errors are printed */

struct paced_failures *paced_errors_collect(struct paced_failures *failures) {
    struct paced_failures *before = collector;
    collector = failures;
    return before;
}

void paced_failures_finish(struct paced_failures *failures) {
    for (size_t i = 0; i < failures->count; ++i) {
        free(failures->items[i].place);
        free(failures->items[i].text);
    }
    free(failures->items);
    *failures = (struct paced_failures){0};
}

static void record(enum paced_err code, const char *place, const char *fmt, va_list args) {
    char *text;
    if (vasprintf(&text, fmt, args) < 0) text = paced_strdup("out of memory");
    if (collector) {
        struct paced_failures *c = collector;
        c->items = paced_grow(c->items, c->count + 1, sizeof *c->items);
        c->items[c->count++] = (struct paced_failure){code, paced_strdup(place), text};
        return;
    }
    paced_log(PACED_LOG_ERROR, "%s%s%s", place ? place : "", place ? ": " : "", text);
    free(text);
}

enum paced_err paced_error(enum paced_err code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    record(code, NULL, fmt, args);
    va_end(args);
    return code;
}

enum paced_err paced_error_at(enum paced_err code, const char *place, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    record(code, place, fmt, args);
    va_end(args);
    return code;
}

enum paced_err paced_error_at_line(enum paced_err code, const char *path, int line, const char *fmt, ...) {
    char *place = paced_format("%s:%d", path, line);
    va_list args;
    va_start(args, fmt);
    record(code, place, fmt, args);
    va_end(args);
    free(place);
    return code;
}
