/* chart: line chart as an SVG element. Private to the report module. */
#ifndef PACED_REPORT_HTML_CHART_H
#define PACED_REPORT_HTML_CHART_H

#include "paced/report.h"
#include "src/report/axis.h"

struct chart {
    const char *title;                             /* NULL: y_name is the heading */
    const char *x_name, *x_unit, *y_name, *y_unit; /* an axis is labelled "name (unit)" */
    bool whole_x;                                  /* x values are integers, and so are the ticks */
    double y_min, y_max;                           /* limits of the y axis; equal: round numbers around the points */
    struct paced_series *series; /* first_mark and mark_every are set by the chart; empty series keep their style */
    size_t series_count;
};

/* True if the chart has a point; only then it can be drawn. */
bool chart_has_points(const struct chart *chart);

/* Prepares both drawings, SVG and PNG: computes the axes and sets the marks of each series. */
struct chart_axes {
    struct axis x, y;
};
struct chart_axes chart_prepare(struct chart *chart);

/* Appends the SVG. Colours come from the style sheet (.s0 to .s6). id: unique within the page. */
void chart_add(struct paced_text *out, struct chart *chart, const char *id);
/* Appends a sample of the line and mark of a series, 44 x 14 pixels. */
void chart_add_sample(struct paced_text *out, size_t series);

#endif
