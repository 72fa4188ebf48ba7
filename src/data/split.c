/* Split file: a JSON array of [image, mask] pairs of paths below the data root,
 *
 *   [["benign/benign (1).png", "benign/benign (1)_mask.png"], ...]
 *
 * Invariant: an accepted split names only files below the root. Absolute paths and ".." out of the root are refused;
 * symbolic links are not checked. A backslash separates folders, too, unless a file of that very name exists. Errors
 * name the file and the entry, counted from 1. */
#include "src/data/split.h"

#include <stdlib.h>
#include <string.h>

#include "src/data/formats/format.h"
#include "src/data/json.h"

static const struct json_role role = {"split", "data.train and data.val", "[\"image\", \"mask\"]"};

/* Fault of a path in a split whose paths start `depth` folders below the root, or NULL. */
static const char *path_fault(const char *path, int depth) {
    if (!*path) return "the path is empty";
    if (path[0] == '/') return "the path is absolute; give it relative to data.root";
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && strncmp(part, "..", 2) == 0) {
            if (--depth < 0) return "the path leaves data.root; only files below the root can be used";
        } else if (length > 0 && !(length == 1 && part[0] == '.')) {
            ++depth;
        }
        part += length + (part[length] == '/');
    }
    return NULL;
}

/* True if a name with backslashes is that of a file below `root`. */
static bool is_literal(const char *root, const char *name, int depth) {
    if (!strchr(name, '\\') || path_fault(name, depth)) return false;
    char *slice = paced_path_join(root, name), *file = image_file(slice);
    bool exists = paced_path_exists(file);
    free(file);
    free(slice);
    return exists;
}

/* Copy of a name with the separators of this system. */
static char *with_slashes(const char *name) {
    char *path = paced_strdup(name);
    for (char *c = path; *c; ++c)
        if (*c == '\\') *c = '/';
    return path;
}

static enum paced_err read_path(const struct paced_split *split, const char *root, size_t entry, const char *what,
                                const json_t *value, char **path) {
    const char *file = split->path;
    if (!json_is_string(value))
        return paced_error_at(PACED_INVALID, file,
                              "entry %zu: the %s is not a string; each entry is [\"image\", \"mask\"]", entry, what);
    const char *name = json_string_value(value);
    *path = with_slashes(name);
    const char *fault = path_fault(*path, split->depth);
    if (fault) return paced_error_at(PACED_INVALID, file, "entry %zu: %s \"%s\": %s", entry, what, *path, fault);
    if (is_literal(root, name, split->depth)) {
        free(*path);
        *path = paced_strdup(name);
    }
    return PACED_OK;
}

static enum paced_err read_pair(const struct paced_split *split, const char *root, size_t entry, const json_t *value,
                                struct paced_pair *pair) {
    const char *file = split->path;
    if (!json_is_array(value))
        return paced_error_at(PACED_INVALID, file, "entry %zu is not an array; each entry is [\"image\", \"mask\"]",
                              entry);
    if (json_array_size(value) != 2)
        return paced_error_at(PACED_INVALID, file,
                              "entry %zu has %zu %s instead of 2; each entry is [\"image\", \"mask\"]", entry,
                              json_array_size(value), paced_plural(json_array_size(value), "element", "elements"));
    PACED_TRY(read_path(split, root, entry, "image", json_array_get(value, 0), &pair->image));
    PACED_TRY(read_path(split, root, entry, "mask", json_array_get(value, 1), &pair->mask));
    if (strcmp(pair->image, pair->mask) != 0) return PACED_OK;
    return paced_error_at(PACED_INVALID, file,
                          "entry %zu: names %s as image and as mask; each entry is [\"image\", "
                          "\"mask\"]",
                          entry, pair->image);
}

enum paced_err split_read(struct paced_split *split, const char *path, const char *root, int depth) {
    json_t *list;
    *split = (struct paced_split){0};
    PACED_TRY(json_list_read(&list, path, &role));
    split->path = paced_strdup(path);
    split->depth = depth;
    split->count = json_array_size(list);
    split->pairs = paced_alloc(split->count, sizeof *split->pairs);
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < split->count && !err; ++i)
        err = read_pair(split, root, i + 1, json_array_get(list, i), &split->pairs[i]);
    json_decref(list);
    if (err) split_finish(split);
    return err;
}

void split_finish(struct paced_split *split) {
    if (!split) return;
    for (size_t i = 0; i < split->count; ++i) {
        free(split->pairs[i].image);
        free(split->pairs[i].mask);
    }
    free(split->pairs);
    free(split->path);
    *split = (struct paced_split){0};
}
