/* parse: INI files, through inih.
 *
 * inih (as built by Debian) reports no line numbers, silently splits a line longer than its buffer, drops text after a
 * section's ']', and delivers an indented line as another value of the previous key. So it reads through read_line,
 * which counts lines and refuses lines that inih would misread. A value may continue in indented lines: they are joined
 * with a blank, or without one if the previous line ends in a backslash (long paths). A value takes effect when it is
 * complete: at the next key, at the next section, or at the end.
 *
 * A pass reads either the configuration, with the base files, or the stages ([stage NAME]) and the sweep ([sweep]) of
 * the file alone. Skipped parts must still be valid INI. */
#include "stage.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_INI (1 << 20)

enum value_kind { VALUE_KEY, VALUE_BASE, VALUE_STAGE };

struct source {
    struct paced_config *config; /* NULL: stages are read */
    struct stage_texts *stages;  /* NULL: the configuration is read */
    const char *path;
    const struct source *heir; /* file that inherits from this one */
    struct stat identity;
    const char *unread;
    int line, value_line, base_line;
    bool in_section, in_stage, indented;
    bool open; /* a value is being collected */
    enum value_kind kind;
    const struct config_key *key; /* for VALUE_KEY */
    char *stage_key;              /* for VALUE_STAGE */
    struct paced_text value;
    int *key_lines; /* line of each key, 0: not given */
    enum paced_err err;
};

static enum paced_err read_source(struct paced_config *config, const char *path, const struct source *heir);

static char *place_of(const struct source *source, int line) {
    return paced_format("%s:%d", source->path, line);
}

static enum paced_err refuse(struct source *source, int line, const char *what) {
    source->err = paced_error_at_line(PACED_INVALID, source->path, line, "%s", what);
    return source->err;
}

/* Applies one file of `base`. Its path starts at the directory of the file that names it. */
static enum paced_err load_base(struct source *source, const char *name) {
    char *dir = paced_path_dir(source->path);
    bool bare = strcmp(dir, ".") == 0;
    char *base = paced_path_join(bare ? "" : dir, name);
    const char *why = access(base, R_OK) != 0 ? strerror(errno) : paced_path_is_dir(base) ? strerror(EISDIR) : NULL;
    enum paced_err err;
    if (why)
        err = paced_error_at_line(PACED_INVALID, source->path, source->value_line,
                                  "base: cannot read %s: %s; the path starts at this INI's directory", base, why);
    else
        err = read_source(source->config, base, source);
    free(base);
    free(dir);
    return err;
}

/* Applies the files of `base` in their order, so that later ones win. */
static enum paced_err load_bases(struct source *source) {
    if (!source->value.size)
        return paced_error_at_line(PACED_INVALID, source->path, source->value_line,
                                   "base: names no file; give one or remove the line");
    char *where = paced_format("%s:%d: base", source->path, source->value_line);
    enum paced_err err = paced_list_check(where, source->value.data);
    const char *rest = source->value.data;
    for (char *name; !err && (name = paced_list_next(&rest)); free(name)) err = load_base(source, name);
    free(where);
    return err;
}

static const char *text_of(const struct source *source) {
    return source->value.size ? source->value.data : "";
}

static enum paced_err set_key(struct source *source) {
    int *seen = &source->key_lines[source->key - paced_config_keys];
    char *place = place_of(source, source->value_line);
    if (*seen)
        paced_log(PACED_LOG_WARN, "%s: %s.%s: already given in line %d; this value replaces it", place,
                  source->key->section, source->key->name, *seen);
    *seen = source->value_line;
    enum paced_err err = paced_config_value_set(source->config, source->key, place, text_of(source));
    free(place);
    return err;
}

static enum paced_err add_stage_line(struct source *source) {
    char *place = place_of(source, source->value_line);
    enum paced_err err = paced_stage_texts_add_line(source->stages, place, source->stage_key, text_of(source));
    free(place);
    return err;
}

