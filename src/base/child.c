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

enum { MOST_OUTPUT = 1 << 16, POLL_MS = 20 };

static enum paced_err start(const char *const *words, int output, pid_t *id) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    /* POSIX promises to leave the words as they are. */
    int failure = posix_spawn(id, words[0], &actions, &attributes, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (!failure) return PACED_OK;
    return paced_error(PACED_FAILED, "%s: cannot be started: %s", words[0], strerror(failure));
}

/* Appends what the pipe holds now. The text ends at MOST_OUTPUT; a child that writes more is not held up. */
static void drain(int input, struct paced_text *output) {
    char part[4096];
    ssize_t count;
    while ((count = read(input, part, sizeof part - 1)) > 0) {
        part[count] = '\0';
        if (output->size < MOST_OUTPUT) paced_text_add(output, "%s", part);
    }
}

/* Waits for the child's end; a stop that is asked for, or the limit, kills it. Descendants may keep the pipe open, so
 * the child's end counts and not the pipe's. */
static int wait_for(pid_t id, int input, double limit_s, struct paced_child *child) {
    double deadline = paced_now_s() + limit_s;
    int status = 0;
    struct paced_text output = {0};
    while (waitpid(id, &status, WNOHANG) == 0) {
        struct pollfd ready = {.fd = input, .events = POLLIN};
        if (poll(&ready, 1, POLL_MS) > 0) {
            drain(input, &output);
            if (ready.revents & POLLHUP) usleep(1000); /* a closed pipe is always ready */
        }
        child->timed_out = paced_now_s() > deadline;
        child->stopped = paced_stop_asked();
        if (!child->timed_out && !child->stopped) continue;
        kill(id, SIGKILL);
        waitpid(id, &status, 0);
        break;
    }
    drain(input, &output);
    child->output = output.data ? output.data : paced_strdup("");
    return status;
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
    if (!err) {
        int status = wait_for(id, pipe_ends[0], limit_s, child);
        child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        child->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    close(pipe_ends[0]);
    return err;
}
