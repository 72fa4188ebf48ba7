/* Label table: a JSON list of
 *
 *   {"name": "instrument-shaft", "color": [0, 255, 0], "classid": 1}
 *
 * with the classes 0, 1, 2, ... in any order. Several colours may share a class; the first entry names it. An entry
 * named "ignore" needs no colour: its class receives every colour that no other entry has. Colours are required only if
 * masks are read by colour.
 *
 * Invariant: an accepted table defines every class and maps each colour to one class. */
#include "src/data/labels.h"

#include <stdlib.h>
#include <string.h>

#include "src/data/json.h"

static const struct json_role role = {"label table", "data.labels",
                                      "{\"name\": \"...\", \"color\": [red, green, blue], \"classid\": 0}"};

static enum paced_err refuse(const struct labels *l, size_t entry, const char *what) {
    return paced_error_at(PACED_INVALID, l->path, "entry %zu: %s; each entry is %s", entry + 1, what, role.form);
}

static enum paced_err refuse_class(const struct labels *l, size_t entry) {
    char *what = paced_format("its classid is not a whole number from 0 to %d", PACED_MAX_CLASSES - 1);
    enum paced_err err = refuse(l, entry, what);
    free(what);
    return err;
}

static bool read_colour(const json_t *value, uint32_t *colour) {
    if (!json_is_array(value) || json_array_size(value) != 3) return false;
    *colour = 0;
    for (size_t i = 0; i < 3; ++i) {
        const json_t *part = json_array_get(value, i);
        if (!json_is_integer(part) || json_integer_value(part) < 0 || json_integer_value(part) > 255) return false;
        *colour = *colour << 8 | (uint32_t)json_integer_value(part);
    }
    return true;
}

static void take_name(struct labels *l, int class, const char *name, bool ignore) {
    if (l->names[class] && (ignore || strcmp(l->names[class], "ignore") != 0)) return;
    free(l->names[class]);
    l->names[class] = paced_strdup(name);
}

static enum paced_err read_entry(struct labels *l, size_t entry, const json_t *value, bool coloured) {
    const json_t *name = json_object_get(value, "name"), *class = json_object_get(value, "classid"),
                 *colour_value = json_object_get(value, "color");
    if (!json_is_object(value)) return refuse(l, entry, "is not an object");
    if (!json_is_string(name) || json_string_length(name) == 0) return refuse(l, entry, "has no name");
    if (!json_is_integer(class) || json_integer_value(class) < 0 || json_integer_value(class) >= PACED_MAX_CLASSES)
        return refuse_class(l, entry);
    int id = (int)json_integer_value(class);
    bool ignore = strcmp(json_string_value(name), "ignore") == 0;
    if (ignore && l->ignore >= 0) return refuse(l, entry, "is a second \"ignore\"");
    if (ignore) l->ignore = id;
    take_name(l, id, json_string_value(name), ignore);
    if (id >= l->classes) l->classes = id + 1;
    if ((ignore || !coloured) && !colour_value) return PACED_OK;

    uint32_t colour;
    size_t last = 0;
    if (!read_colour(colour_value, &colour))
        return refuse(l, entry, "its color is not a list of three whole numbers from 0 to 255");
    if (labels_find(l, colour, &last) >= 0) return refuse(l, entry, "its color belongs to an earlier entry");
    l->colour[l->colours] = colour;
    l->class[l->colours++] = (uint8_t)id;
    return PACED_OK;
}

static enum paced_err check_complete(const struct labels *l) {
    for (int c = 0; c < l->classes; ++c)
        if (!l->names[c])
            return paced_error_at(PACED_INVALID, l->path,
                                  "no entry has classid %d, but one has %d; number the classes 0, 1, 2...", c,
                                  l->classes - 1);
    return PACED_OK;
}

enum paced_err labels_read(struct labels *labels, const char *path, bool coloured) {
    json_t *list;
    *labels = (struct labels){.ignore = -1};
    PACED_TRY(json_list_read(&list, path, &role));
    size_t count = json_array_size(list);
    labels->path = paced_strdup(path);
    labels->names = paced_alloc(PACED_MAX_CLASSES, sizeof *labels->names);
    labels->colour = paced_alloc(count, sizeof *labels->colour);
    labels->class = paced_alloc(count, sizeof *labels->class);
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < count && !err; ++i) err = read_entry(labels, i, json_array_get(list, i), coloured);
    if (!err) err = check_complete(labels);
    json_decref(list);
    if (err) labels_finish(labels);
    return err;
}

void labels_finish(struct labels *l) {
    for (int c = 0; l->names && c < PACED_MAX_CLASSES; ++c) free(l->names[c]);
    free(l->names);
    free(l->colour);
    free(l->class);
    free(l->path);
    *l = (struct labels){0};
}

int labels_find(const struct labels *l, uint32_t colour, size_t *last) {
    if (*last < l->colours && l->colour[*last] == colour) return l->class[*last];
    for (size_t i = 0; i < l->colours; ++i) {
        if (l->colour[i] != colour) continue;
        *last = i;
        return l->class[i];
    }
    return -1;
}
