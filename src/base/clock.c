/* clock: monotonic time, and the wish to stop.
 *
 * SIGINT and SIGTERM are blocked everywhere and taken by a thread of their own, which sets a flag that the training
 * loop asks for between steps and then saves and leaves. A signal handler would not do: the compiler inside a device
 * driver (LLVM in PoCL) puts its own handler in front of it, which deletes the files that are being compiled, and the
 * build fails instead. Who presses Ctrl-C twice does not want to wait: the program ends at once, with the same status;
 * files still appear whole or not at all. */
#include "paced/base.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static atomic_bool stop_asked;

double paced_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *wait_for_signals(void *stops) {
    int signal_number, interrupts = 0;
    while (sigwait(stops, &signal_number) == 0) {
        if (signal_number == SIGINT && interrupts++ > 0) _exit(PACED_STOPPED);
        stop_asked = true;
    }
    return NULL;
}

void paced_catch_stop(void) {
    static sigset_t stops;
    sigset_t before;
    pthread_t waiting;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, &before); /* threads made from now on inherit it */
    if (pthread_create(&waiting, NULL, wait_for_signals, &stops) == 0)
        pthread_detach(waiting);
    else
        pthread_sigmask(SIG_SETMASK, &before, NULL); /* a stop without saving is better than none */
}

bool paced_stop_asked(void) {
    return stop_asked;
}
