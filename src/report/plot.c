/* plot: line plots on a canvas.
 *
 * Shapes are antialiased by signed distance: the coverage of a pixel whose centre is `d` pixels outside the edge is
 * 1/2 - d, clamped to 0..1.
 * Colours, marks and dashes cycle with coprime lengths, so that each series has a distinct style. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/report.h"
#include "src/report/axis.h"

#define LINE_RADIUS 1.1
#define MARK_RADIUS 4.5
#define GRID_COLOUR 0xe4e4e4u

enum {
    TEXT = 2 * PACED_TEXT_HEIGHT, /* titles and names, at scale 2 */
    TICK_TEXT = PACED_TEXT_HEIGHT,
    ABOVE = TEXT + 12,          /* title */
    BELOW = 2 * TICK_TEXT + 22, /* numbers and label */
    LEFT = 40,
    RIGHT = 12,
    LEGEND_ROW = TEXT + 10,
    LEGEND_LINE = 44,
    LEGEND_GAP = 28,
    SPREAD_END = 3, /* half the length of the caps of an interval */
};

/* Palette of Okabe and Ito, "Color Universal Design" (2008), alternating dark and light. */
static const uint32_t colours[] = {0x0072b2, 0xe69f00, 0x000000, 0x56b4e9, 0xd55e00, 0x009e73, 0xcc79a7};

/* Lengths of dash and gap, pixels; 0: solid line. */
static const double dashes[][2] = {{0, 0}, {9, 7}, {3, 5}};

enum mark { CIRCLE, SQUARE, TRIANGLE, DIAMOND, CROSS, MARKS };

struct style {
    uint32_t colour;
    enum mark mark;
    const double *dash;
};

static struct style style_of(size_t series) {
    return (struct style){colours[series % PACED_COUNT(colours)], (enum mark)(series % MARKS),
                          dashes[series % PACED_COUNT(dashes)]};
}

/* ---- smooth shapes ------------------------------------------------------------------------------------------- */

static void blend(struct paced_canvas *canvas, int x, int y, uint32_t colour, double distance) {
    double cover = fmin(fmax(0.5 - distance, 0), 1);
    if (cover <= 0 || x < 0 || y < 0 || x >= canvas->width || y >= canvas->height) return;
    uint8_t *pixel = canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    for (int i = 0; i < 3; ++i) {
        double value = colour >> (16 - 8 * i) & 0xff;
        pixel[i] = (uint8_t)lround(pixel[i] + cover * (value - pixel[i]));
    }
}

struct point {
    double x, y; /* pixels; pixel centres have integer coordinates */
};

/* Draws one segment of a line. from: length of the line before it, pixels, so that dashes continue at corners. */
static void draw_segment(struct paced_canvas *canvas, struct point a, struct point b, struct style style, double from) {
    double dx = b.x - a.x, dy = b.y - a.y, length = hypot(dx, dy), reach = LINE_RADIUS + 1;
    double period = style.dash[0] + style.dash[1];
    if (length == 0) return;
    for (int y = (int)floor(fmin(a.y, b.y) - reach); y <= (int)ceil(fmax(a.y, b.y) + reach); ++y)
        for (int x = (int)floor(fmin(a.x, b.x) - reach); x <= (int)ceil(fmax(a.x, b.x) + reach); ++x) {
            double along = ((x - a.x) * dx + (y - a.y) * dy) / length;
            double on = fmin(fmax(along, 0), length); /* nearest point of the segment */
            double distance = hypot(x - a.x - on * dx / length, y - a.y - on * dy / length) - LINE_RADIUS;
            if (period > 0) distance = fmax(distance, fmod(from + on, period) - style.dash[0]);
            blend(canvas, x, y, style.colour, distance);
        }
}

static double mark_distance(enum mark mark, double x, double y, double radius) {
    double u = fabs(x), v = fabs(y), arm = radius / 3;
    switch (mark) {
    case SQUARE:
        return fmax(u, v) - 0.9 * radius;
    case TRIANGLE: /* centroid one third of the height above the base */
        return fmax(y - 0.6 * radius, (u * 2 - y) / sqrt(5) - 0.55 * radius);
    case DIAMOND:
        return (u + v - 1.3 * radius) / sqrt(2);
    case CROSS:
        return fmin(fmax(u - 1.1 * radius, v - arm), fmax(u - arm, v - 1.1 * radius));
    case CIRCLE:
    case MARKS:
        break;
    }
    return hypot(x, y) - radius;
}

