/* The page's style sheet. Private to the report room. */
#ifndef PACED_REPORT_HTML_STYLE_H
#define PACED_REPORT_HTML_STYLE_H

#include "paced/base.h"

/* CSS, for a <style> element. */
void page_style_add(struct paced_text *out);

#endif
