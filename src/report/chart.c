/* chart: line charts as SVG. */
#include "src/report/chart.h"

#include <math.h>

#include "src/report/html.h"

enum {
    LEFT = 70,
    RIGHT = 12,
    TOP = 32,
    BOTTOM = 46,
    PLOT_WIDTH = CHART_WIDTH - LEFT - RIGHT,
    PLOT_HEIGHT = CHART_HEIGHT - TOP - BOTTOM,
    COLOURS = 7,   /* of the style sheet */
    MAX_MARKS = 8, /* on a line of many points */
    MAX_TICKS = 6  /* intervals between the ticks of an axis */
};

static const char *const dashes[] = {"", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"2 4\""};

/* Paths of the marks, centred at 0 0. */
static const char *const marks[] = {
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "M-3.2 -3.2h6.4v6.4h-6.4z",
    "M0 -4.4l4.2 7.2h-8.4z",
    "M0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z",
    "M-1.2 -4.2h2.4v3h3v2.4h-3v3h-2.4v-3h-3v-2.4h3z",
};

/* ---- preparation --------------------------------------------------------------------------------------------- */

bool chart_has_points(const struct chart *chart) {
    for (size_t s = 0; s < chart->series_count; ++s)
        for (size_t i = 0; i < chart->series[s].count; ++i)
            if (isfinite(chart->series[s].y[i])) return true;
    return false;
}

struct chart_axes {
    struct axis x, y;
};

/* x axis; integer values get integer ticks, and a single point is centred. */
static struct axis x_axis(const struct chart *chart, struct range x) {
    if (x.min == x.max) x = (struct range){x.min - 1, x.max + 1};
    double length = x.max - x.min;
    int steps = chart->whole_x && length < MAX_TICKS ? (int)length : MAX_TICKS;
    return axis_over(x.min - chart->x_gap, x.max + chart->x_gap, steps);
}

static struct chart_axes find_axes(const struct chart *chart) {
    struct range x = range_empty(), y = range_empty();
    for (size_t i = 0; i < chart->x_tick_count; ++i) range_add(&x, chart->x_ticks[i]);
    for (size_t s = 0; s < chart->series_count; ++s)
        for (size_t i = 0; i < chart->series[s].count; ++i) {
            if (!isfinite(chart->series[s].y[i])) continue;
            range_add(&x, chart->series[s].x[i]);
            range_add(&y, chart->series[s].y[i]);
        }
    bool given = chart->y_min < chart->y_max;
    return (struct chart_axes){x_axis(chart, x), given ? axis_over(chart->y_min, chart->y_max, MAX_TICKS)
                                                       : axis_around(y.min, y.max, MAX_TICKS)};
}

/* ---- drawing ------------------------------------------------------------------------------------------------- */

static double place_x(const struct chart_axes *a, double x) {
    return LEFT + (x - a->x.min) / (a->x.max - a->x.min) * PLOT_WIDTH;
}

static double place_y(const struct chart_axes *a, double y) {
    return TOP + (a->y.max - y) / (a->y.max - a->y.min) * PLOT_HEIGHT;
}

static void add_x_tick(struct paced_text *out, double x, const char *value) {
    paced_text_add(out, "<path class=\"axis\" d=\"M%.1f %dv5\"/><text x=\"%.1f\" y=\"%d\" class=\"middle\">", x,
                   TOP + PLOT_HEIGHT, x, TOP + PLOT_HEIGHT + 18);
    html_text(out, value);
    paced_text_add(out, "</text>\n");
}

static void add_label(struct paced_text *out, const char *place, const char *name, const char *unit) {
    paced_text_add(out, "<text class=\"label middle\" %s>", place);
    html_text(out, name);
    if (*unit) {
        paced_text_add(out, " (");
        html_text(out, unit);
        paced_text_add(out, ")");
    }
    paced_text_add(out, "</text>\n");
}

static void add_axes(struct paced_text *out, const struct chart *chart, const struct chart_axes *a) {
    for (long i = a->y.first; i <= a->y.last; ++i) {
        double value = (double)i * a->y.step, y = place_y(a, value);
        paced_text_add(out,
                       "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" class=\"end\">%g</text>\n",
                       LEFT, y, PLOT_WIDTH, LEFT - 7, y + 4, value);
    }
    for (long i = a->x.first; !chart->x_ticks && i <= a->x.last; ++i) {
        char value[32];
        snprintf(value, sizeof value, "%g", (double)i * a->x.step);
        add_x_tick(out, place_x(a, (double)i * a->x.step), value);
    }
    for (size_t i = 0; i < chart->x_tick_count; ++i)
        add_x_tick(out, place_x(a, chart->x_ticks[i]), chart->x_tick_names[i]);
    paced_text_add(out, "<path class=\"axis\" d=\"M%d %dv%dh%d\"/>\n", LEFT, TOP, PLOT_HEIGHT, PLOT_WIDTH);
    char place[64];
    snprintf(place, sizeof place, "x=\"%d\" y=\"%d\"", LEFT + PLOT_WIDTH / 2, CHART_HEIGHT - 8);
    add_label(out, place, chart->x_name, chart->x_unit);
    snprintf(place, sizeof place, "transform=\"translate(13 %d) rotate(-90)\"", TOP + PLOT_HEIGHT / 2);
    add_label(out, place, chart->y_name, chart->y_unit);
}