/* Draws a mark with a rim in the paper colour, which separates it from lines and marks below. */
static void draw_mark(struct paced_canvas *canvas, struct point at, struct style style) {
    int reach = (int)(2 * MARK_RADIUS) + 2;
    for (int y = (int)at.y - reach; y <= (int)at.y + reach; ++y)
        for (int x = (int)at.x - reach; x <= (int)at.x + reach; ++x) {
            double distance = mark_distance(style.mark, x - at.x, y - at.y, MARK_RADIUS);
            blend(canvas, x, y, PACED_COLOUR_PAPER, distance - 1.2);
            blend(canvas, x, y, style.colour, distance);
        }
}

/* ---- axes ---------------------------------------------------------------------------------------------------- */

struct frame {
    const struct paced_plot *plot;
    int left, top, width, height; /* area between the axes, pixels */
};

static struct point place(const struct frame *f, double x, double y) {
    const struct paced_plot *p = f->plot;
    return (struct point){f->left + (x - p->x_min) / (p->x_max - p->x_min) * f->width,
                          f->top + (p->y_max - y) / (p->y_max - p->y_min) * f->height};
}

static void draw_y_tick(struct paced_canvas *canvas, const struct frame *f, double value) {
    char text[32];
    snprintf(text, sizeof text, "%g", value);
    int y = (int)lround(place(f, f->plot->x_min, value).y);
    paced_canvas_fill(canvas, f->left, y, f->width, 1, GRID_COLOUR);
    paced_canvas_text(canvas, f->left - 7 - paced_text_width(text, 1), y - TICK_TEXT / 2, 1, PACED_COLOUR_TEXT, text);
}

static void draw_x_tick(struct paced_canvas *canvas, const struct frame *f, double value, const char *text) {
    int x = (int)lround(place(f, value, f->plot->y_min).x);
    paced_canvas_fill(canvas, x, f->top + f->height, 1, 5, PACED_COLOUR_FAINT);
    paced_canvas_text(canvas, x - paced_text_width(text, 1) / 2, f->top + f->height + 9, 1, PACED_COLOUR_TEXT, text);
}

static void draw_round_x_ticks(struct paced_canvas *canvas, const struct frame *f) {
    const struct axis axis = axis_over(f->plot->x_min, f->plot->x_max, f->width / 40 + 1);
    for (long i = axis.first; i <= axis.last; ++i) {
        char text[32];
        snprintf(text, sizeof text, "%g", (double)i * axis.step);
        draw_x_tick(canvas, f, (double)i * axis.step, text);
    }
}

/* Draws named ticks; a name that would overlap the previous one is omitted. */
static void draw_named_x_ticks(struct paced_canvas *canvas, const struct frame *f) {
    const struct paced_plot *p = f->plot;
    double free_from = -INFINITY;
    for (size_t i = 0; i < p->x_tick_count; ++i) {
        double x = place(f, p->x_ticks[i], p->y_min).x, half = paced_text_width(p->x_tick_names[i], 1) / 2.0;
        bool fits = x - half >= free_from;
        draw_x_tick(canvas, f, p->x_ticks[i], fits ? p->x_tick_names[i] : "");
        if (fits) free_from = x + half + TICK_TEXT;
    }
}

static void draw_axes(struct paced_canvas *canvas, const struct frame *f) {
    const struct paced_plot *p = f->plot;
    const struct axis y_axis = axis_over(p->y_min, p->y_max, f->height / 26 + 1);
    for (long i = y_axis.first; i <= y_axis.last; ++i) draw_y_tick(canvas, f, (double)i * y_axis.step);
    if (p->x_ticks)
        draw_named_x_ticks(canvas, f);
    else
        draw_round_x_ticks(canvas, f);
    paced_canvas_fill(canvas, f->left, f->top, 1, f->height + 1, PACED_COLOUR_FAINT);
    paced_canvas_fill(canvas, f->left, f->top + f->height, f->width, 1, PACED_COLOUR_FAINT);
    int below = f->top + f->height + 9 + TICK_TEXT + 5;
    paced_canvas_text(canvas, f->left + (f->width - paced_text_width(p->x_label, 1)) / 2, below, 1, PACED_COLOUR_FAINT,
                      p->x_label);
    paced_canvas_text(canvas, f->left - 7 - paced_text_width(p->y_label, 1), below, 1, PACED_COLOUR_FAINT, p->y_label);
}

