/* Pairs of a folder, found by file name. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paced/data.h"
#include "src/data/split.h"

static const char mark[] = "_mask", end[] = ".png";

struct names {
    char **path; /* relative to the root */
    size_t count;
};

static bool ends_with(const char *text, size_t length, const char *tail) {
    size_t n = strlen(tail);
    return length > n && strncmp(text + length - n, tail, n) == 0;
}

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

static enum paced_err list_folder(struct names *names, const struct open_folder *above, const char *root,
                                  const char *below) {
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
        if (name[0] != '.' && !err && paced_path_is_dir(full)) {
            err = list_folder(names, &here, root, path);
        } else if (name[0] != '.' && ends_with(name, strlen(name), end)) {
            names->path = paced_grow(names->path, names->count + 1, sizeof *names->path);
            names->path[names->count++] = path;
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

/* Image with this stem below the root, or NULL. */
static char *find_image(const char *root, const char *stem) {
    char *path = paced_path_join(root, stem);
    const char *ending = paced_image_ending(path);
    free(path);
    return ending ? paced_format("%s%s", stem, ending) : NULL;
}

/* Image of a mask, or NULL if `mask` belongs to no image. */
static char *image_of(const char *root, const char *mask) {
    size_t length = strlen(mask) - strlen(end);
    if (!ends_with(mask, length, mark)) return NULL;
    int stem = (int)(length - strlen(mark));
    char *name = paced_format("%.*s", stem, mask), *image = find_image(root, name);
    const char *slash = strrchr(mask, '/');
    size_t dir = slash ? (size_t)(slash - mask) : 0;
    if (!image && ends_with(mask, dir, mark)) {
        free(name);
        name = paced_format("%.*s%.*s", (int)(dir - strlen(mark)), mask, stem - (int)dir, mask + dir);
        image = find_image(root, name);
    }
    free(name);
    return image;
}

enum paced_err split_find(struct paced_split *split, const char *root) {
    struct names names = {0};
    *split = (struct paced_split){0};
    enum paced_err err = list_folder(&names, NULL, root, "");
    if (names.count > 0) qsort(names.path, names.count, sizeof *names.path, compare);
    split->path = paced_strdup(root);
    split->pairs = paced_alloc(names.count + 1, sizeof *split->pairs);
    for (size_t i = 0; i < names.count && !err; ++i) {
        char *image = image_of(root, names.path[i]);
        if (image) split->pairs[split->count++] = (struct paced_pair){image, paced_strdup(names.path[i])};
    }
    if (!err && split->count == 0)
        err = paced_error_at(PACED_INVALID, root, "contains no x.png (or x.jpg) with its x_mask.png; check data.root");
    for (size_t i = 0; i < names.count; ++i) free(names.path[i]);
    free(names.path);
    if (err) split_finish(split);
    return err;
}
