/* List of weights files. */
#include "src/run/robustness/weights_list.h"

#include <stdlib.h>
#include <string.h>

#include "src/run/files.h"

enum { MAX_DEPTH = 64 }; /* components of a path in a name */

static enum paced_err check_once(const struct weights_list *list, size_t index) {
    const char *path = list->paths[index];
    for (size_t i = 0; i < index; ++i)
        if (strcmp(list->paths[i], path) == 0)
            return paced_error_at(PACED_INVALID, path, "is listed twice; list each weights file once");
    return PACED_OK;
}

/* ---- names --------------------------------------------------------------------------------------------------- */

/* Name of the run directory for best.safetensors and last.safetensors, else the stem of the file. */
static char *short_name(const char *path) {
    char *stem = paced_path_stem(path);
    if (strcmp(stem, "best") != 0 && strcmp(stem, "last") != 0) return stem;
    free(stem);
    char *dir = paced_path_dir(path), *slash = strrchr(dir, '/');
    char *name = paced_strdup(slash && slash[1] ? slash + 1 : dir);
    free(dir);
    return name;
}

/* Last 1 + `more` components of the path, without the extension. */
static char *long_name(const char *path, int more) {
    char *dir = paced_path_dir(path), *stem = paced_path_stem(path), *whole = paced_path_join(dir, stem);
    const char *from = whole + strlen(whole);
    for (int slashes = 0; from > whole; --from)
        if (from[-1] == '/' && ++slashes > more) break;
    char *name = paced_strdup(from);
    free(whole);
    free(stem);
    free(dir);
    return name;
}

static bool is_shared(const struct weights_list *list, size_t index) {
    for (size_t i = 0; i < list->count; ++i)
        if (i != index && strcmp(list->names[i], list->names[index]) == 0) return true;
    return false;
}

/* Lengthens the names that are equal to others, until all differ. */
static void tell_apart(struct weights_list *list) {
    bool *shared = paced_alloc(list->count, sizeof *shared), any = true;
    for (int more = 1; any && more < MAX_DEPTH; ++more) {
        any = false;
        for (size_t i = 0; i < list->count; ++i) any |= shared[i] = is_shared(list, i);
        for (size_t i = 0; i < list->count; ++i) {
            if (!shared[i]) continue;
            free(list->names[i]);
            list->names[i] = long_name(list->paths[i], more);
        }
    }
    free(shared);
}

/* ---- the list ------------------------------------------------------------------------------------------------ */

static enum paced_err add(struct weights_list *list, const struct paced_config *config, const char *item) {
    char *found = run_weights_path(config, item);
    size_t index = list->count++;
    list->paths = paced_grow(list->paths, list->count, sizeof *list->paths);
    list->names = paced_grow(list->names, list->count, sizeof *list->names);
    list->paths[index] = paced_path_absolute(found);
    list->names[index] = short_name(list->paths[index]);
    free(found);
    return check_once(list, index);
}

enum paced_err weights_list_read(struct weights_list *list, const struct paced_config *config, const char *text) {
    *list = (struct weights_list){0};
    enum paced_err err = PACED_OK;
    for (char *item; !err && (item = paced_list_next(&text)); free(item)) err = add(list, config, item);
    if (!err && list->count == 0) err = paced_error(PACED_INVALID, "the list of weights is empty; give --weights FILE");
    if (!err) tell_apart(list);
    if (err) weights_list_finish(list);
    return err;
}

void weights_list_finish(struct weights_list *list) {
    for (size_t i = 0; i < list->count; ++i) {
        free(list->paths[i]);
        free(list->names[i]);
    }
    free(list->paths);
    free(list->names);
    *list = (struct weights_list){0};
}
