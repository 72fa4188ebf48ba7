/* figure: charts of the same series under one legend, within the page and as a PNG file. Private to the report room. */
#ifndef PACED_REPORT_HTML_FIGURE_H
#define PACED_REPORT_HTML_FIGURE_H

#include "src/report/html/chart.h"

struct figure {
    const char *id; /* unique within the page; the PNG file is <id>.png */
    const char *caption;
    struct chart *charts; /* those without points are left out; all have the same series, by name */
    size_t chart_count;
};

/* Nothing where no chart has points; then an earlier report's PNG file is removed. png_dir NULL: PNG files are left as
 * they are. */
enum paced_err figure_add(struct paced_text *out, const struct figure *figure, const char *png_dir);

#endif
