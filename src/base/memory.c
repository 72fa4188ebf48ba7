/* memory: host allocations that never return NULL.
 *
 * A host without memory leaves nothing to roll back to, so the program ends with one line and status 1; callers stay
 * free of checks that no one could test. Overflow of count * size is caught the same way. The line goes to stderr even
 * where a caller takes the messages, who will not come to read it. */
#define _GNU_SOURCE /* vasprintf */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory, size_t count, size_t size) {
    if (memory) return memory;
    paced_log_divert(NULL, NULL);
    paced_log_status(NULL);
    exit(paced_error(PACED_FAILED,
                     "the host has no memory left for %zu x %zu bytes; try a smaller train.batch, data.size or "
                     "model.width",
                     count, size));
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
