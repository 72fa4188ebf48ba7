/* value: conversion between text and the value of one key, with its checks.
 *
 * Invariant: value_set reads the text of value_add back to the same field. Reals are printed with the fewest digits
 * that restore the same double. A string that an INI line cannot represent is refused when it is set, so that a run's
 * config.ini always matches the run: inih drops surrounding blanks, and everything from a ';' after a blank. */
#include "keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field(const struct paced_config *config, const struct config_key *key) {
    return (char *)config + key->offset;
}

char **config_string(struct paced_config *config, const struct config_key *key) {
    return field(config, key);
}

static void add_number(struct paced_text *out, double value) {
    for (int digits = 1; digits <= 17; ++digits) {
        char text[40];
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) != value && digits < 17) continue;
        paced_text_add(out, "%s", text);
        return;
    }
}

/* Adds the end of a range; whole numbers without an exponent. */
static void add_end(struct paced_text *out, double value) {
    if (value == floor(value) && fabs(value) <= 0x1p53)
        paced_text_add(out, "%.0f", value);
    else
        add_number(out, value);
}

static void add_number_range(struct paced_text *out, const struct config_key *key) {
    if (key->words) paced_text_add(out, "%s or ", key->words(0));
    if (key->odd) paced_text_add(out, "odd, ");
    bool closed = !key->above && !key->below && !isinf(key->max);
    if (!closed) paced_text_add(out, key->above ? "> " : ">= ");
    add_end(out, key->min);
    if (isinf(key->max)) return;
    paced_text_add(out, closed ? " to " : key->below ? " and < " : " and <= ");
    add_end(out, key->max);
    if (key->kind == CONFIG_EXTENT) paced_text_add(out, ", or HEIGHTxWIDTH");
}

void config_range_add(struct paced_text *out, const struct config_key *key) {
    if (key->kind == CONFIG_INT || key->kind == CONFIG_REAL || key->kind == CONFIG_EXTENT)
        add_number_range(out, key);
    else if (key->kind == CONFIG_BOOL)
        paced_text_add(out, "yes, no");
    else if (key->words && key->kind != CONFIG_PATH)
        paced_names_add(out, key->words);
}

static enum paced_err wrong(const struct config_key *key, const char *place, const char *text, const char *what,
                            const char *hint) {
    char quoted[80];
    paced_text_quote(text, quoted, sizeof quoted);
    return paced_error_at(PACED_INVALID, place, "%s.%s: '%s' %s; %s", key->section, key->name, quoted, what, hint);
}

static enum paced_err wrong_number(const struct config_key *key, const char *place, const char *text,
                                   const char *what) {
    struct paced_text hint = {0};
    paced_text_add(&hint, "give a %snumber ", key->kind == CONFIG_REAL ? "" : "whole ");
    add_number_range(&hint, key);
    enum paced_err err = wrong(key, place, text, what, hint.data);
    free(hint.data);
    return err;
}

static enum paced_err set_int(int64_t *field_, const struct config_key *key, const char *place, const char *text) {
    int64_t value;
    if (!paced_parse_int(text, &value)) return wrong_number(key, place, text, "is not a whole number");
    bool in_range = value >= (int64_t)key->min && (isinf(key->max) || value <= (int64_t)key->max);
    if (!in_range) return wrong_number(key, place, text, "is out of range");
    if (key->odd && value % 2 == 0) return wrong_number(key, place, text, "is even");
    *field_ = value;
    return PACED_OK;
}

static enum paced_err set_real(double *field_, const struct config_key *key, const char *place, const char *text) {
    double value;
    if (key->words && strcmp(text, key->words(0)) == 0) {
        *field_ = NAN;
        return PACED_OK;
    }
    if (!paced_parse_real(text, &value)) return wrong_number(key, place, text, "is not a number");
    bool in_range =
        (key->above ? value > key->min : value >= key->min) && (key->below ? value < key->max : value <= key->max);
    if (!in_range) return wrong_number(key, place, text, "is out of range");
    *field_ = value;
    return PACED_OK;
}

