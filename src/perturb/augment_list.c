/* augment_list: parser of lists of augmentations: NAME or NAME(NUMBER, ...), separated by commas. */
#include <stdlib.h>
#include <string.h>

#include "src/perturb/augment.h"

#define BLANKS " \t"

/* Cuts the next part off *rest, up to a comma outside parentheses, without surrounding blanks. */
static char *next_part(char **rest) {
    char *part = *rest + strspn(*rest, BLANKS), *end = part;
    for (int depth = 0; *end && !(*end == ',' && depth == 0); ++end) depth += (*end == '(') - (*end == ')');
    *rest = *end ? end + 1 : NULL;
    *end = '\0';
    while (end > part && strchr(BLANKS, end[-1])) *--end = '\0';
    return part;
}

static enum paced_err find_kind(const char *where, const char *name, size_t *kind) {
    const char *names[PACED_AUGMENT_MOST];
    for (size_t i = 0; i < paced_augment_kind_count; ++i) {
        names[i] = paced_augment_kinds[i].name;
        *kind = i;
        if (strcmp(name, names[i]) == 0) return PACED_OK;
    }
    const char *nearest = paced_nearest(name, names, paced_augment_kind_count);
    if (nearest)
        return paced_error_at(PACED_INVALID, where, "'%s' is not an augmentation; did you mean %s?", name, nearest);
    struct paced_text all = {0};
    for (size_t i = 0; i < paced_augment_kind_count; ++i) paced_text_add(&all, "%s%s", i ? ", " : "", names[i]);
    enum paced_err err =
        paced_error_at(PACED_INVALID, where, "'%s' is not an augmentation; choose from %s", name, all.data);
    free(all.data);
    return err;
}

static enum paced_err read_argument(const char *where, const struct augment_kind *kind, const char *text,
                                    double *argument) {
    if (!paced_parse_real(text, argument))
        return paced_error_at(PACED_INVALID, where, "%s: '%s' is not a number; write for example %s", kind->name, text,
                              kind->example);
    if (*argument >= kind->min && *argument <= kind->max) return PACED_OK;
    return paced_error_at(PACED_INVALID, where, "%s: '%s' is out of range; give a number %g to %g", kind->name, text,
                          kind->min, kind->max);
}

/* `text`: the text between the parentheses, or NULL. */
static enum paced_err read_arguments(const char *where, const struct augment_kind *kind, char *text,
                                     double *arguments) {
    int count = 0;
    for (char *rest = text; rest; ++count) {
        const char *part = next_part(&rest);
        if (count < kind->arguments) PACED_TRY(read_argument(where, kind, part, &arguments[count]));
    }
    if (count != kind->arguments)
        return paced_error_at(PACED_INVALID, where, "%s takes %d %s, not %d; write %s", kind->name, kind->arguments,
                              paced_plural((uint64_t)kind->arguments, "argument", "arguments"), count, kind->example);
    if (kind->arguments == 2 && arguments[0] > arguments[1])
        return paced_error_at(PACED_INVALID, where, "%s: %g is above %g; give the smaller number first", kind->name,
                              arguments[0], arguments[1]);
    return PACED_OK;
}

static enum paced_err read_item(struct paced_augment *augment, const char *where, char *text) {
    size_t kind = 0, length = strlen(text);
    char *inner = strchr(text, '(');
    if (length == 0)
        return paced_error_at(PACED_INVALID, where, "a name is missing beside a comma; write none for an empty list");
    if (inner ? strchr(inner, ')') != text + length - 1 : strchr(text, ')') != NULL)
        return paced_error_at(PACED_INVALID, where,
                              "'%s': the parentheses do not match; write for example rotate(15), hflip", text);
    if (inner) {
        text[length - 1] = '\0';
        *inner++ = '\0';
        for (char *end = inner - 1; end > text && strchr(BLANKS, end[-1]);) *--end = '\0';
    }
    if (strcmp(text, "none") == 0)
        return paced_error_at(PACED_INVALID, where, "none cannot be combined with others; remove it, or the others");
    PACED_TRY(find_kind(where, text, &kind));
    for (size_t i = 0; i < augment->count; ++i)
        if (augment->items[i].kind == kind)
            return paced_error_at(PACED_INVALID, where, "%s is given twice; give it once", text);
    struct paced_augment_item *item = &augment->items[augment->count++];
    item->kind = kind;
    return read_arguments(where, &paced_augment_kinds[kind], inner, item->argument);
}

enum paced_err paced_augment_parse(struct paced_augment *augment, const char *where, const char *list) {
    *augment = (struct paced_augment){0};
    if (strcmp(list, "none") == 0) return PACED_OK;
    char *copy = paced_strdup(list);
    enum paced_err err = PACED_OK;
    for (char *rest = copy; rest && !err;) err = read_item(augment, where, next_part(&rest));
    free(copy);
    return err;
}

enum paced_err paced_augment_check(const char *where, const char *list) {
    struct paced_augment augment;
    return paced_augment_parse(&augment, where, list);
}
