/* sweep: points from the lines of [sweep], one for each combination of the lines' items.
 *
 *   line = names "=" item {"," item}      item = one value per name, separated by blanks
 * A value may be enclosed in double quotes, which is required if it contains commas or is empty. With a single name, a
 * value may contain blanks. Values are stored in the form of value_add: 0.390 and 0.39 are the same point, in the same
 * directory.
 * Invariant: a point's name depends on its own keys and values only, so it does not change with other points. */
#include "stage.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

enum { MAX_POINTS = 1000, LONGEST_NAME = 200 }; /* file systems allow 255 bytes; temporary names need some of them */

/* ---- keys ---------------------------------------------------------------------------------------------------- */

/* Index among the swept keys, or key_count. */
static size_t find_key(const struct paced_sweep *sweep, const struct config_key *key) {
    size_t i = 0;
    while (i < sweep->key_count && config_key_named(sweep->keys[i]) != key) ++i;
    return i;
}

static enum paced_err check_key(const struct paced_sweep *sweep, const char *place, const char *name) {
    const struct config_key *key = config_key_named(name);
    if (!key && !strchr(name, '.'))
        return paced_error_at(PACED_INVALID, place, "%s: not a key of a sweep; write SECTION.KEY = v1, v2", name);
    if (!key) return config_key_refuse(place, name);
    if (key == config_key_named("run.output") || key == config_key_named("run.name"))
        return paced_error_at(PACED_INVALID, place, "%s: cannot be swept, because each point has its own; remove it",
                              name);
    size_t before = find_key(sweep, key);
    if (before < sweep->key_count)
        return paced_error_at(PACED_INVALID, place, "%s: is already swept at %s; write all its values in one line",
                              name, sweep->places[before]);
    return PACED_OK;
}

/* Adds the keys of one line; *count receives their number. */
static enum paced_err take_keys(struct paced_sweep *sweep, const struct stage_line *line, size_t *count) {
    const char *rest = line->name + strspn(line->name, BLANKS);
    *count = 0;
    do {
        size_t length = strcspn(rest, BLANKS), last = sweep->key_count;
        char *name = paced_format("%.*s", (int)length, rest);
        enum paced_err err = check_key(sweep, line->place, name);
        if (err) {
            free(name);
            return err;
        }
        sweep->keys = paced_grow(sweep->keys, last + 1, sizeof *sweep->keys);
        sweep->places = paced_grow(sweep->places, last + 1, sizeof *sweep->places);
        sweep->keys[last] = name;
        sweep->places[last] = paced_strdup(line->place);
        ++sweep->key_count;
        ++*count;
        rest += length + strspn(rest + length, BLANKS);
    } while (*rest);
    return PACED_OK;
}

/* ---- values -------------------------------------------------------------------------------------------------- */

/* Items of one line, each with one value per key of the line. */
struct items {
    char **values; /* [count][width] */
    size_t count, width;
};

static void finish_items(struct items *items) {
    for (size_t i = 0; i < items->count * items->width; ++i) free(items->values[i]);
    free(items->values);
}

/* Takes one value and advances *rest past it and following blanks. NULL for a missing value or an unclosed quote. */
static char *take_text(const char **rest, bool blanks_end) {
    const char *from = *rest;
    bool quoted = *from == '"';
    size_t length = strcspn(from + quoted, quoted ? "\"" : blanks_end ? "," BLANKS : ",");
    const char *end = from + quoted + length;
    if (quoted ? *end != '"' : length == 0) return NULL;
    *rest = end + quoted + strspn(end + quoted, BLANKS);
    from += quoted;
    while (!quoted && length > 0 && strchr(BLANKS, from[length - 1])) length--;
    return paced_format("%.*s", (int)length, from);
}

/* Takes one value of the key, in canonical form. */
static enum paced_err take_value(const char **rest, const char *name, const struct stage_line *line, size_t width,
                                 char **value) {
    struct paced_config scratch = {0};
    struct paced_text text = {0};
    char *given = take_text(rest, width > 1);
    if (!given)
        return paced_error(PACED_INVALID, "%s: %s: %s", line->place, name,
                           **rest == '"' ? "a quote is not closed; write \"...\""
                           : width > 1   ? "a value is missing; give one for each key, separated by blanks"
                                         : "a value is missing; remove the comma, or write \"\" for an empty value");
    enum paced_err err = config_value_set(&scratch, config_key_named(name), line->place, given);
    if (!err) config_value_add(&text, &scratch, config_key_named(name));
    paced_config_finish(&scratch);
    free(given);
    *value = text.data;
    return err;
}

static enum paced_err check_new(const struct items *items, const struct stage_line *line) {
    char **last = items->values + (items->count - 1) * items->width;
    for (size_t i = 0; i + 1 < items->count; ++i) {
        size_t same = 0;
        while (same < items->width && strcmp(items->values[i * items->width + same], last[same]) == 0) ++same;
        if (same < items->width) continue;
        struct paced_text item = {0};
        for (size_t k = 0; k < items->width; ++k) paced_text_add(&item, "%s%s", k ? " " : "", last[k]);
        enum paced_err err =
            paced_error_at(PACED_INVALID, line->place, "%s: '%s' is given twice; remove one", line->name, item.data);
        free(item.data);
        return err;
    }
    return PACED_OK;
}

