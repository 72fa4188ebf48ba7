/* ini: INI files, through inih.
 *
 * inih (as built by Debian) reports no line numbers, silently splits a line longer than its buffer, drops text after a
 * section's ']', and delivers an indented line as another value of the previous key. So it reads through read_line,
 * which counts lines and refuses lines that inih would misread. */
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "paced/base.h"

#define LARGEST_INI (1 << 20)
#define BLANKS " \t\r\v\f"

struct reader {
    const struct paced_ini *ini;
    const char *path, *unread;
    int line, value_line;
    bool indented, open; /* open: a value is being collected */
    char *section, *name;
    struct paced_text value;
    enum paced_err err;
};

static enum paced_err refuse(struct reader *r, int line, const char *what) {
    return r->err = paced_error_at_line(PACED_INVALID, r->path, line, "%s", what);
}

static void call(struct reader *r, paced_ini_handler *handler, int line, const char *name, const char *text) {
    if (!handler || r->err) return;
    char *place = paced_format("%s:%d", r->path, line);
    r->err = handler(r->ini->context, &(struct paced_ini_entry){place, line, r->section, name, text});
    free(place);
}

static void close_value(struct reader *r) {
    if (r->open) call(r, r->ini->value, r->value_line, r->name, r->value.size ? r->value.data : "");
    r->open = false;
}

static void open_section(struct reader *r, const char *header) {
    size_t length = strcspn(header, "]");
    const char *after = header + length + 1;
    if (header[length] != ']') {
        refuse(r, r->line, "the section has no ']'; write [section]");
        return;
    }
    after += strspn(after, " \t");
    if (*after && !strchr(";#\r", *after)) {
        refuse(r, r->line, "text after the section's ']' would be ignored; put it on a line of its own");
        return;
    }
    free(r->section);
    r->section = paced_format("%.*s", (int)length, header);
    call(r, r->ini->section, r->line, NULL, NULL);
}

/* Line reader for inih, like fgets, but without the newline, which inih would strip anyway. */
static char *read_line(char *line, int size, void *stream) {
    struct reader *r = stream;
    if (r->err || !*r->unread) return NULL;
    size_t length = strcspn(r->unread, "\n");
    ++r->line;
    if (length >= (size_t)size) {
        r->err = paced_error_at_line(PACED_INVALID, r->path, r->line,
                                     "the line is longer than %d bytes; continue it in an indented line (after a "
                                     "backslash, it is joined without a blank)",
                                     size - 1);
        return NULL;
    }
    memcpy(line, r->unread, length);
    line[length] = '\0';
    r->unread += length + (r->unread[length] == '\n');
    const char *begin = line + strspn(line, BLANKS);
    r->indented = begin > line;
    if (*begin != '[') return line;
    close_value(r);
    if (!r->err && r->indented) refuse(r, r->line, "a section must not be indented; remove the blanks before it");
    if (!r->err) open_section(r, begin + 1);
    return r->err ? NULL : line;
}

/* Adds a line to the value, without a trailing comment, which inih does not remove from continuation lines. */
static void add_part(struct reader *r, const char *text) {
    size_t length = 0;
    while (text[length] && !(length > 0 && text[length] == ';' && strchr(" \t", text[length - 1]))) ++length;
    while (length > 0 && strchr(" \t", text[length - 1])) length--;
    paced_text_add(&r->value, "%.*s", (int)length, text);
}

static void continue_value(struct reader *r, const char *text) {
    struct paced_text *value = &r->value;
    if (value->size && value->data[value->size - 1] == '\\') {
        value->data[--value->size] = '\0';
    } else {
        call(r, r->ini->indented, r->line, r->name, text);
        if (value->size) paced_text_add(value, " ");
    }
    add_part(r, text);
}

/* Handler for inih: a key with its value, or a continuation line. */
static int take_line(void *user, const char *section, const char *name, const char *value) {
    struct reader *r = user;
    (void)section; /* at most 49 bytes of it */
    if (r->err) return 0;
    if (r->open && r->indented) {
        continue_value(r, value);
        return !r->err;
    }
    close_value(r);
    free(r->name);
    r->name = paced_strdup(name);
    r->open = true;
    r->value_line = r->line;
    r->value.size = 0;
    add_part(r, value);
    return !r->err;
}

enum paced_err paced_ini_read(const char *path, const struct paced_ini *ini) {
    char *text;
    PACED_TRY(paced_file_read_text(path, LARGEST_INI, &text));
    struct reader r = {.ini = ini, .path = path, .unread = text, .section = paced_strdup("")};
    int bad_line = ini_parse_stream(read_line, &r, take_line, &r);
    close_value(&r);
    if (!r.err && bad_line) refuse(&r, bad_line, "neither 'key = value' nor [section]; comments begin with ';'");
    free(r.section);
    free(r.name);
    free(r.value.data);
    free(text);
    return r.err;
}
