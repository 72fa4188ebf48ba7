/* figure: charts with a common legend, in the page and as a PNG file. Private to the report module. */
#ifndef PACED_REPORT_HTML_FIGURE_H
#define PACED_REPORT_HTML_FIGURE_H

#include "src/report/html/chart.h"

struct figure {
    const char *id; /* unique within the page; the PNG file is <id>.png */
    const char *caption;
    struct chart *charts; /* all with the same series names; charts without points are omitted */
    size_t chart_count;
};

/* Adds the figure to the page and writes its PNG file to png_dir (NULL: PNG files are not touched). If no chart has
 * points, nothing is added, and the PNG file of an earlier report is removed. */
enum paced_err figure_add(struct paced_text *out, const struct figure *figure, const char *png_dir);

#endif
