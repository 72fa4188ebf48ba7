/* chart: lines over a pair of axes, as an SVG element. Private to the report room. */
#ifndef PACED_REPORT_HTML_CHART_H
#define PACED_REPORT_HTML_CHART_H

#include "paced/report.h"
#include "src/report/axis.h"

struct chart {
    const char *title;                             /* NULL: what y is says enough */
    const char *x_name, *x_unit, *y_name, *y_unit; /* an axis is labelled "name (unit)" */
    bool whole_x;                                  /* x are whole numbers: no marks between them */
    double y_min, y_max;                           /* the ends of the y axis; equal: round numbers around the points */
    struct paced_series *series; /* mark_every is set here; a series without points has its style all the same */
    size_t series_count;
};

/* Has it a point? Others cannot be drawn. */
bool chart_has_points(const struct chart *chart);

/* What both drawings of a chart share: the axes' ends, and the marks of each series. */
struct chart_axes {
    struct axis x, y;
};
struct chart_axes chart_prepare(struct chart *chart);

/* Colours are the style sheet's (.s0 to .s6); dashes and marks are the chart's own. id: unique within the page. */
void chart_add(struct paced_text *out, struct chart *chart, const char *id);
/* A sample of a series' line and mark, 44 x 14. */
void chart_add_sample(struct paced_text *out, size_t series);

#endif
