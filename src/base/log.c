/* log: messages on stderr, and the advice in them.
 *
 * A message is one line: "paced: ", the text, a newline. On a terminal the status line (a progress bar) is below the
 * messages: "\r\033[K" erases it, then the message and the status line are written. The status line is cut to the
 * terminal's current width whenever it is drawn, so that one erase is enough.
 * Loader threads may log, too: the lock of the stderr stream guards the status line. */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERASE "\r\033[K"

enum { DEFAULT_COLUMNS = 80 };

static enum paced_log_level highest = PACED_LOG_INFO;
static char status[512];
static const char *activity; /* replaces the status line unless NULL */

void paced_log_set_level(enum paced_log_level level) {
    highest = level;
}

/* ---- the terminal -------------------------------------------------------------------------------------------- */

bool paced_log_is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && (!term || strcmp(term, "dumb") != 0);
}

size_t paced_log_columns(void) {
    struct winsize window = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : DEFAULT_COLUMNS;
}

const char *paced_log_ink(enum paced_ink ink) {
    static const char *const sequences[] = {"\033[0m", "\033[32m", "\033[33m", "\033[31m"};
    const char *unwanted = getenv("NO_COLOR");
    return paced_log_is_terminal() && (!unwanted || !*unwanted) ? sequences[ink] : "";
}

/* The number of bytes of `text` that fit into `columns`. A UTF-8 sequence counts as one column and is not split. */
static size_t fitting_bytes(const char *text, size_t columns) {
    size_t bytes = 0;
    for (; text[bytes]; ++bytes) {
        bool starts_character = ((unsigned char)text[bytes] & 0xC0) != 0x80;
        if (starts_character && columns-- == 0) break;
    }
    return bytes;
}

/* Draws the status line. The last column stays free: some terminals wrap the line when it is written. */
static void draw_status(void) {
    const char *text = activity ? activity : status;
    fwrite(text, 1, fitting_bytes(text, paced_log_columns() - 1), stderr);
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

/* Prints "paced: ", `kind` in its colour ("": none) and the message. */
static void print_line(enum paced_ink ink, const char *kind, const char *fmt, va_list args) {
    const char *begin = ink == PACED_INK_PLAIN ? "" : paced_log_ink(ink);
    flockfile(stderr);
    if (*status || activity) fputs(ERASE, stderr);
    fprintf(stderr, "%spaced: %s%s", begin, kind, *begin ? paced_log_ink(PACED_INK_PLAIN) : "");
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    draw_status();
    fflush(stderr);
    funlockfile(stderr);
}

void paced_log(enum paced_log_level level, const char *fmt, ...) {
    static const struct {
        enum paced_ink ink;
        const char *kind;
    } kinds[] = {
        {PACED_INK_ERROR, ""}, {PACED_INK_WARNING, "warning: "}, {PACED_INK_PLAIN, ""}, {PACED_INK_PLAIN, "debug: "}};
    if (level > highest) return;
    va_list args;
    va_start(args, fmt);
    print_line(kinds[level].ink, kinds[level].kind, fmt, args);
    va_end(args);
}

void paced_log_status(const char *text) {
    if (!paced_log_is_terminal()) return;
    flockfile(stderr);
    if (text || *status || activity) fputs(ERASE, stderr);
    if (!text) activity = NULL;
    snprintf(status, sizeof status, "%s", text ? text : "");
    draw_status();
    fflush(stderr);
    funlockfile(stderr);
}

void paced_log_activity(const char *text) {
    if (!paced_log_is_terminal()) return;
    flockfile(stderr);
    fputs(ERASE, stderr);
    activity = text;
    draw_status();
    fflush(stderr);
    funlockfile(stderr);
}

PACED_NAMES(paced_log_level_name, [PACED_LOG_ERROR] = "error", [PACED_LOG_WARN] = "warn", [PACED_LOG_INFO] = "info",
            [PACED_LOG_DEBUG] = "debug")

/* ---- advice -------------------------------------------------------------------------------------------------- */

static const char *const plain_advice[PACED_CAUSES] = {
    [PACED_CAUSE_MEMORY] = "use a smaller batch, smaller images or a narrower network",
    [PACED_CAUSE_MEMORY_LIMIT] = "use a smaller batch, smaller images or a narrower network, or raise the limit",
    [PACED_CAUSE_TOO_MANY_PIXELS] = "use a smaller batch or smaller images",
    [PACED_CAUSE_IMAGE_TOO_SMALL] = "use larger images",
    [PACED_CAUSE_ONE_VALUE] = "use a larger batch or larger images",
    [PACED_CAUSE_OTHER_NETWORK] = "give the network and the classes of the file",
    [PACED_CAUSE_DIVERGED] = "use other weights or train again with a lower learning rate",
    [PACED_CAUSE_NO_PRODUCTS] = "choose another device",
    [PACED_CAUSE_NO_BFLOAT16] = "use float32, or choose another device",
};
static const char *const *advice = plain_advice;

void paced_advise(const char *const texts[PACED_CAUSES]) {
    advice = texts;
}

const char *paced_advice(enum paced_cause cause) {
    return advice[cause];
}
