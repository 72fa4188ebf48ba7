/* log: everything the program says on stderr. Whoever calls it as a library takes the messages of his thread instead.
 *
 * One message is one write: "paced: ", the text, a newline. On a terminal the status line (a progress bar) lives below
 * the messages: "\r\033[K" goes to its start and erases it, then comes the message, then the status line again. So
 * that one erase is always enough, the status line is cut at the terminal's width.
 * Loader threads may log too: the lock of the stderr stream guards the status line. */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERASE "\r\033[K"

static enum paced_log_level highest = PACED_LOG_INFO;
static char status[512];
static _Thread_local struct {
    paced_log_sink *take; /* NULL: stderr */
    void *context;
} sink;

void paced_log_divert(paced_log_sink *take, void *context) {
    sink.take = take;
    sink.context = context;
}

void paced_log_set_level(enum paced_log_level level) {
    highest = level;
}

bool paced_log_is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && (!term || strcmp(term, "dumb") != 0);
}

static void print_line(const char *prefix, const char *fmt, va_list args) {
    flockfile(stderr);
    if (*status) fputs(ERASE, stderr);
    fputs(prefix, stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    if (*status) fputs(status, stderr);
    fflush(stderr);
    funlockfile(stderr);
}

static void say(enum paced_log_level level, const char *fmt, va_list args) {
    static const char *const prefixes[] = {"paced: ", "paced: warning: ", "paced: ", "paced: debug: "};
    if (sink.take)
        sink.take(sink.context, level, fmt, args);
    else if (level <= highest)
        print_line(prefixes[level], fmt, args);
}

enum paced_err paced_error(enum paced_err code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(PACED_LOG_ERROR, fmt, args);
    va_end(args);
    return code;
}

void paced_log(enum paced_log_level level, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(level, fmt, args);
    va_end(args);
}

/* How many bytes of `text` fit into `columns`; a UTF-8 sequence counts as one column and is not cut apart. */
static size_t fitting_bytes(const char *text, size_t columns, size_t most_bytes) {
    size_t bytes = 0, fits = 0;
    for (; text[bytes] && bytes <= most_bytes; bytes++) {
        bool starts_character = ((unsigned char)text[bytes] & 0xC0) != 0x80;
        if (!starts_character) continue;
        fits = bytes;
        if (columns-- == 0) return fits;
    }
    return bytes <= most_bytes ? bytes : fits;
}

void paced_log_status(const char *text) {
    if (!paced_log_is_terminal()) return;
    struct winsize window = {0};
    size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col - 1U : 79;
    flockfile(stderr);
    if (text || *status) fputs(ERASE, stderr);
    size_t size = text ? fitting_bytes(text, columns, sizeof status - 1) : 0;
    if (size) memcpy(status, text, size);
    status[size] = '\0';
    fputs(status, stderr);
    fflush(stderr);
    funlockfile(stderr);
}
