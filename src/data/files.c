/* Files below a folder. */
#include "src/data/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Folders being listed, innermost first. A symbolic link may lead back to one of them. */
struct open_folder {
    const struct open_folder *above;
    dev_t device;
    ino_t number;
};

/* Enters `dir` below `above`; false if `dir` is already being listed. */
static bool enter(struct open_folder *folder, const struct open_folder *above, const char *dir) {
    struct stat info = {0};
    stat(dir, &info); /* a failure is reported by scandir */
    *folder = (struct open_folder){above, info.st_dev, info.st_ino};
    for (; above; above = above->above)
        if (above->device == folder->device && above->number == folder->number) return false;
    return true;
}

static bool is_hidden(const char *name) {
    static const char *const others[] = {"Thumbs.db", "desktop.ini", "__MACOSX"};
    for (size_t i = 0; i < PACED_COUNT(others); ++i)
        if (strcasecmp(name, others[i]) == 0) return true;
    return name[0] == '.';
}

static enum paced_err list_folder(struct file_list *list, const struct open_folder *above, const char *root,
                                  const char *below, size_t max) {
    struct open_folder here;
    char *dir = paced_path_join(root, below);
    if (!enter(&here, above, dir)) {
        free(dir);
        return PACED_OK;
    }
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    enum paced_err err = PACED_OK;
    if (count < 0) err = paced_error_at(PACED_INVALID, dir, "cannot list: %s", strerror(errno));
    for (int i = 0; i < count; ++i) {
        const char *name = entries[i]->d_name;
        char *path = !*below ? paced_strdup(name) : paced_format("%s/%s", below, name);
        char *full = paced_path_join(root, path);
        bool shown = !err && !is_hidden(name);
        if (shown && paced_path_is_dir(full)) {
            err = list_folder(list, &here, root, path, max);
        } else if (shown && list->count == max) {
            list->cut = true;
        } else if (shown) {
            list->path = paced_grow(list->path, list->count + 1, sizeof *list->path);
            list->path[list->count++] = path;
            path = NULL; /* handed over */
        }
        free(full);
        free(path);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    free(dir);
    return err;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum paced_err file_list_read(struct file_list *list, const char *root, size_t max) {
    *list = (struct file_list){0};
    enum paced_err err = list_folder(list, NULL, root, "", max);
    if (list->count > 0) qsort(list->path, list->count, sizeof *list->path, compare);
    return err;
}

void file_list_finish(struct file_list *list) {
    for (size_t i = 0; i < list->count; ++i) free(list->path[i]);
    free(list->path);
    *list = (struct file_list){0};
}

size_t file_list_find(const struct file_list *list, const char *path) {
    char **found = list->count > 0 ? bsearch(&path, list->path, list->count, sizeof *list->path, compare) : NULL;
    return found ? (size_t)(found - list->path) : list->count;
}
