/* figure: charts with a common legend, in the page and as an SVG file. Private to the report module. */
#ifndef PACED_REPORT_FIGURE_H
#define PACED_REPORT_FIGURE_H

#include "src/report/chart.h"

struct figure {
    const char *id; /* unique within the page; the file is <id>.svg */
    const char *caption;
    struct chart *charts; /* all with the same series names; charts without points are omitted */
    size_t chart_count;
};

/* Adds the figure to the page and writes its file to dir (NULL: no file is touched). If no chart has points, nothing is
 * added, and the file of an earlier report is removed. */
enum paced_err figure_add(struct paced_text *out, const struct figure *figure, const char *dir);

/* Writes the figure as a file that stands alone, `columns` charts in a row, with a note below ("": none). */
enum paced_err figure_write(const struct figure *figure, int columns, const char *note, const char *path);

/* Begins an SVG file with the colours of a printed page; the caller appends "</svg>". */
void figure_begin(struct paced_text *out, int width, int height);
/* Appends a text from x, y on. class: "heading", "label", "end" ..., or "". */
void figure_add_text(struct paced_text *out, int x, int y, const char *class, const char *text);
/* Approximate width of a text in the figures' font, pixels. */
int figure_text_width(const char *text);

#endif
