/* stage: the sections [stage NAME] and [sweep] of an INI as uninterpreted lines. */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

/* inih keeps 49 bytes of a section's name. */
#define LONGEST_SECTION 49
#define PREFIX "stage"
#define SWEEP "sweep"
#define BLANKS " \t"

static const char *const own_keys[] = {"command", "config", "sweep"};

static bool is_sweep(const char *section) {
    size_t length = strlen(SWEEP);
    return strncmp(section, SWEEP, length) == 0 && section[length + strspn(section + length, BLANKS)] == '\0';
}

bool stage_is_header(const char *section) {
    if (is_sweep(section)) return true;
    size_t length = strlen(PREFIX);
    return strncmp(section, PREFIX, length) == 0 && (!section[length] || strchr(" \t", section[length]));
}

/* Start of the name; *length excludes surrounding blanks. */
static const char *name_of(const char *section, size_t *length) {
    const char *name = section + strlen(PREFIX);
    name += strspn(name, " \t");
    *length = strlen(name);
    while (*length > 0 && strchr(" \t", name[*length - 1])) --*length;
    return name;
}

enum paced_err stage_check_header(const char *place, const char *section) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (is_sweep(section)) return PACED_OK;
    size_t length;
    const char *name = name_of(section, &length);
    if (strlen(section) > LONGEST_SECTION)
        return paced_error_at(PACED_INVALID, place,
                              "[%s]: a section's name may have at most %d bytes; choose a shorter name", section,
                              LONGEST_SECTION);
    if (length == 0) return paced_error_at(PACED_INVALID, place, "[stage]: has no name; write [stage NAME]");
    if (strspn(name, allowed) < length || *name == '.')
        return paced_error_at(PACED_INVALID, place,
                              "[%s]: the name is used for files; use letters, digits, '-', '_' and '.' (not first)",
                              section);
    return PACED_OK;
}

bool stage_key_is_own(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(own_keys); ++i)
        if (strcmp(own_keys[i], name) == 0) return true;
    return false;
}

bool stage_key_known(const char *name) {
    return stage_key_is_own(name) || config_key_named(name);
}

static enum paced_err refuse_line(const char *place, const char *name) {
    if (strchr(name, '.')) return config_key_refuse(place, name);
    const char *near = paced_nearest(name, own_keys, PACED_COUNT(own_keys));
    if (near) return paced_error_at(PACED_INVALID, place, "%s: not a key of a stage; did you mean %s?", name, near);
    return paced_error_at(PACED_INVALID, place, "%s: not a key of a stage; valid: command, config, sweep, SECTION.KEY",
                          name);
}

/* Opens a new stage or the sweep. */
static enum paced_err take_section(void *context, const struct paced_ini_entry *entry) {
    struct stage_texts *stages = context;
    const char *section = entry->section, *place = entry->place;
    if (!stage_is_header(section)) return PACED_OK;
    PACED_TRY(stage_check_header(place, section));
    if (is_sweep(section)) return PACED_OK;
    size_t length;
    const char *from = name_of(section, &length);
    char *name = paced_format("%.*s", (int)length, from);
    for (size_t i = 0; i < stages->count; ++i) {
        if (strcmp(stages->list[i].name, name) != 0) continue;
        paced_error_at(PACED_INVALID, place, "[stage %s]: the stage is already defined at %s; choose another name",
                       name, stages->list[i].place);
        free(name);
        return PACED_INVALID;
    }
    stages->list = paced_grow(stages->list, stages->count + 1, sizeof *stages->list);
    stages->list[stages->count++] = (struct stage_text){.name = name, .place = paced_strdup(place)};
    return PACED_OK;
}

const struct stage_line *stage_find_line(const struct stage_text *stage, const char *name) {
    for (size_t i = stage->count; i-- > 0;)
        if (strcmp(stage->lines[i].name, name) == 0) return &stage->lines[i];
    return NULL;
}

static void add_line(struct stage_text *stage, const char *place, const char *name, const char *text) {
    stage->lines = paced_grow(stage->lines, stage->count + 1, sizeof *stage->lines);
    stage->lines[stage->count++] = (struct stage_line){paced_strdup(name), paced_strdup(text), paced_strdup(place)};
}

