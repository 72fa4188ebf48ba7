/* Lock of a directory: flock on a file in it, which names the owner for the message to others.
 *
 * The kernel releases the lock when its owner ends, even if it is killed; a file that is left behind is locked again.
 * The owner removes the file before it releases the lock, so that finished directories hold results only. Invariant: a
 * lock counts only if its file is still the one in the directory. A process that opened the file before its removal
 * notices this after locking it, and starts again. */
#include "src/run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME ".paced.lock"

enum { ATTEMPTS = 100, OWNER_BYTES = 256 };

struct dir_lock {
    char *dir, *file;
    char *made; /* outermost directory that was created; NULL: none */
    int fd;
    struct stat info; /* of the directory */
    size_t users;
    struct dir_lock *next;
};
static struct dir_lock *held; /* locks of this process, which flock would refuse to take twice */

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- directories --------------------------------------------------------------------------------------------- */

/* Outermost missing directory of a path; NULL if the path exists. */
static char *find_missing(const char *dir) {
    char *missing = NULL, *at = paced_strdup(dir);
    struct stat info;
    while (lstat(at, &info) != 0 && errno == ENOENT) {
        free(missing);
        missing = at;
        at = paced_path_dir(missing);
    }
    free(at);
    return missing;
}

static void remove_empty(const struct dir_lock *lock) {
    char *at = paced_strdup(lock->dir);
    while (lock->made && rmdir(at) == 0 && strcmp(at, lock->made) != 0) {
        char *parent = paced_path_dir(at);
        free(at);
        at = parent;
    }
    free(at);
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static void write_owner(int fd) {
    char host[OWNER_BYTES] = "";
    gethostname(host, sizeof host - 1);
    char *text = paced_format("process %ld on host %s\n", (long)getpid(), host);
    /* Without its text, on a full disk, the lock is still one. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) < 0) errno = 0;
    free(text);
}

static enum paced_err refuse(int fd, const char *dir) {
    char owner[OWNER_BYTES] = "";
    ssize_t size = pread(fd, owner, sizeof owner - 1, 0);
    owner[size > 0 ? size : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    paced_text_clean(owner);
    return paced_error_at(PACED_INVALID, dir, "a run is going on there: %s; wait for it, or choose another --output",
                          *owner ? owner : "another process");
}

static int try_lock(int fd) {
    int failure = EINTR;
    while (failure == EINTR) failure = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    return failure;
}

/* True if the open file is the one in the directory. */
static bool is_current(const struct dir_lock *lock) {
    struct stat opened, there;
    return fstat(lock->fd, &opened) == 0 && stat(lock->file, &there) == 0 && is_same(&opened, &there);
}

/* Locks the open file. *again: it is no longer the one in the directory. */
static enum paced_err lock_file(const struct dir_lock *lock, bool *again) {
    int failure = try_lock(lock->fd);
    if (failure == EWOULDBLOCK) return refuse(lock->fd, lock->dir);
    *again = !is_current(lock);
    if (*again) return PACED_OK;
    if (failure)
        paced_log(PACED_LOG_WARN, "%s: cannot be locked: %s; let no other process write there", lock->dir,
                  strerror(failure));
    write_owner(lock->fd);
    return PACED_OK;
}

/* Creates the directory and locks the file in it. An owner that ends may remove both between any two steps. */
static enum paced_err make_and_lock(struct dir_lock *lock) {
    int failure = 0;
    for (int i = 0; i < ATTEMPTS && (failure == 0 || failure == ENOENT); ++i) {
        bool again;
        PACED_TRY(paced_make_dirs(lock->dir));
        lock->fd = open(lock->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        failure = lock->fd < 0 ? errno : 0;
        if (failure) continue;
        enum paced_err err = lock_file(lock, &again);
        if (!err && !again) return PACED_OK;
        close(lock->fd);
        if (err) return err;
    }
    return paced_error_at(PACED_FAILED, lock->file, "cannot be locked: %s; remove it, or choose another --output",
                          strerror(failure ? failure : EAGAIN));
}

/* ---- public functions ---------------------------------------------------------------------------------------- */

static struct dir_lock *find_held(const char *dir) {
    struct stat info;
    struct dir_lock *lock = stat(dir, &info) == 0 ? held : NULL;
    while (lock && !is_same(&lock->info, &info)) lock = lock->next;
    return lock;
}

static void finish(struct dir_lock *lock) {
    remove_empty(lock);
    free(lock->made);
    free(lock->file);
    free(lock->dir);
    free(lock);
}

enum paced_err dir_lock_take(struct dir_lock **out, const char *dir) {
    *out = NULL;
    PACED_TRY(paced_dir_check(dir));
    struct dir_lock *lock = find_held(dir);
    if (!lock) {
        lock = paced_alloc(1, sizeof *lock);
        *lock = (struct dir_lock){.dir = paced_path_absolute(dir), .next = held};
        lock->made = find_missing(lock->dir);
        lock->file = paced_path_join(lock->dir, FILE_NAME);
        enum paced_err err = make_and_lock(lock);
        if (err) {
            finish(lock);
            return err;
        }
        stat(lock->dir, &lock->info);
        held = lock;
    }
    ++lock->users;
    *out = lock;
    return PACED_OK;
}

void dir_lock_keep(struct dir_lock *lock) {
    free(lock->made);
    lock->made = NULL;
}

void dir_lock_release(struct dir_lock *lock) {
    if (!lock || --lock->users > 0) return;
    struct dir_lock **at = &held;
    while (*at != lock) at = &(*at)->next;
    *at = lock->next;
    if (is_current(lock)) unlink(lock->file); /* if the directory was moved, the path may be that of another one */
    close(lock->fd);
    finish(lock);
}