/* "224" or "360x480", as height and width. */
static bool parse_extent(const char *text, int64_t side[2]) {
    const char *x = strpbrk(text, "xX");
    if (!x) return paced_parse_int(text, &side[0]) && paced_parse_int(text, &side[1]);
    char *height = paced_format("%.*s", (int)(x - text), text);
    bool valid = paced_parse_int(height, &side[0]) && paced_parse_int(x + 1, &side[1]);
    free(height);
    return valid;
}

static enum paced_err set_extent(struct paced_extent *field_, const struct config_key *key, const char *place,
                                 const char *text) {
    int64_t side[2];
    if (!parse_extent(text, side)) return wrong_number(key, place, text, "is not a size");
    for (int i = 0; i < 2; ++i)
        if (side[i] < (int64_t)key->min || side[i] > (int64_t)key->max)
            return wrong_number(key, place, text, "is out of range");
    *field_ = (struct paced_extent){(int)side[0], (int)side[1]};
    return PACED_OK;
}

static enum paced_err set_bool(bool *field_, const struct config_key *key, const char *place, const char *text) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < PACED_COUNT(words); ++i) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *field_ = i % 2 == 1;
        return PACED_OK;
    }
    return wrong(key, place, text, "is neither yes nor no", "give yes or no");
}

static enum paced_err wrong_word(const struct config_key *key, const char *place, const char *text) {
    const char *near = paced_names_nearest(key->words, text);
    struct paced_text hint = {0};
    paced_text_add(&hint, near ? "did you mean %s? valid: " : "choose one of ", near);
    paced_names_add(&hint, key->words);
    enum paced_err err = wrong(key, place, text, "is not a valid choice", hint.data);
    free(hint.data);
    return err;
}

static enum paced_err set_choice(int *field_, const struct config_key *key, const char *place, const char *text) {
    int index = paced_names_find(key->words, text);
    if (index < 0) return wrong_word(key, place, text);
    *field_ = index;
    return PACED_OK;
}

/* "a, b" as a bit mask, in the order of the key's words. */
static enum paced_err set_words(uint64_t *field_, const struct config_key *key, const char *place, const char *text) {
    char *copy = paced_strdup(text), *rest = copy;
    uint64_t bits = 0;
    enum paced_err err = PACED_OK;
    for (char *word; !err && (word = strsep(&rest, ","));) {
        word += strspn(word, " \t");
        for (size_t end = strlen(word); end > 0 && strchr(" \t", word[end - 1]); --end) word[end - 1] = '\0';
        int index = paced_names_find(key->words, word);
        if (index < 0)
            err = wrong_word(key, place, word);
        else
            bits |= UINT64_C(1) << index;
    }
    free(copy);
    if (!err) *field_ = bits;
    return err;
}

/* ---- lines of an INI file ---------------------------------------------------------------------------------------- */

/* A value longer than a line continues in indented lines; each line but the last ends in a backslash, so that the parts
 * are joined without a blank. A part must not begin with a character that inih skips or takes for a comment or a
 * section, nor inside a UTF-8 character. */
#define LINE_BYTES 190
#define INDENT "    "

static bool may_begin_line(char c) {
    bool within_character = ((unsigned char)c & 0xC0) == 0x80;
    return !within_character && !strchr(" ;#[", c);
}

bool config_line_add(struct paced_text *out, const char *name, const char *value) {
    struct paced_text line = {0};
    paced_text_add(&line, *value ? "%s = " : "%s =", name);
    size_t room = LINE_BYTES - line.size;
    while (strlen(value) > room) {
        size_t cut = room - 1; /* one for the backslash */
        while (cut > 0 && !may_begin_line(value[cut])) cut--;
        if (cut == 0) break;
        paced_text_add(&line, "%.*s\\\n" INDENT, (int)cut, value);
        value += cut;
        room = LINE_BYTES - strlen(INDENT);
    }
    bool fits = strlen(value) <= room;
    if (fits) paced_text_add(out, "%s%s\n", line.data, value);
    free(line.data);
    return fits;
}