/* Adds a line to the sweep or the last stage. */
static enum paced_err take_value(void *context, const struct paced_ini_entry *entry) {
    struct stage_texts *stages = context;
    const char *place = entry->place, *name = entry->name, *text = entry->text;
    if (!stage_is_header(entry->section)) return PACED_OK;
    if (is_sweep(entry->section)) {
        add_line(&stages->sweep, place, name, text); /* checked by sweep_read */
        return PACED_OK;
    }
    struct stage_text *stage = &stages->list[stages->count - 1];
    if (!stage_key_known(name)) return refuse_line(place, name);
    if (strcmp(name, "sweep") == 0) {
        stage->once = strcmp(text, "no") == 0;
        if (!stage->once && strcmp(text, "yes") != 0)
            return paced_error_at(PACED_INVALID, place, "sweep: '%s' is neither yes nor no; give yes or no", text);
    }
    const struct stage_line *before = stage_find_line(stage, name);
    if (before)
        paced_log(PACED_LOG_WARN, "%s: %s: already given at %s; this value replaces it", place, name, before->place);
    add_line(stage, place, name, text);
    return PACED_OK;
}

enum paced_err stage_texts_read(struct stage_texts *stages, const char *path) {
    return paced_ini_read(path, &(struct paced_ini){take_section, take_value, NULL, stages});
}

/* ---- --set of a sweep ---------------------------------------------------------------------------------------- */

bool sweep_is_set(const char *set) {
    return strncmp(set + strspn(set, BLANKS), SWEEP ".", strlen(SWEEP ".")) == 0;
}

static void finish_line(struct stage_line *line) {
    free(line->name);
    free(line->text);
    free(line->place);
}

enum paced_err sweep_apply_set(struct stage_text *lines, const char *set) {
    const char *from = set + strspn(set, BLANKS) + strlen(SWEEP "."), *equals = strchr(from, '=');
    if (!equals || equals == from || strpbrk(set, "\r\n"))
        return paced_error(PACED_INVALID,
                           "--set %.*s: not sweep.SECTION.KEY=VALUES; write for example --set sweep.run.seed=1,2",
                           (int)strcspn(set, "\r\n"), set);
    size_t length = (size_t)(equals - from), i = 0;
    while (length > 0 && strchr(BLANKS, from[length - 1])) length--;
    const struct stage_line line = {paced_format("%.*s", (int)length, from), paced_strdup(equals + 1),
                                    paced_format("--set %s", set)};
    while (i < lines->count && strcmp(lines->lines[i].name, line.name) != 0) ++i;
    if (i == lines->count)
        lines->lines = paced_grow(lines->lines, ++lines->count, sizeof *lines->lines);
    else
        finish_line(&lines->lines[i]);
    lines->lines[i] = line;
    return PACED_OK;
}

/* ---- all stages ---------------------------------------------------------------------------------------------- */

void stage_texts_add_plain(struct stage_texts *texts) {
    const char *place = texts->sweep.lines[0].place;
    static const char *const names[] = {"train", "test"};
    texts->list = paced_alloc(PACED_COUNT(names), sizeof *texts->list);
    for (; texts->count < PACED_COUNT(names); ++texts->count) {
        struct stage_text *stage = &texts->list[texts->count];
        *stage = (struct stage_text){.name = paced_strdup(names[texts->count]), .place = paced_strdup(place)};
        add_line(stage, place, "command", stage->name);
    }
    add_line(&texts->list[1], place, "test.weights", "%(train)/best.safetensors");
}

static void finish_text(struct stage_text *stage) {
    for (size_t i = 0; i < stage->count; ++i) finish_line(&stage->lines[i]);
    free(stage->lines);
    free(stage->name);
    free(stage->place);
}

void stage_texts_finish(struct stage_texts *stages) {
    for (size_t i = 0; i < stages->count; ++i) finish_text(&stages->list[i]);
    free(stages->list);
    finish_text(&stages->sweep);
}