static void add_line(struct paced_text *out, const struct series *series, size_t style, const struct chart_axes *a) {
    bool drawing = false;
    paced_text_add(out, "<path class=\"line\"%s d=\"", dashes[style % PACED_COUNT(dashes)]);
    for (size_t i = 0; i < series->count; ++i) {
        bool there = isfinite(series->y[i]);
        if (there)
            paced_text_add(out, "%s%.1f %.1f", drawing ? "L" : "M", place_x(a, series->x[i]), place_y(a, series->y[i]));
        drawing = there;
    }
    paced_text_add(out, "\"/>\n");
}

/* Adds a vertical bar with ends for each interval. */
static void add_intervals(struct paced_text *out, const struct series *series, const struct chart_axes *a) {
    for (size_t i = 0; series->low && i < series->count; ++i)
        if (isfinite(series->low[i]) && isfinite(series->high[i]) && series->low[i] < series->high[i])
            paced_text_add(out, "<path class=\"interval\" d=\"M%.1f %.1fV%.1fm-3 0h6M%.1f %.1fm-3 0h6\"/>\n",
                           place_x(a, series->x[i]), place_y(a, series->low[i]), place_y(a, series->high[i]),
                           place_x(a, series->x[i]), place_y(a, series->low[i]));
}

/* Marks are evenly spaced on long lines, and offset between series so that they do not overlap. */
static void add_marks(struct paced_text *out, const struct chart *chart, size_t style, const struct chart_axes *a) {
    const struct series *series = &chart->series[style];
    size_t every = series->count > MAX_MARKS + 4 ? (series->count + MAX_MARKS - 1) / MAX_MARKS : 1;
    for (size_t i = style * every / chart->series_count; i < series->count; i += every) {
        if (!isfinite(series->y[i])) continue;
        paced_text_add(out, "<path class=\"mark\" transform=\"translate(%.1f %.1f)\" d=\"%s\"><title>",
                       place_x(a, series->x[i]), place_y(a, series->y[i]), marks[style % PACED_COUNT(marks)]);
        html_text(out, series->name);
        paced_text_add(out, ", ");
        html_text(out, chart->x_name);
        paced_text_add(out, " %.9g: %.9g</title></path>\n", series->x[i], series->y[i]);
    }
}

/* Adds a description for screen readers: the first and the last value of each series. */
static void add_description(struct paced_text *out, const struct chart *chart, const char *id) {
    paced_text_add(out, "<title id=\"%s-title\">", id);
    if (chart->title) html_text(out, chart->title);
    paced_text_add(out, "%s", chart->title ? ": " : "");
    html_text(out, chart->y_name);
    paced_text_add(out, " against ");
    html_text(out, chart->x_name);
    paced_text_add(out, "</title>\n<desc id=\"%s-desc\">", id);
    for (size_t s = 0; s < chart->series_count; ++s) {
        const struct series *series = &chart->series[s];
        size_t last = series->count - 1;
        if (series->count == 0 || !isfinite(series->y[0] + series->y[last])) continue;
        html_text(out, series->name);
        paced_text_add(out, ": %.4g at %.4g, %.4g at %.4g. ", series->y[0], series->x[0], series->y[last],
                       series->x[last]);
    }
    paced_text_add(out, "</desc>\n");
}

void chart_add(struct paced_text *out, const struct chart *chart, const char *id, const char *place) {
    const struct chart_axes axes = find_axes(chart);
    paced_text_add(out,
                   "<svg role=\"img\" viewBox=\"0 0 %d %d\"%s aria-labelledby=\"%s-title\" "
                   "aria-describedby=\"%s-desc\">\n",
                   CHART_WIDTH, CHART_HEIGHT, place, id, id);
    add_description(out, chart, id);
    paced_text_add(out, "<text class=\"heading\" x=\"%d\" y=\"18\">", LEFT);
    html_text(out, chart->title ? chart->title : chart->y_name);
    paced_text_add(out, "</text>\n");
    add_axes(out, chart, &axes);
    for (size_t s = 0; s < chart->series_count; ++s) {
        if (chart->series[s].count == 0) continue;
        paced_text_add(out, "<g class=\"s%zu\">\n", s % COLOURS);
        add_line(out, &chart->series[s], s, &axes);
        add_intervals(out, &chart->series[s], &axes);
        add_marks(out, chart, s, &axes);
        paced_text_add(out, "</g>\n");
    }
    paced_text_add(out, "</svg>\n");
}

void chart_add_sample(struct paced_text *out, size_t series, int x, int y) {
    paced_text_add(out,
                   "<svg class=\"sample s%zu\" x=\"%d\" y=\"%d\" width=\"44\" height=\"14\" viewBox=\"0 0 44 14\" "
                   "aria-hidden=\"true\"><path class=\"line\"%s d=\"M1 7h42\"/><path class=\"mark\" "
                   "transform=\"translate(22 7)\" d=\"%s\"/></svg>",
                   series % COLOURS, x, y, dashes[series % PACED_COUNT(dashes)], marks[series % PACED_COUNT(marks)]);
}
