/* memory: host allocations that never return NULL.
 *
 * When the host is out of memory, the program ends with one line and status 1, so that callers need no checks that
 * cannot be tested. Overflow of count * size is handled the same way. The line goes to stderr even if messages are
 * collected: after the end nobody reads them. */
#define _GNU_SOURCE /* vasprintf */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_die(void *memory, size_t count, size_t size) {
    if (memory) return memory;
    paced_log_status(NULL);
    paced_log(PACED_LOG_ERROR, "the host has no memory left for %zu x %zu bytes; %s", count, size,
              paced_advice(PACED_CAUSE_MEMORY));
    fflush(stdout);
    _exit(PACED_FAILED); /* clean-up may need memory */
}

void *paced_alloc(size_t count, size_t size) {
    bool empty = count == 0 || size == 0;
    return or_die(empty ? calloc(1, 1) : calloc(count, size), count, size);
}

void *paced_grow(void *old, size_t count, size_t size) {
    bool empty = count == 0 || size == 0;
    return or_die(empty ? realloc(old, 1) : reallocarray(old, count, size), count, size);
}

char *paced_strdup(const char *s) {
    return s ? or_die(strdup(s), strlen(s) + 1, 1) : NULL;
}

char *paced_format(const char *fmt, ...) {
    char *s = NULL;
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(&s, fmt, args);
    va_end(args);
    return or_die(length < 0 ? NULL : s, 1, 1);
}
