/* config: one checked struct from files and --set.
 *
 * Later sources override earlier ones: the table's defaults, base files from the farthest to the nearest, the INI, and
 * --set. Then come values that depend on others: run.name, run.output and absolute paths (against the current
 * directory), so that the resolved configuration has the same meaning wherever it is read. */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

static enum paced_err set_defaults(struct paced_config *config) {
    for (size_t i = 0; i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        if (key->not_empty)
            *config_string(config, key) = paced_strdup("");
        else
            PACED_TRY(config_value_set(config, key, "built-in default", key->fallback));
    }
    return PACED_OK;
}

/* Copy of the first `length` bytes of `text` without surrounding blanks. */
static char *trimmed(const char *text, size_t length) {
    while (length > 0 && strchr(" \t", text[length - 1])) length--;
    size_t skip = strspn(text, " \t");
    return skip < length ? paced_format("%.*s", (int)(length - skip), text + skip) : paced_strdup("");
}

const struct config_key *config_set_key(const char *set) {
    char *name = trimmed(set, strcspn(set, "="));
    const struct config_key *key = config_key_named(name);
    free(name);
    return key;
}

static enum paced_err apply_set(struct paced_config *config, const char *set) {
    const char *equals = strchr(set, '=');
    char *name = trimmed(set, strcspn(set, "=")), *dot = strchr(name, '.');
    char *place = paced_format("--set %.*s", (int)strcspn(set, "\r\n"), set);
    const struct config_key *key = config_key_named(name);
    enum paced_err err;
    if (!equals || !dot || dot == name || !dot[1])
        err = paced_error_at(PACED_INVALID, place, "not SECTION.KEY=VALUE; write for example --set train.epochs=10");
    else if (sweep_is_set(set))
        err =
            paced_error_at(PACED_INVALID, place, "only `paced experiment` and `paced train` support sweeps; remove it");
    else
        err = key ? config_value_set(config, key, place, equals + 1) : config_key_refuse(place, name);
    free(place);
    free(name);
    return err;
}

static enum paced_err apply_setting(struct paced_config *config, const struct config_setting *setting) {
    if (setting->if_empty && **config_string(config, setting->key)) return PACED_OK;
    return config_value_set(config, setting->key, setting->place, setting->text);
}

/* Sets a key that is still empty. */
static enum paced_err fill(struct paced_config *config, const char *name, const char *text) {
    const struct config_key *key = config_key_named(name);
    return **config_string(config, key) ? PACED_OK : config_value_set(config, key, config->file, text);
}

static enum paced_err fill_run(struct paced_config *config) {
    char *stem = paced_path_stem(config->file);
    enum paced_err err = fill(config, "run.name", stem);
    free(stem);
    if (err != PACED_OK) return err;
    struct paced_text output = {0};
    paced_text_add(&output, "outputs/");
    config_value_add(&output, config, config_key_named("data.dataset"));
    paced_text_add(&output, "/%s", config->run.name);
    err = fill(config, "run.output", output.data);
    free(output.data);
    return err;
}

static char *absolute_path(const struct config_key *key, const char *path) {
    bool stays = !*path || (key->words && paced_names_find(key->words, path) >= 0);
    return stays ? paced_strdup(path) : paced_path_absolute(path);
}

static char *absolute_paths(const struct config_key *key, const char *list) {
    struct paced_text text = {0};
    for (char *path; (path = paced_list_next(&list)); free(path)) {
        char *absolute = absolute_path(key, path);
        paced_list_add(&text, absolute);
        free(absolute);
    }
    return text.data ? text.data : paced_strdup("");
}

static enum paced_err make_absolute(struct paced_config *config, const struct config_key *key) {
    const char *given = *config_string(config, key);
    char *text = key->list ? absolute_paths(key, given) : absolute_path(key, given);
    enum paced_err err = config_value_set(config, key, config->file, text);
    free(text);
    return err;
}

static enum paced_err resolve(struct paced_config *config) {
    PACED_TRY(fill_run(config));
    PACED_TRY(fill(config, "data.augment", paced_dataset_kind_augment(config->data.dataset)));
    for (size_t i = 0; i < config_key_count; ++i)
        if (config_keys[i].kind == CONFIG_PATH) PACED_TRY(make_absolute(config, &config_keys[i]));
    return PACED_OK;
}

enum paced_err config_load_with(struct paced_config *config, const char *path, const struct config_setting *settings,
                                size_t count, const char *const *sets, size_t set_count) {
    *config = (struct paced_config){.file = paced_strdup(path ? path : "default")};
    enum paced_err err = set_defaults(config);
    if (!err && path) err = config_read(config, path);
    if (!err && path) err = config_follow_move(config);
    for (size_t i = 0; !err && i < count; ++i) err = apply_setting(config, &settings[i]);
    for (size_t i = 0; !err && i < set_count; ++i) err = apply_set(config, sets[i]);
    if (!err) err = resolve(config);
    if (err) paced_config_finish(config);
    return err;
}

enum paced_err paced_config_load(struct paced_config *config, const char *path, const char *const *sets,
                                 size_t set_count) {
    return config_load_with(config, path, NULL, 0, sets, set_count);
}

enum paced_err paced_config_replace(struct paced_config *config, const char *key, const char *option,
                                    const char *text) {
    return config_value_set(config, config_key_named(key), option, text);
}

/* ---- errors -------------------------------------------------------------------------------------------------- */

/* True for the path itself, and for a place in the file: "PATH:LINE", "PATH: entry 3". */
static bool is_at(const char *place, const char *path) {
    size_t length = strlen(path);
    return length > 0 && strncmp(place, path, length) == 0 && (!place[length] || place[length] == ':');
}

static bool is_at_any(const char *place, const char *list) {
    bool found = false;
    for (char *path; !found && (path = paced_list_next(&list)); free(path)) found = is_at(place, path);
    return found;
}

char *paced_config_key_of(const struct paced_config *config, const char *place) {
    for (size_t i = 0; place && i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        if (key->kind != CONFIG_PATH) continue;
        const char *value = *config_string((struct paced_config *)config, key);
        if (key->list ? is_at_any(place, value) : is_at(place, value))
            return paced_format("%s.%s", key->section, key->name);
    }
    return NULL;
}

void paced_config_finish(struct paced_config *config) {
    if (!config) return;
    for (size_t i = 0; i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        if (key->kind == CONFIG_STRING || key->kind == CONFIG_PATH) free(*config_string(config, key));
    }
    free(config->file);
    *config = (struct paced_config){0};
}