/* ---- series -------------------------------------------------------------------------------------------------- */

/* Draws an interval as a line with caps, one pixel thick. */
static void draw_interval(struct paced_canvas *canvas, struct point low, struct point high, uint32_t colour) {
    int x = (int)lround(low.x), bottom = (int)lround(low.y), top = (int)lround(high.y);
    paced_canvas_fill(canvas, x, top, 1, bottom - top, colour);
    paced_canvas_fill(canvas, x - SPREAD_END, top, 2 * SPREAD_END + 1, 1, colour);
    paced_canvas_fill(canvas, x - SPREAD_END, bottom, 2 * SPREAD_END + 1, 1, colour);
}

static void draw_intervals(struct paced_canvas *canvas, const struct frame *f, const struct paced_series *s,
                           uint32_t colour) {
    for (size_t i = 0; s->low && i < s->count; ++i)
        if (s->low[i] < s->high[i])
            draw_interval(canvas, place(f, s->x[i], s->low[i]), place(f, s->x[i], s->high[i]), colour);
}

static void draw_line(struct paced_canvas *canvas, const struct frame *f, const struct paced_series *s,
                      struct style style) {
    double from = 0;
    for (size_t i = 1; i < s->count; ++i) {
        if (isnan(s->y[i - 1]) || isnan(s->y[i])) continue;
        struct point a = place(f, s->x[i - 1], s->y[i - 1]), b = place(f, s->x[i], s->y[i]);
        draw_segment(canvas, a, b, style, from);
        from += hypot(b.x - a.x, b.y - a.y);
    }
    for (size_t i = s->first_mark; i < s->count; i += s->mark_every ? s->mark_every : 1)
        if (!isnan(s->y[i])) draw_mark(canvas, place(f, s->x[i], s->y[i]), style);
}

void paced_canvas_plot(struct paced_canvas *canvas, int x, int y, int width, int height,
                       const struct paced_plot *plot) {
    const struct frame f = {plot, x + LEFT, y + ABOVE, width - LEFT - RIGHT, height - ABOVE - BELOW};
    paced_canvas_text(canvas, x + LEFT, y, 2, PACED_COLOUR_TEXT, plot->title);
    draw_axes(canvas, &f);
    for (size_t i = 0; i < plot->series_count; ++i) draw_intervals(canvas, &f, &plot->series[i], style_of(i).colour);
    for (size_t i = 0; i < plot->series_count; ++i) draw_line(canvas, &f, &plot->series[i], style_of(i));
}

static void draw_sample(struct paced_canvas *canvas, int x, int y, size_t series, const char *name) {
    struct style style = style_of(series);
    struct point from = {x, y + TEXT / 2}, to = {x + LEGEND_LINE, y + TEXT / 2};
    draw_segment(canvas, from, to, style, 0);
    draw_mark(canvas, (struct point){x + LEGEND_LINE / 2, from.y}, style);
    paced_canvas_text(canvas, x + LEGEND_LINE + 8, y, 2, PACED_COLOUR_TEXT, name);
}

int paced_canvas_legend(struct paced_canvas *canvas, int x, int y, int width, const struct paced_series *series,
                        size_t count) {
    int column = 0, row = 0;
    for (size_t i = 0; i < count; ++i) {
        int wide = LEGEND_LINE + 8 + paced_text_width(series[i].name, 2);
        if (column > 0 && column + wide > width) {
            column = 0;
            row += LEGEND_ROW;
        }
        if (canvas) draw_sample(canvas, x + column, y + row, i, series[i].name);
        column += wide + LEGEND_GAP;
    }
    return count ? row + LEGEND_ROW : 0;
}
