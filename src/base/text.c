/* text: growing strings, lists, number parsing, the nearest word and a hash.
 *
 * The distance of words is the case-insensitive edit distance with swaps of neighbours (optimal string alignment): one
 * step adds, drops or replaces a letter, or swaps two. A word is suggested if at most a third of the letters (rounded
 * up) are wrong. Numbers are decimal. */
#include "paced/base.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_WORD 63

void paced_text_add(struct paced_text *text, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    size_t needed = text->size + (length < 0 ? 0 : (size_t)length) + 1;
    if (needed > text->capacity) {
        text->capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
        text->data = paced_grow(text->data, text->capacity, 1);
    }
    va_start(args, fmt);
    vsnprintf(text->data + text->size, needed - text->size, fmt, args);
    va_end(args);
    text->size = needed - 1;
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool same_letter(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The last three rows of the table; row i, column j: the distance from the first i letters of a to the first j of b. */
static size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][LONGEST_WORD + 1], columns = strlen(b);
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= columns; ++j) last[j] = j;
    for (size_t i = 1; a[i - 1]; ++i) {
        now[0] = i;
        for (size_t j = 1; j <= columns; ++j) {
            size_t replaced = last[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            now[j] = smallest(replaced, last[j] + 1, now[j - 1] + 1);
            bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
            if (swapped) now[j] = smallest(now[j], now[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[columns];
}

const char *paced_nearest(const char *word, const char *const *candidates, size_t count) {
    size_t length = strlen(word);
    if (length == 0 || length > LONGEST_WORD) return NULL;
    size_t best = (length + 2) / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; ++i) {
        size_t other = strlen(candidates[i]);
        if (other > LONGEST_WORD) continue;
        size_t distance = edit_distance(word, candidates[i]);
        bool shares_a_letter = distance < (length > other ? length : other);
        if (distance < best && shares_a_letter) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

const char *paced_plural(uint64_t count, const char *one, const char *more) {
    return count == 1 ? one : more;
}

/* An item of a list. */
struct item {
    const char *text, *behind; /* behind: text between a closing quote and the comma, else NULL */
    size_t length;
};

static struct item take_item(const char **rest) {
    static const char blanks[] = " \t";
    const char *from = *rest + strspn(*rest, blanks);
    bool quoted = *from == '"' && strchr(from + 1, '"');
    struct item item = {.text = from + quoted};
    item.length = strcspn(item.text, quoted ? "\"" : ",");
    const char *tail = item.text + item.length + quoted, *end = tail + strcspn(tail, ",");
    *rest = end + (*end == ',');
    if (tail + strspn(tail, blanks) < end) item.behind = tail;
    while (!quoted && item.length > 0 && strchr(blanks, item.text[item.length - 1])) --item.length;
    return item;
}

char *paced_list_next(const char **rest) {
    if (!**rest) return NULL;
    struct item item = take_item(rest);
    return paced_format("%.*s", (int)item.length, item.text);
}

enum paced_err paced_list_check(const char *where, const char *list) {
    for (bool more = *list; more;) {
        struct item item = take_item(&list);
        more = *list || list[-1] == ',';
        if (item.length == 0)
            return paced_error_at(PACED_INVALID, where,
                                  "an item is missing beside a comma; write it, or remove the comma");
        if (item.behind)
            return paced_error_at(PACED_INVALID, where,
                                  "\"%.*s\"%.*s: text behind a closing quote; separate items by commas",
                                  (int)item.length, item.text, (int)strcspn(item.behind, ","), item.behind);
    }
    return PACED_OK;
}

void paced_list_add(struct paced_text *list, const char *item) {
    const char *quote = strchr(item, ',') ? "\"" : "";
    paced_text_add(list, "%s%s%s%s", list->size ? ", " : "", quote, item, quote);
}

static bool only_blanks(const char *s) {
    return s[strspn(s, " \t\r\n\v\f")] == '\0';
}

bool paced_parse_int(const char *s, int64_t *value) {
    char *end;
    errno = 0;
    long long parsed = strtoll(s, &end, 10);
    if (end == s || !only_blanks(end) || errno == ERANGE) return false;
    *value = parsed;
    return true;
}

bool paced_parse_real(const char *s, double *value) {
    /* strtod also accepts hexadecimal numbers, "inf" and "nan". */
    if (s[strspn(s, " \t\r\n\v\f+-.0123456789eE")] != '\0') return false;
    char *end;
    double parsed = strtod(s, &end);
    if (end == s || !only_blanks(end) || !isfinite(parsed)) return false;
    *value = parsed;
    return true;
}

char *paced_extent_text(struct paced_extent extent) {
    return extent.height == extent.width ? paced_format("%d", extent.height)
                                         : paced_format("%dx%d", extent.height, extent.width);
}

uint64_t paced_hash(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 1099511628211U;
    return hash;
}

/* Bytes of the UTF-8 sequence at `s`, 0 if there is no valid one. Overlong forms and surrogates are not valid. */
static size_t sequence_length(const unsigned char *s) {
    if (s[0] < 0x80) return 1;
    size_t length = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
                    : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
                    : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                   : 0;
    for (size_t i = 1; i < length; ++i)
        if ((s[i] & 0xC0) != 0x80) return 0;
    bool low = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90),
         high = (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF4 && s[1] > 0x8F);
    return low || high ? 0 : length;
}

void paced_text_clean(char *text) {
    for (unsigned char *c = (unsigned char *)text; *c;) {
        size_t length = sequence_length(c);
        if (!length) *c = '?';
        c += length ? length : 1;
    }
}

static bool is_control(char c) {
    return (unsigned char)c < 32 || c == 127;
}

bool paced_text_has_control(const char *text) {
    while (*text && !is_control(*text)) ++text;
    return *text != '\0';
}

void paced_text_quote(const char *text, char *quoted, size_t size) {
    size_t i = 0;
    for (; text[i] && i + 4 < size; ++i) quoted[i] = is_control(text[i]) ? '?' : text[i];
    snprintf(quoted + i, size - i, "%s", text[i] ? "..." : "");
}

int paced_names_find(paced_names *names, const char *name) {
    for (int i = 0; names(i); ++i)
        if (strcmp(names(i), name) == 0) return i;
    return -1;
}

void paced_names_add(struct paced_text *text, paced_names *names) {
    const char *comma = "";
    for (int i = 0; names(i); ++i) {
        if (!*names(i)) continue;
        paced_text_add(text, "%s%s", comma, names(i));
        comma = ", ";
    }
}

const char *paced_names_nearest(paced_names *names, const char *word) {
    const char **list = NULL;
    size_t count = 0;
    for (; names((int)count); ++count) {
        list = paced_grow(list, count + 1, sizeof *list);
        list[count] = names((int)count);
    }
    const char *nearest = paced_nearest(word, list, count);
    free(list);
    return nearest;
}

const char *paced_settings_value(const struct paced_settings *settings, const char *name) {
    for (size_t i = 0; i < settings->count; ++i)
        if (strcmp(settings->items[i].name, name) == 0) return settings->items[i].value;
    return "";
}

void paced_settings_finish(struct paced_settings *settings) {
    for (size_t i = 0; i < settings->count; ++i) {
        free(settings->items[i].name);
        free(settings->items[i].value);
    }
    free(settings->items);
    *settings = (struct paced_settings){0};
}
