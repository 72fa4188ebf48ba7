/* sweep_figure: Dice of the networks of a sweep, with one panel each for all, the non-empty and the corrupted images.
 *
 * If exactly one swept key is numeric, Dice is plotted against it, one line per combination of the other labels. The
 * axis is logarithmic if the values span a factor of 20 or more. A network without the key, which all values share, is
 * a horizontal line. Otherwise each network has a row with its labels and its Dice in each panel. Bars show the
 * interval or one standard deviation to either side. */
#include "src/report/outcomes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/figure.h"

enum { MARGIN = 24, TITLE = 44, ROW = 24, ROW_PANEL = 260, GAP = 48, AXIS = 56, TICKS = 5, PANELS = 3 };

#define WIDE 20.0   /* ratio of maximum to minimum from which an axis is logarithmic */
#define SHIFT 0.033 /* offset between series, as a fraction of the axis */

static const struct {
    const char *title;
    enum paced_outcome_part part;
} panels[PANELS] = {
    {"dice, all images", PACED_ON_ALL},
    {"dice, non-empty", PACED_ON_NON_EMPTY},
    {"dice, corrupted", PACED_CORRUPTED},
};

static const struct paced_figure *dice(const struct paced_outcome *row, int panel) {
    return &row->figures[panels[panel].part][PACED_DICE];
}

/* Limits of the bar of a value. */
static double low_of(const struct paced_figure *f) {
    return !isnan(f->low) ? f->low : !isnan(f->stddev) ? f->mean - f->stddev : f->mean;
}
static double high_of(const struct paced_figure *f) {
    return !isnan(f->high) ? f->high : !isnan(f->stddev) ? f->mean + f->stddev : f->mean;
}

/* Axis shared by all panels. */
static struct axis share_axis(const struct paced_outcomes *outcomes) {
    struct range range = range_empty();
    for (size_t i = 0; i < outcomes->count; ++i)
        for (int p = 0; p < PANELS; ++p) {
            range_add(&range, low_of(dice(&outcomes->rows[i], p)));
            range_add(&range, high_of(dice(&outcomes->rows[i], p)));
        }
    return axis_tenths(range);
}

/* Caption of the bars. */
static const char *name_spread(const struct paced_outcomes *outcomes) {
    return outcomes->averaged ? "bars: +- standard deviation" : "bars: 95 % interval";
}

static int list_panels(const struct paced_outcomes *outcomes, int list[PANELS]) {
    int count = 0;
    for (int p = 0; p < PANELS; ++p)
        if (outcomes_measured(outcomes, panels[p].part, PACED_DICE)) list[count++] = p;
    return count;
}

/* ---- curves against a numeric label -------------------------------------------------------------------------- */

/* True if the label is a number in all rows that have it, and takes more than one value. */
static bool is_number(const struct paced_outcomes *outcomes, size_t label) {
    double min = INFINITY, max = -INFINITY, value;
    for (size_t i = 0; i < outcomes->count; ++i) {
        const char *text = outcomes->rows[i].labels[label];
        if (!*text) continue;
        if (!paced_parse_real(text, &value)) return false;
        min = fmin(min, value);
        max = fmax(max, value);
    }
    return min < max;
}

/* Index of the only numeric label; label_count if there is none or several. */
static size_t find_number(const struct paced_outcomes *outcomes) {
    size_t found = outcomes->label_count;
    for (size_t k = 0; k < outcomes->label_count; ++k) {
        if (!is_number(outcomes, k)) continue;
        if (found < outcomes->label_count) return outcomes->label_count;
        found = k;
    }
    return found;
}

/* Rows sorted by the numeric label and grouped into series. A row without the label appears at both ends. */
struct curves {
    size_t label, count, series_count; /* index of the numeric label; points; combinations of the other labels */
    double shift;                      /* x offset between series, so that their intervals do not overlap */
    const struct paced_outcome **rows; /* [count], ascending */
    double *x;                         /* [count] */
    size_t *series;                    /* [count], index of the series */
    char **names;                      /* [series_count] */
};

/* Labels except the numeric one, separated by blanks. */
static char *name_series(const struct paced_outcome *row, size_t label_count, size_t number) {
    struct paced_text name = {0};
    for (size_t k = 0; k < label_count; ++k)
        if (k != number && *row->labels[k]) paced_text_add(&name, "%s%s", name.size ? " " : "", row->labels[k]);
    return name.data ? name.data : paced_strdup("");
}

