/* stage: from the sections [stage NAME] of an INI to one resolved configuration per stage.
 *
 * All stages are resolved before any runs, so that a mistake in the last one costs no hours. %(NAME) becomes the
 * absolute run directory of an earlier stage, which is known as soon as that one is resolved: hence "earlier".
 * Law: a stage's configuration depends on files and on earlier stages' run directories, on nothing else. */
#include "stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* inih keeps 49 bytes of a section's name. */
#define LONGEST_SECTION 49
#define PREFIX "stage"

static const char *const own_keys[] = {"command", "config"};

/* ---- collecting ---------------------------------------------------------------------------------------------- */

bool paced_stage_is_header(const char *section) {
    size_t length = strlen(PREFIX);
    return strncmp(section, PREFIX, length) == 0 && (!section[length] || strchr(" \t", section[length]));
}

/* Where the name begins, and its length without the blanks around it. */
static const char *name_of(const char *section, size_t *length) {
    const char *name = section + strlen(PREFIX);
    name += strspn(name, " \t");
    *length = strlen(name);
    while (*length > 0 && strchr(" \t", name[*length - 1])) --*length;
    return name;
}

enum paced_err paced_stage_check_header(const char *place, const char *section) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length;
    const char *name = name_of(section, &length);
    if (strlen(section) > LONGEST_SECTION)
        return paced_error(PACED_INVALID, "%s: [%s]: a section's name may have %d bytes; choose a shorter name", place,
                           section, LONGEST_SECTION);
    if (length == 0) return paced_error(PACED_INVALID, "%s: [stage]: has no name; write [stage NAME]", place);
    if (strspn(name, allowed) < length || *name == '.')
        return paced_error(PACED_INVALID,
                           "%s: [%s]: the name is used for files; write letters, digits, '-', '_' and '.' (not first)",
                           place, section);
    return PACED_OK;
}

static const struct config_key *key_of(const char *name) {
    const char *dot = strchr(name, '.');
    if (!dot) return NULL;
    char *section = paced_format("%.*s", (int)(dot - name), name);
    const struct config_key *key = paced_config_key_find(section, dot + 1);
    free(section);
    return key;
}

static bool is_own_key(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(own_keys); i++)
        if (strcmp(own_keys[i], name) == 0) return true;
    return false;
}

bool paced_stage_key_known(const char *name) {
    return is_own_key(name) || key_of(name);
}

static enum paced_err refuse_key(const char *place, const char *name) {
    const char *dot = strchr(name, '.');
    if (!dot) {
        const char *near = paced_nearest(name, own_keys, PACED_COUNT(own_keys));
        if (near) return paced_error(PACED_INVALID, "%s: %s: no key of a stage; did you mean %s?", place, name, near);
        return paced_error(PACED_INVALID, "%s: %s: no key of a stage; it takes command, config, and SECTION.KEY", place,
                           name);
    }
    char *section = paced_format("%.*s", (int)(dot - name), name);
    enum paced_err err = paced_config_key_unknown(place, section, dot + 1);
    free(section);
    return err;
}

enum paced_err paced_stage_texts_open(struct stage_texts *stages, const char *place, const char *section) {
    size_t length;
    const char *from = name_of(section, &length);
    char *name = paced_format("%.*s", (int)length, from);
    for (size_t i = 0; i < stages->count; i++) {
        if (strcmp(stages->list[i].name, name) != 0) continue;
        paced_error(PACED_INVALID, "%s: [stage %s]: the stage is there already, at %s; choose another name", place,
                    name, stages->list[i].place);
        free(name);
        return PACED_INVALID;
    }
    stages->list = paced_grow(stages->list, stages->count + 1, sizeof *stages->list);
    stages->list[stages->count++] = (struct stage_text){.name = name, .place = paced_strdup(place)};
    return PACED_OK;
}

static const struct stage_line *find_line(const struct stage_text *stage, const char *name) {
    for (size_t i = stage->count; i-- > 0;)
        if (strcmp(stage->lines[i].name, name) == 0) return &stage->lines[i];
    return NULL;
}