/* Reason why an INI line cannot represent the text, or NULL. */
static const char *unwritable(const char *name, const char *text) {
    size_t length = strlen(text);
    if (length == 0) return NULL;
    if (paced_text_has_control(text)) return "contains a control character";
    if (text[0] == ' ' || text[length - 1] == ' ') return "begins or ends with a blank";
    if (text[0] == ';' || strstr(text, " ;")) return "contains a ';' that would start a comment";
    struct paced_text line = {0};
    bool fits = config_line_add(&line, name, text);
    free(line.data);
    return fits ? NULL : "cannot be split into lines";
}

static enum paced_err check_text(const struct config_key *key, const char *place, const char *text) {
    char *where = paced_format("%s: %s.%s", place, key->section, key->name);
    enum paced_err err = key->check(where, text);
    free(where);
    return err;
}

static enum paced_err set_string(char **field_, const struct config_key *key, const char *place, const char *text) {
    bool required = *key->fallback || key->not_empty;
    if (required && !*text) {
        struct paced_text hint = {0};
        paced_text_add(&hint, "give a value, or leave the line out for the default, %s",
                       key->not_empty ? key->shown : key->fallback);
        enum paced_err err = wrong(key, place, text, "is empty", hint.data);
        free(hint.data);
        return err;
    }
    if (key->kind == CONFIG_STRING && key->words && *text && paced_names_find(key->words, text) < 0)
        return wrong_word(key, place, text);
    const char *why = unwritable(key->name, text);
    if (why) return wrong(key, place, text, why, "choose a value that an INI file can hold");
    if (key->check && *text) PACED_TRY(check_text(key, place, text));
    char *copy = paced_strdup(text);
    free(*field_);
    *field_ = copy;
    return PACED_OK;
}

enum paced_err config_value_set(struct paced_config *config, const struct config_key *key, const char *place,
                                const char *text) {
    void *at = field(config, key);
    switch (key->kind) {
    case CONFIG_INT:
        return set_int(at, key, place, text);
    case CONFIG_REAL:
        return set_real(at, key, place, text);
    case CONFIG_EXTENT:
        return set_extent(at, key, place, text);
    case CONFIG_BOOL:
        return set_bool(at, key, place, text);
    case CONFIG_CHOICE:
        return set_choice(at, key, place, text);
    case CONFIG_SET:
        return set_words(at, key, place, text);
    case CONFIG_STRING:
    case CONFIG_PATH:
        break;
    }
    return set_string(at, key, place, text);
}

static void add_extent(struct paced_text *out, struct paced_extent extent) {
    char *text = paced_extent_text(extent);
    paced_text_add(out, "%s", text);
    free(text);
}

static void add_words(struct paced_text *out, paced_names *words, uint64_t bits) {
    const char *comma = "";
    for (int i = 0; words(i); ++i) {
        if (!(bits >> i & 1)) continue;
        paced_text_add(out, "%s%s", comma, words(i));
        comma = ",";
    }
}

void config_value_add(struct paced_text *out, const struct paced_config *config, const struct config_key *key) {
    const void *at = field(config, key);
    switch (key->kind) {
    case CONFIG_INT:
        paced_text_add(out, "%lld", (long long)*(const int64_t *)at);
        break;
    case CONFIG_REAL:
        if (key->words && isnan(*(const double *)at))
            paced_text_add(out, "%s", key->words(0));
        else
            add_number(out, *(const double *)at);
        break;
    case CONFIG_EXTENT:
        add_extent(out, *(const struct paced_extent *)at);
        break;
    case CONFIG_BOOL:
        paced_text_add(out, "%s", *(const bool *)at ? "yes" : "no");
        break;
    case CONFIG_CHOICE:
        paced_text_add(out, "%s", key->words(*(const int *)at));
        break;
    case CONFIG_SET:
        add_words(out, key->words, *(const uint64_t *)at);
        break;
    case CONFIG_STRING:
    case CONFIG_PATH:
        paced_text_add(out, "%s", *(char *const *)at);
        break;
    }
}
