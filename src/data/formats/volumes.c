/* Volumes last used: a few, of at most twice the size of the largest one that is held. */
#include "src/data/formats/volumes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const size_t limit_bytes = 2 * VOLUME_MAX_BYTES;

/* A file in the state in which it was read. data NULL: none. */
struct volume {
    struct stat file;
    uint8_t *data;
    size_t bytes;
    uint64_t turn; /* of the last use */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct volume volumes[8];
static uint64_t turns;

static bool is_same(const struct volume *v, const struct stat *file, size_t bytes) {
    const struct stat *known = &v->file;
    return v->data && v->bytes == bytes && known->st_dev == file->st_dev && known->st_ino == file->st_ino &&
           known->st_size == file->st_size && known->st_mtim.tv_sec == file->st_mtim.tv_sec &&
           known->st_mtim.tv_nsec == file->st_mtim.tv_nsec;
}

static void drop(struct volume *v) {
    free(v->data);
    *v = (struct volume){0};
}

/* Makes room for a volume; returns its place. */
static struct volume *make_room(size_t bytes) {
    for (;;) {
        struct volume *oldest = &volumes[0], *empty = NULL;
        size_t used = bytes;
        for (size_t i = 0; i < PACED_COUNT(volumes); ++i) {
            struct volume *v = &volumes[i];
            used += v->bytes;
            if (!v->data) empty = v;
            if (v->data && (!oldest->data || v->turn < oldest->turn)) oldest = v;
        }
        if (empty && used <= limit_bytes) return empty;
        drop(oldest);
    }
}

static enum paced_err find(const struct stat *file, size_t bytes, struct volume **found,
                           enum paced_err (*read)(void *context, uint8_t *volume), void *context) {
    for (size_t i = 0; i < PACED_COUNT(volumes); ++i)
        if (is_same(&volumes[i], file, bytes)) {
            *found = &volumes[i];
            return PACED_OK;
        }
    struct volume *v = make_room(bytes);
    *v = (struct volume){.file = *file, .data = paced_alloc(bytes, 1), .bytes = bytes};
    enum paced_err err = read(context, v->data);
    if (err) drop(v);
    *found = v;
    return err;
}

enum paced_err volumes_read(const char *path, size_t bytes, size_t start, size_t count, uint8_t *out,
                            enum paced_err (*read)(void *context, uint8_t *volume), void *context) {
    struct stat file = {0};
    struct volume *volume;
    if (stat(path, &file) != 0) file = (struct stat){0}; /* a failure to read it is reported */
    pthread_mutex_lock(&lock);
    enum paced_err err = find(&file, bytes, &volume, read, context);
    if (!err) {
        volume->turn = ++turns;
        memcpy(out, volume->data + start, count);
    }
    pthread_mutex_unlock(&lock);
    return err;
}
