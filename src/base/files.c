/* files: reading and writing whole files.
 *
 * Invariant: a reader sees the old file or the new one, never a part, even after a power cut. The content is written to
 * "<path>.tmp.<process>" in the same directory (rename works only within a file system), synced to the disk and
 * renamed; then the directory is synced. Appending to a log is the exception: a part of the last record may remain. */
#include "paced/base.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *paced_path_unreadable(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return NULL;
    return S_ISDIR(info.st_mode) ? "is a directory; give a file" : "is a pipe, socket or device; give a regular file";
}

bool paced_file_begins(const char *path, const char *text) {
    char start[256];
    size_t size = strlen(text);
    FILE *stream = paced_path_unreadable(path) ? NULL : fopen(path, "rb");
    if (!stream) return false;
    assert(size <= sizeof start);
    bool begins = fread(start, 1, size, stream) == size && memcmp(start, text, size) == 0;
    fclose(stream);
    return begins;
}

/* Reads to the end or to at least one byte above the limit. The buffer grows with the content, because the files of
 * /proc have no size. */
static uint8_t *read_all(FILE *stream, size_t max_bytes, size_t *size) {
    size_t capacity = 1 << 16, used = 0;
    uint8_t *data = paced_grow(NULL, capacity, 1);
    for (;;) {
        used += fread(data + used, 1, capacity - 1 - used, stream);
        if (used < capacity - 1 || (max_bytes && used > max_bytes)) break;
        capacity *= 2;
        data = paced_grow(data, capacity, 1);
    }
    data[used] = 0;
    *size = used;
    return data;
}

enum paced_err paced_file_read(const char *path, size_t max_bytes, uint8_t **data, size_t *size) {
    *data = NULL;
    *size = 0;
    const char *unreadable = paced_path_unreadable(path);
    if (unreadable) return paced_error_at(PACED_INVALID, path, "%s", unreadable);
    FILE *stream = fopen(path, "rb");
    if (!stream) return paced_error_at(PACED_INVALID, path, "cannot open: %s; check the path", strerror(errno));
    size_t used;
    uint8_t *content = read_all(stream, max_bytes, &used);
    int failure = ferror(stream) ? errno : 0;
    fclose(stream);
    enum paced_err err = PACED_OK;
    if (failure)
        err = paced_error_at(PACED_FAILED, path, "cannot read: %s; check the disk", strerror(failure));
    else if (max_bytes && used > max_bytes)
        err = paced_error_at(PACED_INVALID, path, "larger than %zu bytes; is this the right file?", max_bytes);
    if (err != PACED_OK) {
        free(content);
        return err;
    }
    *data = content;
    *size = used;
    return PACED_OK;
}

enum paced_err paced_file_read_text(const char *path, size_t max_bytes, char **text) {
    static const char mark[] = "\xEF\xBB\xBF";
    size_t size, skip = strlen(mark);
    uint8_t *data;
    *text = NULL;
    PACED_TRY(paced_file_read(path, max_bytes, &data, &size));
    if (strlen((char *)data) < size) {
        int line = 1;
        for (const uint8_t *at = data; *at; ++at) line += *at == '\n';
        free(data);
        return paced_error_at_line(PACED_INVALID, path, line, "contains a zero byte; save it as plain text (UTF-8)");
    }
    if (strncmp((char *)data, mark, skip) == 0) memmove(data, data + skip, size - skip + 1);
    *text = (char *)data;
    return PACED_OK;
}

static enum paced_err write_error(const char *path, const char *cause) {
    return paced_error_at(PACED_FAILED, path,
                          "cannot write: %s; check the directory, its permissions and the free space", cause);
}

enum paced_err paced_link_check(const char *path) {
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode)) return PACED_OK;
    return paced_error_at(PACED_INVALID, path,
                          "is a symbolic link in the place of a result; remove it, or choose another place");
}

/* True for anything but a plain file: a rename would replace a device such as /dev/null. */
static bool is_special(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

enum paced_err paced_file_check(const char *path) {
    PACED_TRY(paced_link_check(path));
    if (is_special(path))
        return paced_error_at(PACED_INVALID, path, "exists and is not a plain file; choose another name");
    char *dir = paced_path_dir(path);
    enum paced_err err = paced_path_is_dir(dir) ? paced_dir_check(dir)
                                                : paced_error_at(PACED_INVALID, path,
                                                                 "cannot be written: there is no directory %s; "
                                                                 "create it, or choose another place",
                                                                 dir);
    free(dir);
    return err;
}

enum paced_err paced_atomic_open(struct paced_atomic *file, const char *path) {
    *file = (struct paced_atomic){0};
    PACED_TRY(paced_link_check(path));
    if (is_special(path)) return write_error(path, "it exists and is not a plain file");
    file->path = paced_strdup(path);
    file->temporary = paced_format("%s.tmp.%ld", file->path, (long)getpid());
    unlink(file->temporary); /* left by a killed process with the same id */
    int fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    file->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file->stream) return PACED_OK;
    enum paced_err err = write_error(path, strerror(errno));
    if (fd >= 0) close(fd);
    paced_atomic_abort(file);
    return err;
}

/* Only a disk error counts as a failure: some file systems cannot sync a directory, and a writable directory may be
 * unreadable. */
static bool sync_dir_of(const char *path) {
    char *dir = paced_path_dir(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (fd < 0) return true;
    bool synced = fsync(fd) == 0 || errno != EIO;
    close(fd);
    return synced;
}

/* The cause of an earlier failed write: the next one fails alike, on a full disk or at a limit. */
static int find_cause(FILE *stream) {
    clearerr(stream);
    errno = 0;
    fputc(0, stream);
    fflush(stream);
    return errno;
}

enum paced_err paced_atomic_commit(struct paced_atomic *file) {
    errno = 0;
    bool earlier = ferror(file->stream);
    bool written = !earlier && fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0;
    int failure = earlier ? find_cause(file->stream) : errno;
    bool closed = fclose(file->stream) == 0;
    if (written && !closed) failure = errno;
    file->stream = NULL;
    bool done = written && closed;
    if (done && (rename(file->temporary, file->path) != 0 || !sync_dir_of(file->path))) {
        failure = errno;
        done = false;
    }
    enum paced_err err = PACED_OK;
    if (!done) err = write_error(file->path, failure ? strerror(failure) : "an earlier write failed");
    paced_atomic_abort(file); /* after the rename, only releases memory */
    return err;
}

void paced_atomic_abort(struct paced_atomic *file) {
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (struct paced_atomic){0};
}

enum paced_err paced_file_write(const char *path, const void *data, size_t size) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    if (size) fwrite(data, 1, size, file.stream); /* commit checks the stream's error flag */
    return paced_atomic_commit(&file);
}

enum paced_err paced_file_append(const char *path, const void *data, size_t size) {
    PACED_TRY(paced_link_check(path));
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return write_error(path, strerror(errno));
    ssize_t written = write(fd, data, size);
    int failure = written < 0 ? errno : (size_t)written < size ? ENOSPC : 0;
    if (!failure && fsync(fd) != 0) failure = errno;
    close(fd);
    return failure ? write_error(path, strerror(failure)) : PACED_OK;
}

enum paced_err paced_file_remove(const char *path) {
    if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR) return PACED_OK;
    return paced_error_at(PACED_FAILED, path, "cannot be removed: %s; check the directory's permissions",
                          strerror(errno));
}
