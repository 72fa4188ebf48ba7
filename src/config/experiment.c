/* experiment: one resolved configuration per stage and point, from the stages and the sweep of an INI.
 *
 * All configurations are resolved before any stage runs, so that errors appear early. %(NAME) becomes the absolute run
 * directory of an earlier stage of the same point; it must be earlier because only resolved stages have a directory.
 * Invariant: a stage's configuration depends on files, --set, its point and earlier stages' run directories only. */
#include "stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one stage ----------------------------------------------------------------------------------------------- */

/* Index of the resolved stage of this point or of no point with this label; experiment->count if there is none. */
static size_t find_stage(const struct paced_experiment *experiment, size_t point, const char *label, size_t length) {
    size_t i = 0;
    for (; i < experiment->count; ++i) {
        const struct paced_stage *stage = &experiment->stages[i];
        bool seen = stage->point == point || stage->point == PACED_NO_POINT;
        if (seen && strlen(stage->label) == length && strncmp(stage->label, label, length) == 0) break;
    }
    return i;
}

/* Replaces each %(NAME) in `from`, the line's text or a part of it. Marks used stages in `uses`. Release *out with
 * free(); NULL on an error. */
static enum paced_err expand(const struct paced_experiment *experiment, size_t point, const struct stage_line *line,
                             const char *from, bool *uses, char **out) {
    struct paced_text text = {0};
    *out = NULL;
    for (const char *mark; (mark = strstr(from, "%("));) {
        const char *name = mark + 2;
        size_t length = strcspn(name, ")"), found = find_stage(experiment, point, name, length);
        if (!name[length] || found == experiment->count) {
            free(text.data);
            return paced_error_at(PACED_INVALID, line->place, "%s: %%(%.*s): %s", line->name, (int)length, name,
                                  name[length] ? "is not an earlier stage; name one, or move it above this one"
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

/* The same for a list, item by item, because a point's directory may contain commas. */
static enum paced_err expand_list(const struct paced_experiment *experiment, size_t point,
                                  const struct stage_line *line, bool *uses, char **out) {
    struct paced_text list = {0};
    const char *rest = line->text;
    char *where = paced_format("%s: %s", line->place, line->name);
    enum paced_err err = paced_list_check(where, line->text);
    free(where);
    for (char *item, *expanded; !err && (item = paced_list_next(&rest)); free(item)) {
        err = expand(experiment, point, line, item, uses, &expanded);
        if (!err) paced_list_add(&list, expanded);
        free(expanded);
    }
    if (err) free(list.data);
    *out = err ? NULL : list.data ? list.data : paced_strdup("");
    return err;
}

/* Path of the stage's configuration file. */
static enum paced_err find_source(const struct paced_experiment *experiment, size_t point,
                                  const struct stage_line *line, bool *uses, char **path) {
    PACED_TRY(expand(experiment, point, line, line->text, uses, path));
    const char *why = access(*path, R_OK) != 0 ? strerror(errno) : paced_path_is_dir(*path) ? strerror(EISDIR) : NULL;
    if (!why) return PACED_OK;
    paced_error_at(PACED_INVALID, line->place, "config: cannot read '%s': %s; the path starts at the current directory",
                   *path, why);
    free(*path);
    *path = NULL;
    return PACED_INVALID;
}

/* "POINT/LABEL", or the label if there is no point. */
static char *name_stage(const struct paced_experiment *experiment, size_t point, const char *label) {
    return paced_path_join(point == PACED_NO_POINT ? "" : experiment->sweep.points[point].name, label);
}

static char *place_stage(const struct paced_experiment *experiment, size_t point, const char *name) {
    return paced_path_join(experiment->config.run.output,
                           experiment->plain ? experiment->sweep.points[point].name : name);
}

/* Adds the settings of a stage; later ones win: name and directory of the stage, values of its point, its own lines. If
 * the configuration comes from another file, name and directory apply only where that file leaves them empty. */
static enum paced_err add_settings(const struct paced_experiment *experiment, size_t point,
                                   const struct stage_text *text, bool *uses, struct config_setting *settings,
                                   size_t *count) {
    const struct paced_sweep *sweep = &experiment->sweep;
    bool other_file = stage_find_line(text, "config") != NULL;
    char *name = name_stage(experiment, point, text->name);
    settings[(*count)++] = (struct config_setting){config_key_named("run.name"), text->place, name, other_file};
    settings[(*count)++] = (struct config_setting){config_key_named("run.output"), text->place,
                                                   place_stage(experiment, point, name), other_file};
    for (size_t k = 0; point != PACED_NO_POINT && k < sweep->key_count; ++k)
        settings[(*count)++] = (struct config_setting){config_key_named(sweep->keys[k]), sweep->places[k],
                                                       paced_strdup(sweep->points[point].values[k]), false};
    for (size_t i = 0; i < text->count; ++i) {
        const struct stage_line *line = &text->lines[i];
        if (stage_key_is_own(line->name)) continue;
        const struct config_key *key = config_key_named(line->name);
        char *value;
        PACED_TRY(key->list ? expand_list(experiment, point, line, uses, &value)
                            : expand(experiment, point, line, line->text, uses, &value));
        settings[(*count)++] = (struct config_setting){key, line->place, value, false};
    }
    return PACED_OK;
}

static enum paced_err resolve_stage(struct paced_experiment *experiment, size_t point, const struct stage_text *text,
                                    const char *const *sets, size_t set_count) {
    size_t count = 0;
    const struct stage_line *command = stage_find_line(text, "command"), *source = stage_find_line(text, "config");
    if (!command || !*command->text)
        return paced_error_at(PACED_INVALID, text->place,
                              "[stage %s]: has no command; write command = train, for example", text->name);
    struct paced_config config;
    bool *uses = paced_alloc(experiment->count + 1, sizeof *uses);
    struct config_setting *settings = paced_alloc(2 + experiment->sweep.key_count + text->count, sizeof *settings);
    char *path = paced_strdup(experiment->config.file);
    enum paced_err err = PACED_OK;
    if (source) {
        free(path);
        err = find_source(experiment, point, source, uses, &path);
    }
    if (!err) err = add_settings(experiment, point, text, uses, settings, &count);
    if (!err) err = config_load_with(&config, path, settings, count, sets, set_count);
    for (size_t i = 0; i < count; ++i) free(settings[i].text);
    free(settings);
    free(path);
    if (err) {
        free(uses);
        return err;
    }
    experiment->stages[experiment->count++] = (struct paced_stage){.name = name_stage(experiment, point, text->name),
                                                                   .label = paced_strdup(text->name),
                                                                   .point = point,
                                                                   .command = paced_strdup(command->text),
                                                                   .place = paced_strdup(text->place),
                                                                   .command_place = paced_strdup(command->place),
                                                                   .config = config,
                                                                   .uses = uses};
    return PACED_OK;
}

/* Resolves the stages of no point first, then those of each point. */
static enum paced_err resolve_stages(struct paced_experiment *experiment, const struct stage_texts *texts,
                                     const char *const *sets, size_t set_count) {
    size_t points = experiment->sweep.count;
    experiment->stages = paced_alloc((points + 1) * texts->count, sizeof *experiment->stages);
    for (size_t i = 0; i < texts->count; ++i)
        if (texts->list[i].once || points == 0)
            PACED_TRY(resolve_stage(experiment, PACED_NO_POINT, &texts->list[i], sets, set_count));
    for (size_t point = 0; point < points; ++point)
        for (size_t i = 0; i < texts->count; ++i)
            if (!texts->list[i].once) PACED_TRY(resolve_stage(experiment, point, &texts->list[i], sets, set_count));
    return PACED_OK;
}

/* ---- the experiment ------------------------------------------------------------------------------------------ */

/* Checks that each swept key takes effect: no --set overrides it, and not every stage sets it. */
static enum paced_err check_sweep(const struct paced_sweep *sweep, const struct stage_texts *texts,
                                  const char *const *sets, size_t set_count) {
    for (size_t k = 0; k < sweep->key_count; ++k) {
        const char *name = sweep->keys[k], *place = sweep->places[k];
        for (size_t i = 0; i < set_count; ++i)
            if (config_set_key(sets[i]) == config_key_named(name))
                return paced_error(PACED_INVALID, "--set %s: %s is swept at %s; write --set sweep.%s=VALUES", sets[i],
                                   name, place, name);
        size_t own = 0;
        while (own < texts->count && (texts->list[own].once || stage_find_line(&texts->list[own], name))) ++own;
        if (own == texts->count)
            return paced_error_at(PACED_INVALID, place,
                                  "%s: is swept, but every stage sets it or has sweep = no; remove it here or there",
                                  name);
    }
    return PACED_OK;
}

/* Selects the sets for the experiment itself (all but those of the sweep), and those for its stages (also without
 * run.name and run.output, which apply to the experiment only). */
static void select_sets(const char *const *sets, size_t count, const char **own, size_t *own_count,
                        const char **for_stages, size_t *stages_count) {
    const struct config_key *name = config_key_named("run.name"), *output = config_key_named("run.output");
    for (size_t i = 0; i < count; ++i) {
        const struct config_key *key = config_set_key(sets[i]);
        if (sweep_is_set(sets[i])) continue;
        own[(*own_count)++] = sets[i];
        if (key != name && key != output) for_stages[(*stages_count)++] = sets[i];
    }
}

/* Reads the stages and the sweep of the file and the sets. */
static enum paced_err read_texts(struct stage_texts *texts, const char *path, const char *const *sets, size_t count) {
    enum paced_err err = stage_texts_read(texts, path);
    for (size_t i = 0; !err && i < count; ++i)
        if (sweep_is_set(sets[i])) err = sweep_apply_set(&texts->sweep, sets[i]);
    return err;
}

static enum paced_err load(struct paced_experiment *experiment, struct stage_texts *texts, const char *path,
                           const char *const *sets, size_t set_count) {
    const char **own = paced_alloc(2 * set_count + 1, sizeof *own), **for_stages = own + set_count;
    size_t own_count = 0, stages_count = 0;
    select_sets(sets, set_count, own, &own_count, for_stages, &stages_count);
    enum paced_err err = paced_config_load(&experiment->config, path, own, own_count);
    if (!err) err = read_texts(texts, path, sets, set_count);
    if (!err) err = sweep_read(&experiment->sweep, &texts->sweep);
    if (!err && texts->count == 0 && experiment->sweep.count == 0)
        err =
            paced_error_at(PACED_INVALID, path, "has no stages; write [stage NAME] with command = train, for example");
    experiment->plain = texts->count == 0;
    if (!err && experiment->plain) stage_texts_add_plain(texts);
    if (!err) err = check_sweep(&experiment->sweep, texts, own, own_count);
    if (!err) err = resolve_stages(experiment, texts, for_stages, stages_count);
    free(own);
    return err;
}

enum paced_err paced_experiment_load(struct paced_experiment *experiment, const char *path, const char *const *sets,
                                     size_t set_count) {
    struct stage_texts texts = {0};
    *experiment = (struct paced_experiment){0};
    enum paced_err err = load(experiment, &texts, path, sets, set_count);
    stage_texts_finish(&texts);
    if (err) paced_experiment_finish(experiment);
    return err;
}

enum paced_err paced_experiment_sweeps(const char *path, const char *const *sets, size_t set_count, bool *sweeps) {
    struct stage_texts texts = {0};
    enum paced_err err = read_texts(&texts, path, sets, set_count);
    *sweeps = texts.sweep.count > 0;
    stage_texts_finish(&texts);
    return err;
}

void paced_experiment_finish(struct paced_experiment *experiment) {
    if (!experiment) return;
    for (size_t i = 0; i < experiment->count; ++i) {
        struct paced_stage *stage = &experiment->stages[i];
        free(stage->name);
        free(stage->label);
        free(stage->command);
        free(stage->place);
        free(stage->command_place);
        free(stage->uses);
        paced_config_finish(&stage->config);
    }
    free(experiment->stages);
    sweep_finish(&experiment->sweep);
    paced_config_finish(&experiment->config);
    *experiment = (struct paced_experiment){0};
}
