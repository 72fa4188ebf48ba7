/* child: programs in child processes, with their messages caught.
 *
 * A child outlives neither its time limit nor, where it asks for it, its parent. It starts with no signal blocked, so
 * that it can be ended; its standard input is empty. */
#define _GNU_SOURCE /* pipe2, environ */
#include "paced/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_OUTPUT = 1 << 16, POLL_MS = 20, LONGEST_PAUSE_S = 5 };

static enum paced_err start(const char *const *words, int output, pid_t *id) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    /* POSIX promises to leave the words as they are. */
    int failure = posix_spawn(id, words[0], &actions, &attributes, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (!failure) return PACED_OK;
    return paced_error_at(PACED_FAILED, words[0], "cannot be started: %s", strerror(failure));
}

/* Appends the content of the pipe. Of a long text the end is kept; a zero byte becomes '?'. */
static void drain(int input, struct paced_text *output) {
    char part[4096];
    ssize_t count;
    while ((count = read(input, part, sizeof part)) > 0) {
        for (ssize_t i = 0; i < count; ++i)
            if (!part[i]) part[i] = '?';
        paced_text_add(output, "%.*s", (int)count, part);
        if (output->size < 2 * MAX_OUTPUT) continue;
        memmove(output->data, output->data + output->size - MAX_OUTPUT, MAX_OUTPUT + 1);
        output->size = MAX_OUTPUT;
    }
}

/* Waits for the child's end and returns false if it cannot be known, as where the process ignores SIGCHLD. A stop that
 * the user asked for, or the limit, kills the child. Time in which this process was suspended does not count.
 * Descendants may keep the pipe open, so the child's end counts and not the pipe's. */
static bool wait_for(pid_t id, int input, double limit_s, struct paced_child *child, int *status) {
    double waited = 0, last = paced_now_s();
    struct paced_text output = {0};
    pid_t ended;
    while ((ended = waitpid(id, status, WNOHANG)) == 0) {
        struct pollfd ready = {.fd = input, .events = POLLIN};
        if (poll(&ready, 1, POLL_MS) > 0) {
            drain(input, &output);
            if (ready.revents & POLLHUP) usleep(1000); /* a closed pipe is always ready */
        }
        double now = paced_now_s();
        waited += now - last < LONGEST_PAUSE_S ? now - last : 0;
        last = now;
        child->timed_out = waited > limit_s;
        if (!child->timed_out && !paced_stop_asked()) continue;
        kill(id, SIGKILL);
        ended = waitpid(id, status, 0);
        break;
    }
    drain(input, &output);
    child->stopped = paced_stop_asked();
    child->output = output.data ? output.data : paced_strdup("");
    paced_text_clean(child->output);
    return ended == id;
}

enum paced_err paced_child_run(const char *const *words, double limit_s, struct paced_child *child) {
    int pipe_ends[2];
    pid_t id;
    *child = (struct paced_child){0};
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return paced_error(PACED_FAILED, "a pipe to %s cannot be made: %s", words[0], strerror(errno));
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    enum paced_err err = start(words, pipe_ends[1], &id);
    close(pipe_ends[1]);
    int status = 0;
    if (!err && !wait_for(id, pipe_ends[0], limit_s, child, &status)) {
        err = paced_error_at(PACED_FAILED, words[0], "its end is not reported; do not ignore SIGCHLD");
        free(child->output);
    }
    child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    child->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    close(pipe_ends[0]);
    return err;
}
