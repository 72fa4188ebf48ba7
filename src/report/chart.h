/* chart: line chart as an SVG element. Private to the report module. */
#ifndef PACED_REPORT_CHART_H
#define PACED_REPORT_CHART_H

#include "paced/base.h"

/* Size of a chart, pixels. */
enum { CHART_WIDTH = 420, CHART_HEIGHT = 264 };

/* A line with marks. NaN in y leaves a gap. */
struct series {
    const char *name;
    double *x, *y; /* [count], x ascending */
    size_t count;
    const double *low, *high; /* [count], limits of the intervals, NaN: none; NULL: no intervals at all */
};

/* Series differ in colour (Okabe and Ito's palette, safe for colour-blind readers), mark and dashes, so that they are
 * distinguishable in greyscale too. An empty series keeps its style. */
struct chart {
    const char *title;                             /* NULL: y_name is the heading */
    const char *x_name, *x_unit, *y_name, *y_unit; /* an axis is labelled "name (unit)", or "name" if the unit is "" */
    bool whole_x;                                  /* x values are integers, and so are the ticks */
    double y_min, y_max;                           /* limits of the y axis; equal: round numbers around the points */
    double x_gap;                                  /* added to the x axis at both ends */
    const double *x_ticks;                         /* [x_tick_count], ascending; NULL: round numbers */
    const char *const *x_tick_names;
    size_t x_tick_count;
    struct series *series;
    size_t series_count;
};

/* True if the chart has a point; only then it can be drawn. */
bool chart_has_points(const struct chart *chart);

/* Appends the SVG element. Colours come from the style sheet (.s0 to .s6). id: unique within the page or file. place:
 * further attributes, such as the position within another SVG element; "" or starting with a blank. */
void chart_add(struct paced_text *out, const struct chart *chart, const char *id, const char *place);
/* Appends a sample of the line and mark of a series, 44 x 14 pixels, from x, y on. */
void chart_add_sample(struct paced_text *out, size_t series, int x, int y);

/* ---- axes (axis.c) ------------------------------------------------------------------------------------------- */

/* An axis from min to max. Its ticks are first * step, ..., last * step; step is 1, 2 or 5 times a power of ten. */
struct axis {
    double min, max, step;
    long first, last;
};
/* Axis exactly from min to max, min < max, with at most max_steps intervals between ticks. */
struct axis axis_over(double min, double max, int max_steps);
/* Axis that starts and ends at a tick and covers min..max; if min equals max, it also covers zero. */
struct axis axis_around(double min, double max, int max_steps);

/* Range of values; NaN is ignored. */
struct range {
    double min, max;
};
struct range range_empty(void);
void range_add(struct range *range, double value);
/* Shared axis of several charts of values from 0 to 1, rounded out to tenths. If all values equal one tenth, the axis
 * extends to the next tenth below; if they equal 0, or there are none, to the next above. */
struct axis axis_tenths(struct range range);

#endif
