/* Files below data.root that no split uses. */
#define _GNU_SOURCE /* realpath */
#include <stdlib.h>
#include <string.h>

#include "src/data/dataset.h"
#include "src/data/files.h"
#include "src/data/masks.h"

enum { MAX_FILES = 100000, EXAMPLES = 3 };

/* Marks a file of the list as used; false if it is not in the list. */
static bool mark(const struct file_list *files, bool *used, const char *path) {
    size_t i = file_list_find(files, path);
    if (i < files->count) used[i] = true;
    return i < files->count;
}

/* Marks a file named in a split: a path, or one with the number of a slice. */
static void mark_named(const struct file_list *files, bool *used, const struct paced_dataset *dataset,
                       const char *name) {
    char *path = dataset_path_below_root(dataset, name), *slice = strrchr(path, '#');
    if (!mark(files, used, path) && slice) {
        *slice = '\0';
        mark(files, used, path);
    }
    free(path);
}

static void mark_masks(const struct file_list *files, bool *used, const struct paced_dataset *dataset, size_t i) {
    const char *name = dataset_mask_name(dataset, i);
    mark_named(files, used, dataset, name);
    bool more = paced_dataset_masks(dataset)->merge;
    for (int number = 1; more; ++number) {
        char *numbered = masks_numbered_path(name, number), *path = dataset_path_below_root(dataset, numbered);
        more = mark(files, used, path);
        free(path);
        free(numbered);
    }
}

/* Marks a file of the configuration, if it lies below the root. */
static void mark_configured(const struct file_list *files, bool *used, const char *root, const char *path) {
    char *real_root = realpath(root, NULL), *real = path && *path ? realpath(path, NULL) : NULL;
    size_t length = real_root ? strlen(real_root) : 0;
    if (real_root && real && strncmp(real, real_root, length) == 0 && real[length] == '/')
        mark(files, used, real + length + 1);
    free(real);
    free(real_root);
}

enum paced_err paced_data_unused(const struct paced_data_options *options, struct paced_dataset *const *sets,
                                 size_t count, struct paced_unused *unused) {
    struct file_list files;
    *unused = (struct paced_unused){0};
    enum paced_err err = file_list_read(&files, options->root, MAX_FILES);
    bool *used = paced_alloc(files.count + 1, sizeof *used);
    for (size_t s = 0; s < count && !err; ++s)
        for (size_t i = 0; sets[s] && i < paced_dataset_count(sets[s]); ++i) {
            mark_named(&files, used, sets[s], paced_dataset_image_name(sets[s], i));
            mark_masks(&files, used, sets[s], i);
        }
    const char *const configured[] = {options->train, options->val, options->labels};
    for (size_t i = 0; i < PACED_COUNT(configured); ++i) mark_configured(&files, used, options->root, configured[i]);

    struct paced_text names = {0};
    for (size_t i = 0; i < files.count && !err && !files.cut; ++i) {
        if (used[i]) continue;
        if (unused->count < EXAMPLES) paced_text_add(&names, "%s%s", unused->count > 0 ? ", " : "", files.path[i]);
        ++unused->count;
    }
    if (unused->count > EXAMPLES) paced_text_add(&names, ", ...");
    unused->files = files.count;
    unused->names = names.data;
    free(used);
    file_list_finish(&files);
    return err;
}