/* Takes the items of a line; keys[items->width]. */
static enum paced_err take_items(struct items *items, char *const *keys, const struct stage_line *line) {
    const char *rest = line->text + strspn(line->text, BLANKS);
    bool more = true;
    while (more) {
        items->values = paced_grow(items->values, (items->count + 1) * items->width, sizeof *items->values);
        char **item = items->values + items->count++ * items->width;
        memset(item, 0, items->width * sizeof *item);
        for (size_t k = 0; k < items->width; ++k) PACED_TRY(take_value(&rest, keys[k], line, items->width, &item[k]));
        if (*rest && *rest != ',')
            return paced_error_at(PACED_INVALID, line->place, "%s: '%s': a comma is missing before it", line->name,
                                  rest);
        PACED_TRY(check_new(items, line));
        more = *rest == ',';
        if (more) rest += 1 + strspn(rest + 1, BLANKS);
    }
    return PACED_OK;
}

/* ---- points -------------------------------------------------------------------------------------------------- */

static void finish_points(struct paced_sweep *sweep) {
    for (size_t i = 0; i < sweep->count; ++i) {
        for (char **value = sweep->points[i].values; value && *value; ++value) free(*value);
        free(sweep->points[i].values);
        free(sweep->points[i].name);
    }
    free(sweep->points);
}

/* Combines every point so far with every item. Later lines vary faster. The line's keys are the last ones. */
static enum paced_err multiply(struct paced_sweep *sweep, const struct items *items, const char *place) {
    size_t count = sweep->count * items->count, before = sweep->key_count - items->width;
    if (count > MAX_POINTS)
        return paced_error_at(PACED_INVALID, place, "the sweep has more than %d points; sweep fewer values at once",
                              MAX_POINTS);
    struct paced_point *points = paced_alloc(count, sizeof *points);
    for (size_t i = 0; i < count; ++i) {
        char **old = sweep->points[i / items->count].values, **more = items->values + i % items->count * items->width;
        points[i].values = paced_alloc(sweep->key_count + 1, sizeof *points[i].values);
        for (size_t k = 0; k < before; ++k) points[i].values[k] = paced_strdup(old[k]);
        for (size_t k = 0; k < items->width; ++k) points[i].values[before + k] = paced_strdup(more[k]);
    }
    finish_points(sweep);
    sweep->points = points;
    sweep->count = count;
    return PACED_OK;
}

static enum paced_err take_line(struct paced_sweep *sweep, const struct stage_line *line) {
    struct items items = {0};
    PACED_TRY(take_keys(sweep, line, &items.width));
    enum paced_err err = take_items(&items, sweep->keys + sweep->key_count - items.width, line);
    if (!err) err = multiply(sweep, &items, line->place);
    finish_items(&items);
    return err;
}

/* ---- names --------------------------------------------------------------------------------------------------- */

/* "mu" of "pacing.mu", or the full key if another swept key has the same name. */
static const char *short_key(const struct paced_sweep *sweep, size_t k) {
    const char *name = strchr(sweep->keys[k], '.') + 1;
    for (size_t i = 0; i < sweep->key_count; ++i)
        if (i != k && strcmp(strchr(sweep->keys[i], '.') + 1, name) == 0) return sweep->keys[k];
    return name;
}

/* Sets the name "mu=0.39,mu_update=0.183"; characters unsuitable for file names become '_'. */
static void name_point(const struct paced_sweep *sweep, struct paced_point *point) {
    struct paced_text name = {0};
    for (size_t k = 0; k < sweep->key_count; ++k) {
        paced_text_add(&name, "%s%s=", k ? "," : "", short_key(sweep, k));
        for (const char *c = point->values[k]; *c; ++c)
            paced_text_add(&name, "%c", isalnum((unsigned char)*c) || strchr("+-.()", *c) ? *c : '_');
    }
    point->name = name.data;
}

static enum paced_err name_points(struct paced_sweep *sweep) {
    const char *place = sweep->places[sweep->key_count - 1];
    for (size_t i = 0; i < sweep->count; ++i) {
        name_point(sweep, &sweep->points[i]);
        if (strlen(sweep->points[i].name) > LONGEST_NAME)
            return paced_error_at(PACED_INVALID, place, "%s: is too long for a directory's name; sweep shorter values",
                                  sweep->points[i].name);
        for (size_t j = 0; j < i; ++j)
            if (strcmp(sweep->points[i].name, sweep->points[j].name) == 0)
                return paced_error_at(PACED_INVALID, place,
                                      "two points would share the directory %s; sweep values that differ in more than "
                                      "special characters",
                                      sweep->points[i].name);
    }
    return PACED_OK;
}

enum paced_err sweep_read(struct paced_sweep *sweep, const struct stage_text *lines) {
    *sweep = (struct paced_sweep){0};
    if (lines->count == 0) return PACED_OK;
    sweep->points = paced_alloc(1, sizeof *sweep->points); /* the empty point */
    sweep->count = 1;
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < lines->count; ++i) err = take_line(sweep, &lines->lines[i]);
    if (!err) err = name_points(sweep);
    if (err) sweep_finish(sweep);
    return err;
}

void sweep_finish(struct paced_sweep *sweep) {
    finish_points(sweep);
    for (size_t k = 0; k < sweep->key_count; ++k) {
        free(sweep->keys[k]);
        free(sweep->places[k]);
    }
    free(sweep->keys);
    free(sweep->places);
    *sweep = (struct paced_sweep){0};
}
