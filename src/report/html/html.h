/* html: pieces of a page, added to a growing text. Private to the report room.
 *
 * Law: whatever comes from outside the program (names, paths, cells of files) goes into a page through one of these
 * functions, which leave nothing in it that a browser could take for markup. */
#ifndef PACED_REPORT_HTML_HTML_H
#define PACED_REPORT_HTML_HTML_H

#include "paced/base.h"

/* Escaped for elements and for quoted attributes. Bytes that are no UTF-8, and characters that HTML forbids, become
 * U+FFFD. */
void html_text(struct paced_text *out, const char *text);
/* <tag attributes>text</tag>; attributes are the caller's own markup, "" or beginning with a blank. */
void html_element(struct paced_text *out, const char *tag, const char *attributes, const char *text);

/* A number of a CSV file: rounded for the eye, with the file's own text as its value. Empty: a dash. */
void html_number(struct paced_text *out, const char *cell);
void html_real(struct paced_text *out, double value); /* the same for nine digits; NaN is empty */

/* A table within a box that scrolls by itself where the page is narrow; ends with html_table_end. */
void html_table_begin(struct paced_text *out, const char *id, const char *caption);
void html_table_end(struct paced_text *out);

/* The PNG file itself, within the page. */
enum paced_err html_picture(struct paced_text *out, const char *path, const char *description);

#endif
