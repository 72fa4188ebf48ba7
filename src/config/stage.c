/* stage: the sections [stage NAME] and [sweep] of an INI as uninterpreted lines. */
#include "sweep.h"

#include <stdlib.h>
#include <string.h>

/* inih keeps 49 bytes of a section's name. */
#define LONGEST_SECTION 49
#define PREFIX "stage"

static const char *const own_keys[] = {"command", "config", "sweep"};

bool paced_stage_is_header(const char *section) {
    if (paced_sweep_is_header(section)) return true;
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

enum paced_err paced_stage_check_header(const char *place, const char *section) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (paced_sweep_is_header(section)) return PACED_OK;
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

const struct config_key *paced_stage_key_find(const char *name) {
    const char *dot = strchr(name, '.');
    if (!dot) return NULL;
    char *section = paced_format("%.*s", (int)(dot - name), name);
    const struct config_key *key = paced_config_key_find(section, dot + 1);
    free(section);
    return key;
}

bool paced_stage_key_is_own(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(own_keys); ++i)
        if (strcmp(own_keys[i], name) == 0) return true;
    return false;
}

bool paced_stage_key_known(const char *name) {
    return paced_stage_key_is_own(name) || paced_stage_key_find(name);
}

enum paced_err paced_stage_key_refuse(const char *place, const char *name) {
    const char *dot = strchr(name, '.');
    char *section = paced_format("%.*s", (int)(dot - name), name);
    enum paced_err err = paced_config_key_unknown(place, section, dot + 1);
    free(section);
    return err;
}

static enum paced_err refuse_line(const char *place, const char *name) {
    if (strchr(name, '.')) return paced_stage_key_refuse(place, name);
    const char *near = paced_nearest(name, own_keys, PACED_COUNT(own_keys));
    if (near) return paced_error_at(PACED_INVALID, place, "%s: not a key of a stage; did you mean %s?", name, near);
    return paced_error_at(PACED_INVALID, place, "%s: not a key of a stage; valid: command, config, sweep, SECTION.KEY",
                          name);
}

enum paced_err paced_stage_texts_open(struct stage_texts *stages, const char *place, const char *section) {
    stages->in_sweep = paced_sweep_is_header(section);
    if (stages->in_sweep) return PACED_OK;
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

const struct stage_line *paced_stage_find_line(const struct stage_text *stage, const char *name) {
    for (size_t i = stage->count; i-- > 0;)
        if (strcmp(stage->lines[i].name, name) == 0) return &stage->lines[i];
    return NULL;
}

static void add_line(struct stage_text *stage, const char *place, const char *name, const char *text) {
    stage->lines = paced_grow(stage->lines, stage->count + 1, sizeof *stage->lines);
    stage->lines[stage->count++] = (struct stage_line){paced_strdup(name), paced_strdup(text), paced_strdup(place)};
}

enum paced_err paced_stage_texts_add_line(struct stage_texts *stages, const char *place, const char *name,
                                          const char *text) {
    if (stages->in_sweep) {
        add_line(&stages->sweep, place, name, text); /* checked by paced_sweep_read */
        return PACED_OK;
    }
    struct stage_text *stage = &stages->list[stages->count - 1];
    if (!paced_stage_key_known(name)) return refuse_line(place, name);
    if (strcmp(name, "sweep") == 0) {
        stage->once = strcmp(text, "no") == 0;
        if (!stage->once && strcmp(text, "yes") != 0)
            return paced_error_at(PACED_INVALID, place, "sweep: '%s' is neither yes nor no; give yes or no", text);
    }
    const struct stage_line *before = paced_stage_find_line(stage, name);
    if (before)
        paced_log(PACED_LOG_WARN, "%s: %s: already given at %s; this value replaces it", place, name, before->place);
    add_line(stage, place, name, text);
    return PACED_OK;
}

void paced_stage_line_finish(struct stage_line *line) {
    free(line->name);
    free(line->text);
    free(line->place);
}

static void finish_text(struct stage_text *stage) {
    for (size_t i = 0; i < stage->count; ++i) paced_stage_line_finish(&stage->lines[i]);
    free(stage->lines);
    free(stage->name);
    free(stage->place);
}

void paced_stage_texts_finish(struct stage_texts *stages) {
    for (size_t i = 0; i < stages->count; ++i) finish_text(&stages->list[i]);
    free(stages->list);
    finish_text(&stages->sweep);
}

void paced_stage_texts_add_plain(struct stage_texts *texts) {
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
