/* parse: the configuration in an INI file and its bases. A value takes effect when it is complete. Stages and sweeps
 * are skipped, but must be valid INI. */
#include "stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
    struct paced_config *config;
    const char *path;
    const struct source *heir; /* file that inherits from this one */
    struct stat identity;
    int base_line;  /* 0: no base so far */
    int *key_lines; /* line of each key, 0: not given */
};

static enum paced_err read_source(struct paced_config *config, const char *path, const struct source *heir);

/* ---- bases --------------------------------------------------------------------------------------------------- */

/* Applies one file of `base`. Its path starts at the directory of the file that names it. */
static enum paced_err load_base(const struct source *source, const char *place, const char *name) {
    char *dir = paced_path_dir(source->path);
    char *base = paced_path_join(strcmp(dir, ".") == 0 ? "" : dir, name);
    const char *why = access(base, R_OK) != 0 ? strerror(errno) : paced_path_is_dir(base) ? strerror(EISDIR) : NULL;
    enum paced_err err;
    if (why)
        err = paced_error_at(PACED_INVALID, place, "base: cannot read %s: %s; the path starts at this INI's directory",
                             base, why);
    else
        err = read_source(source->config, base, source);
    free(base);
    free(dir);
    return err;
}

/* Applies the files of `base` in their order, so that later ones win. */
static enum paced_err load_bases(struct source *source, const struct paced_ini_entry *entry) {
    const char *rest = entry->text;
    if (source->base_line)
        return paced_error_at(PACED_INVALID, entry->place, "base: already given in line %d; list all files in one line",
                              source->base_line);
    if (!*rest) return paced_error_at(PACED_INVALID, entry->place, "base: names no file; give one or remove the line");
    source->base_line = entry->line;
    char *where = paced_format("%s: base", entry->place);
    enum paced_err err = paced_list_check(where, rest);
    for (char *name; !err && (name = paced_list_next(&rest)); free(name)) err = load_base(source, entry->place, name);
    free(where);
    return err;
}

/* Refuses a file that is already being read; the message shows the chain of files. */
static enum paced_err refuse_loop(const struct source *source) {
    const struct source *seen = source->heir;
    while (seen &&
           (seen->identity.st_ino != source->identity.st_ino || seen->identity.st_dev != source->identity.st_dev))
        seen = seen->heir;
    if (!seen) return PACED_OK;
    char *way = paced_strdup(source->path);
    const struct source *step = source;
    do {
        step = step->heir;
        char *longer = paced_format("%s -> %s", step->path, way);
        free(way);
        way = longer;
    } while (step != seen);
    enum paced_err err = paced_error_at_line(PACED_INVALID, source->heir->path, source->heir->base_line,
                                             "base: circular inheritance: %s; remove one base", way);
    free(way);
    return err;
}

/* ---- lines --------------------------------------------------------------------------------------------------- */

static enum paced_err take_section(void *context, const struct paced_ini_entry *entry) {
    (void)context;
    if (stage_is_header(entry->section)) return stage_check_header(entry->place, entry->section);
    return config_section_known(entry->section) ? PACED_OK : config_key_unknown(entry->place, entry->section, NULL);
}

static enum paced_err set_key(struct source *source, const struct config_key *key,
                              const struct paced_ini_entry *entry) {
    int *seen = &source->key_lines[key - config_keys];
    if (*seen)
        paced_log(PACED_LOG_WARN, "%s: %s.%s: already given in line %d; this value replaces it", entry->place,
                  key->section, key->name, *seen);
    *seen = entry->line;
    return config_value_set(source->config, key, entry->place, entry->text);
}

static enum paced_err key_outside(const struct paced_ini_entry *entry) {
    static const char *const only[] = {"base"};
    const char *hint = paced_nearest(entry->name, only, 1) ? "did you mean base?" : "put it under its [section]";
    return paced_error_at(PACED_INVALID, entry->place, "%s: only base may precede the first section; %s", entry->name,
                          hint);
}

static enum paced_err take_value(void *context, const struct paced_ini_entry *entry) {
    const struct config_key *key = config_key_find(entry->section, entry->name);
    bool is_base = strcmp(entry->name, "base") == 0;
    if (stage_is_header(entry->section)) return PACED_OK;
    if (key) return set_key(context, key, entry);
    if (!*entry->section) return is_base ? load_bases(context, entry) : key_outside(entry);
    if (!is_base) return config_key_unknown(entry->place, entry->section, entry->name);
    return paced_error_at(PACED_INVALID, entry->place, "base: is inside a section; move it above the first one");
}

/* Refuses an indented "key = value" below another key: it is meant as a key, but continues the previous value. */
static enum paced_err refuse_indented_key(void *context, const struct paced_ini_entry *entry) {
    (void)context;
    const char *text = entry->text;
    size_t length = strcspn(text, "=:");
    if (!text[length]) return PACED_OK;
    while (length > 0 && strchr(" \t", text[length - 1])) length--;
    char *name = paced_format("%.*s", (int)length, text);
    bool in_stage = stage_is_header(entry->section);
    bool is_key = in_stage ? stage_key_known(name) : config_key_find(entry->section, name) != NULL;
    enum paced_err err = PACED_OK;
    if (is_key)
        err = paced_error_at(PACED_INVALID, entry->place,
                             "%s%s%s: an indented line continues the previous value; remove the blanks before it",
                             in_stage ? "" : entry->section, in_stage ? "" : ".", name);
    free(name);
    return err;
}

static enum paced_err read_source(struct paced_config *config, const char *path, const struct source *heir) {
    struct source source = {.config = config, .path = path, .heir = heir};
    const struct paced_ini ini = {take_section, take_value, refuse_indented_key, &source};
    if (stat(path, &source.identity) == 0) PACED_TRY(refuse_loop(&source));
    source.key_lines = paced_alloc(config_key_count, sizeof *source.key_lines);
    enum paced_err err = paced_ini_read(path, &ini);
    free(source.key_lines);
    return err;
}

enum paced_err config_read(struct paced_config *config, const char *path) {
    return read_source(config, path, NULL);
}
