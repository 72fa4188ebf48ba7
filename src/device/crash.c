/* crash: the last line of a process that an OpenCL driver ends.
 *
 * The trials of a device cannot foresee every crash: a kernel that PoCL compiled earlier may be truncated on the disk,
 * which is a bus error when it is loaded, and PoCL aborts or exits when its disk is full. Checking the cached files
 * would find only some of these causes, and for one driver. The program's own exit with an open device is a driver's,
 * because the program closes its devices first. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/device/opencl.h"

static const struct {
    int number;
    const char *name;
} faults[] = {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGILL, "SIGILL"}, {SIGBUS, "SIGBUS"},
              {SIGFPE, "SIGFPE"},   {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"}};

bool crash_is_fault(int signal_number) {
    for (size_t i = 0; i < PACED_COUNT(faults); ++i)
        if (faults[i].number == signal_number) return true;
    return false;
}

/* ---- the line ------------------------------------------------------------------------------------------------ */

static bool reporting;
static char subject[256], remedy[1024]; /* of the open device; subject "": none is open */

/* Copies as much as fits, and returns the end. */
static char *append(char *to, const char *end, const char *text) {
    while (*text && to < end) *to++ = *text++;
    return to;
}

/* Uses only functions that a signal handler may call. */
static void write_line(const char *cause) {
    char line[2048], *const end = line + sizeof line - 1;
    char *to = append(line, end, isatty(STDERR_FILENO) ? "\r\033[Kpaced: " : "paced: ");
    to = append(to, end, subject);
    to = append(to, end, cause);
    to = append(to, end, remedy);
    *to++ = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)(to - line));
    (void)written;
}

static void on_fault(int signal_number) {
    const char *name = "a signal";
    for (size_t i = 0; i < PACED_COUNT(faults); ++i)
        if (faults[i].number == signal_number) name = faults[i].name;
    char cause[128] = "", *end = cause + sizeof cause - 1, *to = append(cause, end, "the program crashed (");
    to = append(to, end, name);
    *append(to, end, "), probably in the driver; ") = '\0';
    write_line(cause);
    _exit(PACED_FAILED);
}

static void on_exit_of_driver(void) {
    if (*subject) write_line("the driver ended the program; ");
}

/* ---- watching ------------------------------------------------------------------------------------------------ */

void crash_watch_again(void) {
    if (!reporting || !*subject) return;
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < PACED_COUNT(faults); ++i) sigaction(faults[i].number, &action, NULL);
}

void crash_watch(const struct paced_device_info *info) {
    char *advice = opencl_crash_advice(info);
    snprintf(subject, sizeof subject, "device %s: ", info->name);
    snprintf(remedy, sizeof remedy, "%s", advice);
    free(advice);
    crash_watch_again();
}

void crash_unwatch(void) {
    subject[0] = '\0';
}

void paced_device_report_crashes(void) {
    reporting = true;
    atexit(on_exit_of_driver);
}