static void close_value(struct source *source) {
    if (!source->open || source->err != PACED_OK) return;
    source->open = false;
    bool wanted = source->kind == VALUE_STAGE ? source->stages != NULL : source->config != NULL;
    if (!wanted) return;
    source->err = source->kind == VALUE_KEY    ? set_key(source)
                  : source->kind == VALUE_BASE ? load_bases(source)
                                               : add_stage_line(source);
}

static enum paced_err check_section(struct source *source, const char *section) {
    char *place = place_of(source, source->line);
    source->in_stage = paced_stage_is_header(section);
    enum paced_err err = PACED_OK;
    if (source->in_stage)
        err = paced_stage_check_header(place, section);
    else if (!paced_config_section_known(section))
        err = paced_config_key_unknown(place, section, NULL);
    if (!err && source->in_stage && source->stages) err = paced_stage_texts_open(source->stages, place, section);
    free(place);
    return err;
}

static void open_section(struct source *source, const char *header) {
    size_t length = strcspn(header, "]");
    const char *after = header + length + 1;
    if (header[length] != ']') {
        refuse(source, source->line, "the section has no ']'; write [section]");
        return;
    }
    after += strspn(after, " \t");
    if (*after && !strchr(";#\r", *after)) {
        refuse(source, source->line, "text after the section's ']' would be ignored; put it on a line of its own");
        return;
    }
    char *section = paced_format("%.*s", (int)length, header);
    source->err = check_section(source, section);
    free(section);
    source->in_section = true;
}

/* Line reader for inih, like fgets, but without the newline, which inih would strip anyway. */
static char *read_line(char *line, int size, void *stream) {
    struct source *source = stream;
    if (source->err != PACED_OK || !*source->unread) return NULL;
    size_t length = strcspn(source->unread, "\n");
    ++source->line;
    if (length >= (size_t)size) {
        source->err = paced_error_at_line(PACED_INVALID, source->path, source->line,
                                          "the line is longer than %d bytes; continue it in an indented line (after a "
                                          "backslash, it is joined without a blank)",
                                          size - 1);
        return NULL;
    }
    memcpy(line, source->unread, length);
    line[length] = '\0';
    source->unread += length + (source->unread[length] == '\n');
    source->indented = strspn(line, " \t\r\v\f") > 0;
    const char *begin = line + strspn(line, " \t\r\v\f");
    if (*begin != '[') return line;
    close_value(source);
    if (source->err == PACED_OK && source->indented)
        refuse(source, source->line, "a section must not be indented; remove the blanks before it");
    if (source->err == PACED_OK) open_section(source, begin + 1);
    return source->err == PACED_OK ? line : NULL;
}

/* Refuses an indented "key = value" below another key: it is meant as a key, but inih continues the previous value. */
static enum paced_err refuse_indented_key(struct source *source, const char *section, const char *text) {
    size_t length = strcspn(text, "=:");
    if (!text[length]) return PACED_OK;
    while (length > 0 && strchr(" \t", text[length - 1])) length--;
    char *name = paced_format("%.*s", (int)length, text);
    bool is_key = source->in_stage ? paced_stage_key_known(name) : paced_config_key_find(section, name) != NULL;
    if (is_key)
        source->err =
            paced_error_at_line(PACED_INVALID, source->path, source->line,
                                "%s%s%s: an indented line continues the previous value; remove the blanks before it",
                                source->in_stage ? "" : section, source->in_stage ? "" : ".", name);
    free(name);
    return source->err;
}

/* Adds a line to the value, without a trailing comment, which inih does not remove from continuation lines. */
static void add_part(struct source *source, const char *text) {
    size_t length = 0;
    while (text[length] && !(length > 0 && text[length] == ';' && strchr(" \t", text[length - 1]))) ++length;
    while (length > 0 && strchr(" \t", text[length - 1])) length--;
    paced_text_add(&source->value, "%.*s", (int)length, text);
}