static void add_point(struct curves *c, const struct paced_outcome *row, size_t label_count, double x) {
    size_t at = c->count++, s = 0;
    for (; at > 0 && c->x[at - 1] > x; --at) {
        c->x[at] = c->x[at - 1];
        c->rows[at] = c->rows[at - 1];
        c->series[at] = c->series[at - 1];
    }
    char *name = name_series(row, label_count, c->label);
    while (s < c->series_count && strcmp(c->names[s], name) != 0) ++s;
    if (s == c->series_count)
        c->names[c->series_count++] = name;
    else
        free(name);
    c->x[at] = x;
    c->rows[at] = row;
    c->series[at] = s;
}

/* Offset of SHIFT, or less if all series would not fit into half of the minimum distance between two values. */
static double find_shift(const struct curves *c) {
    double length = c->x[c->count - 1] - c->x[0], gap = length;
    for (size_t i = 1; i < c->count; ++i)
        if (c->x[i] > c->x[i - 1]) gap = fmin(gap, c->x[i] - c->x[i - 1]);
    return fmin(SHIFT * length, gap / 2 / (double)c->series_count);
}

static void add_points(struct curves *c, const struct paced_outcomes *outcomes) {
    double value;
    for (size_t i = 0; i < outcomes->count; ++i)
        if (paced_parse_real(outcomes->rows[i].labels[c->label], &value))
            add_point(c, &outcomes->rows[i], outcomes->label_count, value);
    double min = c->x[0], max = c->x[c->count - 1];
    for (size_t i = 0; i < outcomes->count; ++i) {
        if (*outcomes->rows[i].labels[c->label]) continue;
        add_point(c, &outcomes->rows[i], outcomes->label_count, min); /* after the rows that name the tick */
        add_point(c, &outcomes->rows[i], outcomes->label_count, max);
    }
}

static struct curves open_curves(const struct paced_outcomes *outcomes, size_t label) {
    struct curves c = {.label = label};
    c.rows = paced_alloc(2 * outcomes->count, sizeof *c.rows);
    c.x = paced_alloc(2 * outcomes->count, sizeof *c.x);
    c.series = paced_alloc(2 * outcomes->count, sizeof *c.series);
    c.names = paced_alloc(outcomes->count, sizeof *c.names);
    add_points(&c, outcomes);
    bool logarithmic = c.x[0] > 0 && c.x[c.count - 1] >= WIDE * c.x[0];
    for (size_t i = 0; logarithmic && i < c.count; ++i) c.x[i] = log10(c.x[i]);
    c.shift = find_shift(&c);
    return c;
}

static void close_curves(struct curves *c) {
    for (size_t s = 0; s < c->series_count; ++s) free(c->names[s]);
    free(c->names);
    free(c->series);
    free(c->x);
    free(c->rows);
}

/* Fills values[4][count], which are x, y, low and high, series by series. */
static void fill_series(const struct curves *c, int panel, double *values, struct series *series) {
    double *x = values, *y = x + c->count, *low = y + c->count, *high = low + c->count;
    for (size_t s = 0; s < c->series_count; ++s) {
        series[s] = (struct series){.name = c->names[s], .x = x, .y = y, .low = low, .high = high};
        for (size_t i = 0; i < c->count; ++i) {
            if (c->series[i] != s) continue;
            const struct paced_figure *f = dice(c->rows[i], panel);
            *x++ = c->x[i] + ((double)s - (double)(c->series_count - 1) / 2) * c->shift;
            *y++ = f->mean;
            *low++ = low_of(f);
            *high++ = high_of(f);
            ++series[s].count;
        }
    }
}

/* Fills ticks[count] and names[count] with each distinct value; returns their number. */
static size_t fill_ticks(const struct curves *c, double *ticks, const char **names) {
    size_t count = 0;
    for (size_t i = 0; i < c->count; ++i) {
        if (count > 0 && ticks[count - 1] == c->x[i]) continue;
        ticks[count] = c->x[i];
        names[count++] = c->rows[i]->labels[c->label];
    }
    return count;
}

