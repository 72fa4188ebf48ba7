/* Style sheet of the page. Private to the report module. */
#ifndef PACED_REPORT_HTML_STYLE_H
#define PACED_REPORT_HTML_STYLE_H

#include "paced/base.h"

/* Appends the CSS of a <style> element. */
void page_style_add(struct paced_text *out);

#endif
