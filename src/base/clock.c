/* clock: monotonic time, and the wish to stop.
 *
 * A signal handler may do almost nothing, so it sets a flag that the training loop asks for between steps and then
 * saves and leaves. Who presses Ctrl-C twice does not want to wait: the program ends at once, with the same status;
 * files still appear whole or not at all. */
#include "paced/base.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked, interrupts;

double paced_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void on_signal(int signal_number) {
    if (signal_number == SIGINT && interrupts++ > 0) _exit(PACED_STOPPED);
    stop_asked = 1;
}

void paced_catch_stop(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool paced_stop_asked(void) {
    return stop_asked != 0;
}
