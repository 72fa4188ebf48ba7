/* html: elements of a page, appended to a text. Private to the report module.
 *
 * Invariant: all text from outside the program (names, paths, cells of files) passes through these functions, which
 * escape all markup. */
#ifndef PACED_REPORT_HTML_H
#define PACED_REPORT_HTML_H

#include "paced/base.h"

/* Appends text, escaped for elements and quoted attributes. Bytes that are not UTF-8, and characters that HTML forbids,
 * become U+FFFD. */
void html_text(struct paced_text *out, const char *text);
/* Appends <tag attributes>text</tag>. attributes: markup of the caller, not escaped; "" or starting with a blank. */
void html_element(struct paced_text *out, const char *tag, const char *attributes, const char *text);

/* Appends a number of a CSV file, rounded for display, with the text of the file as its value; "" gives a dash. */
void html_number(struct paced_text *out, const char *cell);

/* Begins a table in a box that scrolls separately on narrow screens. html_table_end ends it. */
void html_table_begin(struct paced_text *out, const char *id, const char *caption);
void html_table_end(struct paced_text *out);

/* Embeds a PNG or SVG file in the page. */
enum paced_err html_picture(struct paced_text *out, const char *path, const char *description);

#endif
