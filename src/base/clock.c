/* clock: monotonic time and stop requests.
 *
 * SIGINT and SIGTERM are blocked in all threads. A dedicated thread waits for them and sets a flag, which the training
 * loop checks between steps in order to save and stop. A signal handler does not work: the compiler inside a device
 * driver (LLVM in PoCL) installs its own handler in front of it, which deletes the files being compiled, so that the
 * build fails. A second Ctrl-C ends the program at once with the same status; files are still complete or absent. */
#define _GNU_SOURCE /* pthread_timedjoin_np */
#include "paced/base.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static atomic_bool stop_asked, stop_deferred;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double paced_now_s(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double paced_processor_s(void) {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void *announce_stop(void *unused) {
    paced_log(PACED_LOG_INFO, "stopping after this step; Ctrl-C again ends at once, without saving");
    return unused;
}

/* Sets the flag after the line, so that the line precedes the messages of the stop. A thread of its own writes it: if
 * nobody reads stderr, the program still stops. */
static void ask_to_stop(void) {
    enum { PATIENCE_S = 1 };
    pthread_t announcing;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    if (pthread_create(&announcing, NULL, announce_stop, NULL) == 0 &&
        pthread_timedjoin_np(announcing, NULL, &end) != 0)
        pthread_detach(announcing);
    stop_asked = true;
}

static void *wait_for_signals(void *stops) {
    int signal_number, interrupts = 0;
    while (sigwait(stops, &signal_number) == 0) {
        if (signal_number == SIGINT && interrupts++ > 0) _exit(PACED_STOPPED);
        if (!stop_asked) ask_to_stop();
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
    pthread_sigmask(SIG_BLOCK, &stops, &before); /* later threads inherit it */
    if (pthread_create(&waiting, NULL, wait_for_signals, &stops) == 0)
        pthread_detach(waiting);
    else
        pthread_sigmask(SIG_SETMASK, &before, NULL); /* stopping without saving is better than not stopping */
}

bool paced_stop_asked(void) {
    return stop_asked && !stop_deferred;
}

void paced_stop_later(bool on) {
    stop_deferred = on;
}