enum paced_err paced_stage_texts_add_line(struct stage_texts *stages, const char *place, const char *name,
                                          const char *text) {
    struct stage_text *stage = &stages->list[stages->count - 1];
    if (!paced_stage_key_known(name)) return refuse_key(place, name);
    const struct stage_line *before = find_line(stage, name);
    if (before) paced_log(PACED_LOG_WARN, "%s: %s: already given at %s; this one counts", place, name, before->place);
    stage->lines = paced_grow(stage->lines, stage->count + 1, sizeof *stage->lines);
    stage->lines[stage->count++] = (struct stage_line){paced_strdup(name), paced_strdup(text), paced_strdup(place)};
    return PACED_OK;
}

static void finish_texts(struct stage_texts *stages) {
    for (size_t i = 0; i < stages->count; i++) {
        struct stage_text *stage = &stages->list[i];
        for (size_t j = 0; j < stage->count; j++) {
            free(stage->lines[j].name);
            free(stage->lines[j].text);
            free(stage->lines[j].place);
        }
        free(stage->lines);
        free(stage->name);
        free(stage->place);
    }
    free(stages->list);
}

/* ---- resolving ----------------------------------------------------------------------------------------------- */

/* The index among the first `count` stages, or `count`. */
static size_t find_stage(const struct paced_experiment *experiment, size_t count, const char *name, size_t length) {
    size_t i = 0;
    while (i < count &&
           (strlen(experiment->stages[i].name) != length || strncmp(experiment->stages[i].name, name, length) != 0))
        i++;
    return i;
}

/* The line's text with each %(NAME) replaced, for stage number `index`; *out is to be freed, NULL on an error. */
static enum paced_err expand(const struct paced_experiment *experiment, size_t index, const struct stage_line *line,
                             bool *uses, char **out) {
    struct paced_text text = {0};
    const char *from = line->text, *mark;
    *out = NULL;
    while ((mark = strstr(from, "%("))) {
        const char *name = mark + 2;
        size_t length = strcspn(name, ")"), found = find_stage(experiment, index, name, length);
        if (!name[length] || found == index) {
            free(text.data);
            return paced_error(PACED_INVALID, "%s: %s: %%(%.*s): %s", line->place, line->name, (int)length, name,
                               name[length] ? "is no earlier stage; name one, or move it above this one"
                                            : "has no ')'; write %(NAME) with the name of an earlier stage");
        }
        uses[found] = true;
        paced_text_add(&text, "%.*s%s", (int)(mark - from), from, experiment->stages[found].config.run.output);
        from = name + length + 1;
    }
    paced_text_add(&text, "%s", from);
    *out = text.data;
    return PACED_OK;
}

/* The file that the stage's configuration comes from. */
static enum paced_err find_source(const struct paced_experiment *experiment, size_t index,
                                  const struct stage_line *line, bool *uses, char **path) {
    PACED_TRY(expand(experiment, index, line, uses, path));
    const char *why = access(*path, R_OK) != 0 ? strerror(errno) : paced_path_is_dir(*path) ? strerror(EISDIR) : NULL;
    if (!why) return PACED_OK;
    paced_error(PACED_INVALID, "%s: config: cannot read '%s': %s; the path starts at the current directory",
                line->place, *path, why);
    free(*path);
    *path = NULL;
    return PACED_INVALID;
}

/* The stage's own name and directory first, so that its lines win over them. Where the configuration is another file's
 * they only stand in for what that file leaves open; the experiment's own are the whole experiment's. */