static void continue_value(struct source *source, const char *section, const char *text) {
    struct paced_text *value = &source->value;
    bool joined = value->size && value->data[value->size - 1] == '\\';
    if (joined) {
        value->data[--value->size] = '\0';
    } else {
        if (refuse_indented_key(source, section, text) != PACED_OK) return;
        if (value->size) paced_text_add(value, " ");
    }
    add_part(source, text);
}

static void open_value(struct source *source, enum value_kind kind, const char *text) {
    source->open = true;
    source->kind = kind;
    source->value_line = source->line;
    source->value.size = 0;
    add_part(source, text);
}

static void open_base(struct source *source, const char *text) {
    if (source->base_line) {
        source->err =
            paced_error_at_line(PACED_INVALID, source->path, source->line,
                                "base: already given in line %d; list all files in one line", source->base_line);
        return;
    }
    source->base_line = source->line;
    open_value(source, VALUE_BASE, text);
}

static void open_stage_value(struct source *source, const char *name, const char *text) {
    free(source->stage_key);
    source->stage_key = paced_strdup(name);
    open_value(source, VALUE_STAGE, text);
}

static void key_outside(struct source *source, const char *name) {
    static const char *const only[] = {"base"};
    const char *hint = paced_nearest(name, only, 1) ? "did you mean base?" : "put it under its [section]";
    source->err = paced_error_at_line(PACED_INVALID, source->path, source->line,
                                      "%s: only base may precede the first section; %s", name, hint);
}

/* Handler for inih: a key with its value, or a continuation line. */
static int take_line(void *user, const char *section, const char *name, const char *value) {
    struct source *source = user;
    if (source->err != PACED_OK) return 0;
    if (source->open && source->indented) {
        continue_value(source, section, value);
        return source->err == PACED_OK;
    }
    close_value(source);
    if (source->err != PACED_OK) return 0;
    const struct config_key *key = paced_config_key_find(section, name);
    bool is_base = strcmp(name, "base") == 0;
    if (source->in_stage) {
        open_stage_value(source, name, value);
    } else if (key) {
        source->key = key;
        open_value(source, VALUE_KEY, value);
    } else if (!source->in_section && is_base) {
        open_base(source, value);
    } else if (!source->in_section) {
        key_outside(source, name);
    } else if (is_base) {
        refuse(source, source->line, "base: is inside a section; move it above the first one");
    } else {
        char *place = place_of(source, source->line);
        source->err = paced_config_key_unknown(place, section, name);
        free(place);
    }
    return source->err == PACED_OK;
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
    enum paced_err err = paced_error_at_line(PACED_INVALID, source->heir->path, source->heir->value_line,
                                             "base: circular inheritance: %s; remove one base", way);
    free(way);
    return err;
}

static enum paced_err parse_source(struct source *source, const char *text) {
    source->unread = text;
    int bad_line = ini_parse_stream(read_line, source, take_line, source);
    close_value(source);
    if (source->err == PACED_OK && bad_line != 0)
        refuse(source, bad_line, "neither 'key = value' nor [section]; comments begin with ';'");
    return source->err;
}

static enum paced_err read_file(struct source *source) {
    char *text;
    PACED_TRY(paced_file_read_text(source->path, LARGEST_INI, &text));
    source->key_lines = paced_alloc(paced_config_key_count, sizeof *source->key_lines);
    enum paced_err err = parse_source(source, text);
    free(source->key_lines);
    free(source->stage_key);
    free(source->value.data);
    free(text);
    return err;
}

static enum paced_err read_source(struct paced_config *config, const char *path, const struct source *heir) {
    struct source source = {.config = config, .path = path, .heir = heir};
    if (stat(path, &source.identity) == 0) PACED_TRY(refuse_loop(&source));
    return read_file(&source);
}

enum paced_err paced_config_read(struct paced_config *config, const char *path) {
    return read_source(config, path, NULL);
}

enum paced_err paced_config_read_stages(struct stage_texts *stages, const char *path) {
    struct source source = {.stages = stages, .path = path};
    return read_file(&source);
}