static enum paced_err draw_curves(const struct paced_outcomes *outcomes, size_t label, const char *path) {
    struct curves c = open_curves(outcomes, label);
    double *values = paced_alloc((4 * PANELS + 1) * c.count, sizeof *values), *ticks = values + 4 * PANELS * c.count;
    const char **names = paced_alloc(c.count, sizeof *names);
    struct series *series = paced_alloc(PANELS * c.series_count, sizeof *series);
    struct chart charts[PANELS];
    int list[PANELS];
    const struct figure figure = {"sweep", "", charts, (size_t)list_panels(outcomes, list)};
    const struct axis axis = share_axis(outcomes);
    size_t tick_count = fill_ticks(&c, ticks, names);
    for (size_t p = 0; p < figure.chart_count; ++p) {
        charts[p] = (struct chart){.title = panels[list[p]].title,
                                   .x_name = outcomes->names[label],
                                   .x_unit = "",
                                   .y_name = "dice",
                                   .y_unit = "",
                                   .y_min = axis.min,
                                   .y_max = axis.max,
                                   .x_gap = 0.04 * (c.x[c.count - 1] - c.x[0]),
                                   .x_ticks = ticks,
                                   .x_tick_names = names,
                                   .x_tick_count = tick_count,
                                   .series = series + p * c.series_count,
                                   .series_count = c.series_count};
        fill_series(&c, list[p], values + 4 * p * c.count, charts[p].series);
    }
    enum paced_err err =
        figure.chart_count ? figure_write(&figure, PANELS, name_spread(outcomes), path) : paced_file_remove(path);
    free(series);
    free(names);
    free(values);
    close_curves(&c);
    return err;
}

/* ---- rows ---------------------------------------------------------------------------------------------------- */

/* Draws each label as a column; returns the x position of the first panel. out NULL: only measures. */
static int draw_labels(struct paced_text *out, const struct paced_outcomes *outcomes) {
    int x = MARGIN;
    for (size_t k = 0; k < outcomes->label_count; ++k) {
        int width = figure_text_width(outcomes->names[k]);
        if (out) figure_add_text(out, x, MARGIN + TITLE / 2, "label", outcomes->names[k]);
        for (size_t i = 0; i < outcomes->count; ++i) {
            const char *label = outcomes->rows[i].labels[k];
            if (figure_text_width(label) > width) width = figure_text_width(label);
            if (out) figure_add_text(out, x, MARGIN + TITLE + (int)i * ROW + ROW / 2 + 4, "", label);
        }
        x += width + GAP;
    }
    return x;
}

static double place(const struct axis *axis, int left, double value) {
    return left + (value - axis->min) / (axis->max - axis->min) * ROW_PANEL;
}

static void draw_panel(struct paced_text *out, const struct paced_outcomes *outcomes, int panel, int left) {
    const struct axis shared = share_axis(outcomes), axis = axis_over(shared.min, shared.max, TICKS);
    int top = MARGIN + TITLE, bottom = top + (int)outcomes->count * ROW;
    figure_add_text(out, left, MARGIN + TITLE / 2, "heading", panels[panel].title);
    for (long i = axis.first; i <= axis.last; ++i) {
        double value = (double)i * axis.step, x = place(&axis, left, value);
        paced_text_add(out,
                       "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"middle\" x=\"%.1f\" y=\"%d\">%g"
                       "</text>\n",
                       x, top, bottom, x, bottom + 18, value);
    }
    for (size_t i = 0; i < outcomes->count; ++i) {
        const struct paced_figure *f = dice(&outcomes->rows[i], panel);
        int y = top + (int)i * ROW + ROW / 2;
        if (isnan(f->mean)) continue;
        paced_text_add(out,
                       "<g class=\"s0\"><path class=\"interval\" d=\"M%.1f %dH%.1f\"/>"
                       "<path class=\"mark\" d=\"M%.1f %dh7v7h-7z\"/></g>\n",
                       place(&axis, left, low_of(f)), y, place(&axis, left, high_of(f)),
                       place(&axis, left, f->mean) - 3.5, y - 3);
    }
}

static enum paced_err draw_rows(const struct paced_outcomes *outcomes, const char *path) {
    int list[PANELS], panel_count = list_panels(outcomes, list), left = draw_labels(NULL, outcomes);
    int height = MARGIN + TITLE + (int)outcomes->count * ROW + AXIS;
    struct paced_text out = {0};
    figure_begin(&out, left + panel_count * (ROW_PANEL + GAP) + MARGIN - GAP, height);
    draw_labels(&out, outcomes);
    for (int p = 0; p < panel_count; ++p) draw_panel(&out, outcomes, list[p], left + p * (ROW_PANEL + GAP));
    figure_add_text(&out, MARGIN, height - AXIS / 4, "label", name_spread(outcomes));
    paced_text_add(&out, "</svg>\n");
    enum paced_err err = paced_file_write(path, out.data, out.size);
    free(out.data);
    return err;
}

enum paced_err paced_outcomes_plot(const struct paced_outcomes *outcomes, const char *path) {
    size_t number = find_number(outcomes);
    return number < outcomes->label_count ? draw_curves(outcomes, number, path) : draw_rows(outcomes, path);
}
