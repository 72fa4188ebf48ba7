/* moved: the config.ini of a run whose directory was moved or copied since it was written. The run is then where the
 * file is, and not where run.output says. */
#include <stdlib.h>
#include <string.h>

#include "keys.h"

bool paced_config_is_of_run(const char *path) {
    return paced_file_begins(path, PACED_CONFIG_ORIGIN);
}

static bool holds_weights(const char *dir) {
    static const char *const names[] = {PACED_RUN_STATE, PACED_RUN_BEST, PACED_RUN_LAST};
    bool found = false;
    for (size_t i = 0; i < PACED_COUNT(names) && !found; ++i) {
        char *path = paced_path_join(dir, names[i]);
        found = paced_path_exists(path);
        free(path);
    }
    return found;
}

/* True if the directory of the configuration is that of the run. A test's directory holds no weights: its run.output is
 * where the tested run is, unless the test names its weights by a path. */
static bool is_home(const struct paced_config *config, const char *dir) {
    if (holds_weights(dir)) return true;
    bool by_path = paced_names_find(config_key_named("test.weights")->words, config->test.weights) < 0;
    return by_path && !paced_path_exists(config->run.output);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* Shortens both to their beginnings that differ: "/a/x/run" and "/b/x/run" to "/a" and "/b". */
static void strip_common_end(char *from, char *to) {
    for (;;) {
        char *a = strrchr(from, '/'), *b = strrchr(to, '/');
        if (!a || !b || a == from || b == to || strcmp(a, b) != 0) return;
        *a = *b = '\0';
    }
}

/* Path at the new place, if the file is there and not at the old place; free() it. */
static char *moved_path(const char *path, const char *from, const char *to) {
    size_t length = strlen(from);
    bool within = strncmp(path, from, length) == 0 && path[length] == '/';
    char *moved = within && !paced_path_exists(path) ? paced_format("%s%s", to, path + length) : NULL;
    if (moved && paced_path_exists(moved)) return moved;
    free(moved);
    return paced_strdup(path);
}

static char *moved_paths(const char *list, const char *from, const char *to) {
    struct paced_text text = {0};
    for (char *path; (path = paced_list_next(&list)); free(path)) {
        char *moved = moved_path(path, from, to);
        paced_list_add(&text, moved);
        free(moved);
    }
    return text.data ? text.data : paced_strdup("");
}

static enum paced_err move_paths(struct paced_config *config, const char *from, const char *to) {
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        if (key->kind != CONFIG_PATH) continue;
        const char *value = *config_string(config, key);
        char *moved = key->list ? moved_paths(value, from, to) : moved_path(value, from, to);
        err = config_value_set(config, key, config->file, moved);
        free(moved);
    }
    return err;
}

/* ---- the configuration ------------------------------------------------------------------------------------------- */

static enum paced_err move(struct paced_config *config, const char *dir) {
    char *from = paced_strdup(config->run.output), *to = paced_strdup(dir);
    strip_common_end(from, to);
    enum paced_err err = move_paths(config, from, to);
    if (!err) err = config_value_set(config, config_key_named("run.output"), config->file, dir);
    free(to);
    free(from);
    return err;
}

enum paced_err config_follow_move(struct paced_config *config) {
    char *path = paced_path_absolute(config->file), *dir = paced_path_dir(path);
    const char *name = strrchr(path, '/');
    bool written = name && strcmp(name + 1, "config.ini") == 0 && *config->run.output && paced_config_is_of_run(path);
    bool moved = written && !paced_path_same(dir, config->run.output) && is_home(config, dir);
    enum paced_err err = moved ? move(config, dir) : PACED_OK;
    free(dir);
    free(path);
    return err;
}