static enum paced_err add_settings(const struct paced_experiment *experiment, size_t index,
                                   const struct stage_text *text, bool *uses, struct config_setting *settings,
                                   size_t *count) {
    bool other_file = find_line(text, "config") != NULL;
    settings[(*count)++] = (struct config_setting){paced_config_key_find("run", "name"), text->place,
                                                   paced_strdup(text->name), other_file};
    settings[(*count)++] =
        (struct config_setting){paced_config_key_find("run", "output"), text->place,
                                paced_path_join(experiment->config.run.output, text->name), other_file};
    for (size_t i = 0; i < text->count; i++) {
        const struct stage_line *line = &text->lines[i];
        if (is_own_key(line->name)) continue;
        char *value;
        PACED_TRY(expand(experiment, index, line, uses, &value));
        settings[(*count)++] = (struct config_setting){key_of(line->name), line->place, value, false};
    }
    return PACED_OK;
}

/* Those --set that are for stages, too: not run.name and run.output, which are the whole experiment's. */
static size_t select_sets(const char *const *sets, size_t count, const char **selected) {
    const struct config_key *name = paced_config_key_find("run", "name"),
                            *output = paced_config_key_find("run", "output");
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = paced_config_set_key(sets[i]);
        if (key != name && key != output) selected[kept++] = sets[i];
    }
    return kept;
}

static enum paced_err resolve_stage(struct paced_experiment *experiment, const struct stage_text *text,
                                    const char *const *sets, size_t set_count) {
    size_t index = experiment->count, count = 0;
    struct paced_stage *stage = &experiment->stages[index];
    const struct stage_line *command = find_line(text, "command"), *source = find_line(text, "config");
    if (!command || !*command->text)
        return paced_error(PACED_INVALID, "%s: [stage %s]: has no command; write command = train, for example",
                           text->place, text->name);
    struct paced_config config;
    bool *uses = paced_alloc(index + 1, sizeof *uses);
    struct config_setting *settings = paced_alloc(2 + text->count, sizeof *settings);
    char *path = paced_strdup(experiment->config.file);
    enum paced_err err = PACED_OK;
    if (source) {
        free(path);
        err = find_source(experiment, index, source, uses, &path);
    }
    if (!err) err = add_settings(experiment, index, text, uses, settings, &count);
    if (!err) err = paced_config_load_with(&config, path, settings, count, sets, set_count);
    for (size_t i = 0; i < count; i++) free(settings[i].text);
    free(settings);
    free(path);
    if (err) {
        free(uses);
        return err;
    }
    *stage = (struct paced_stage){.name = paced_strdup(text->name),
                                  .command = paced_strdup(command->text),
                                  .place = paced_strdup(text->place),
                                  .command_place = paced_strdup(command->place),
                                  .config = config,
                                  .uses = uses};
    experiment->count++;
    return PACED_OK;
}

enum paced_err paced_experiment_load(struct paced_experiment *experiment, const char *path, const char *const *sets,
                                     size_t set_count) {
    struct stage_texts texts = {0};
    *experiment = (struct paced_experiment){0};
    PACED_TRY(paced_config_load(&experiment->config, path, sets, set_count));
    const char **selected = paced_alloc(set_count + 1, sizeof *selected);
    size_t selected_count = select_sets(sets, set_count, selected);
    enum paced_err err = paced_config_read_stages(&texts, path);
    if (!err && texts.count == 0)
        err =
            paced_error(PACED_INVALID, "%s: has no stages; write [stage NAME] with command = train, for example", path);
    experiment->stages = paced_alloc(texts.count + 1, sizeof *experiment->stages);
    for (size_t i = 0; !err && i < texts.count; i++)
        err = resolve_stage(experiment, &texts.list[i], selected, selected_count);
    finish_texts(&texts);
    free(selected);
    if (err) paced_experiment_finish(experiment);
    return err;
}

void paced_experiment_finish(struct paced_experiment *experiment) {
    if (!experiment) return;
    for (size_t i = 0; i < experiment->count; i++) {
        struct paced_stage *stage = &experiment->stages[i];
        free(stage->name);
        free(stage->command);
        free(stage->place);
        free(stage->command_place);
        free(stage->uses);
        paced_config_finish(&stage->config);
    }
    free(experiment->stages);
    paced_config_finish(&experiment->config);
    *experiment = (struct paced_experiment){0};
}
