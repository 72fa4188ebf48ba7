#include "src/report/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* Length of the UTF-8 character at c, bytes; 0 if invalid. Surrogates, overlong forms and code points above U+10FFFF
 * are invalid (RFC 3629). */
static size_t character_length(const unsigned char *c) {
    size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < length; ++i)
        if ((c[i] & 0xc0) != 0x80) return 0;
    bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool beyond = (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90);
    return overlong || beyond ? 0 : length;
}

/* Replacement of the character in a page; NULL if it needs none. */
static const char *replacement(const char *c, size_t length) {
    switch (*c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
        return NULL;
    }
    bool forbidden = length == 0 || (unsigned char)*c < ' ' || *c == 0x7f;
    return forbidden ? "\xef\xbf\xbd" : NULL;
}

void html_text(struct paced_text *out, const char *text) {
    const char *plain = text; /* start of the text that needs no replacement */
    while (*text) {
        size_t length = character_length((const unsigned char *)text);
        const char *instead = replacement(text, length);
        const char *next = text + (length ? length : 1);
        if (instead) {
            paced_text_add(out, "%.*s%s", (int)(text - plain), plain, instead);
            plain = next;
        }
        text = next;
    }
    paced_text_add(out, "%s", plain);
}

void html_element(struct paced_text *out, const char *tag, const char *attributes, const char *text) {
    paced_text_add(out, "<%s%s>", tag, attributes);
    html_text(out, text);
    paced_text_add(out, "</%s>", tag);
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

void html_number(struct paced_text *out, const char *cell) {
    double value;
    if (!paced_parse_real(cell, &value)) {
        if (*cell)
            html_text(out, cell); /* "inf" */
        else
            paced_text_add(out, "<span class=\"none\">&ndash;</span>");
        return;
    }
    double size = fabs(value);
    const char *format = size >= 10 ? "%.2f" : size >= 0.001 || size == 0 ? "%.4f" : "%.1e";
    char shown[64];
    snprintf(shown, sizeof shown, format, value);
    paced_text_add(out, "<data value=\"%s\" title=\"%s\">%s</data>", cell, cell, shown);
}

/* ---- tables -------------------------------------------------------------------------------------------------- */

void html_table_begin(struct paced_text *out, const char *id, const char *caption) {
    paced_text_add(out, "<figure class=\"table\"><figcaption id=\"%s-caption\">", id);
    html_text(out, caption);
    paced_text_add(out,
                   "</figcaption>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"%s-caption\">"
                   "<table id=\"%s\" aria-labelledby=\"%s-caption\">\n",
                   id, id, id);
}

void html_table_end(struct paced_text *out) {
    paced_text_add(out, "</tbody></table></div></figure>\n");
}

/* ---- pictures ------------------------------------------------------------------------------------------------ */

/* Base64 (RFC 4648); the caller frees the text. */
static char *base64(const uint8_t *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = paced_alloc((size + 2) / 3 * 4 + 1, 1), *c = text;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)data[i] << 16;
        if (i + 1 < size) group |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < size) group |= data[i + 2];
        *c++ = digits[group >> 18];
        *c++ = digits[group >> 12 & 63];
        *c++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
        *c++ = i + 2 < size ? digits[group & 63] : '=';
    }
    return text;
}

enum paced_err html_picture(struct paced_text *out, const char *path, const char *description) {
    uint8_t *data;
    size_t size;
    PACED_TRY(paced_file_read(path, 0, &data, &size));
    char *text = base64(data, size);
    paced_text_add(out, "<img alt=\"");
    html_text(out, description);
    const char *ending = strrchr(path, '.');
    paced_text_add(out, "\" src=\"data:image/%s;base64,%s\">",
                   ending && strcmp(ending, ".svg") == 0 ? "svg+xml" : "png", text);
    free(text);
    free(data);
    return PACED_OK;
}
