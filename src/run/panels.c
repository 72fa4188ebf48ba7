/* Grid of panels. */
#include "src/run/panels.h"

#include <stdlib.h>

enum {
    HEADER = 46, /* title and settings */
    TITLE = 22,  /* from the top of a cell to its panel */
    NOTES = 34,  /* from the bottom of a panel to that of its cell */
    BAR = 9,
    NARROWEST = 14 * 12, /* width of a cell: a title of 14 letters at scale 2 */
    WANTED = 256,        /* approximate width of a panel, pixels */
};

static int shown_of(int size) {
    return size < WANTED ? size : WANTED;
}

static int scale_of(int size) {
    int shown = shown_of(size);
    return (WANTED + shown / 2) / shown;
}

static int cell_of(int size) {
    int panel = shown_of(size) * scale_of(size);
    return panel < NARROWEST ? NARROWEST : panel;
}

int panels_width(int size, int columns) {
    return columns * cell_of(size) + (columns + 1) * PANELS_MARGIN;
}

struct panels panels_create(int size, int columns, int rows, int below) {
    struct panels p = {.size = size, .shown = shown_of(size), .scale = scale_of(size), .cell = cell_of(size)};
    p.panel = p.shown * p.scale;
    p.bottom = HEADER + rows * (TITLE + p.panel + NOTES) + (rows + 1) * PANELS_MARGIN;
    p.canvas = paced_canvas_create(panels_width(size, columns), p.bottom + below, PACED_COLOUR_PAPER);
    return p;
}

void panels_finish(struct panels *p) {
    paced_canvas_finish(&p->canvas);
    *p = (struct panels){0};
}

void panels_draw_head(struct panels *p, const char *title, const char *settings) {
    paced_canvas_text(&p->canvas, PANELS_MARGIN, PANELS_MARGIN, 2, PACED_COLOUR_TEXT, title);
    paced_canvas_text(&p->canvas, PANELS_MARGIN, PANELS_MARGIN + 25, 1, PACED_COLOUR_FAINT, settings);
}

int panels_left(const struct panels *p, int column) {
    return PANELS_MARGIN + column * (p->cell + PANELS_MARGIN);
}

int panels_top(const struct panels *p, int row) {
    return PANELS_MARGIN + HEADER + row * (TITLE + p->panel + NOTES + PANELS_MARGIN) + TITLE;
}

static size_t shown_pixels(const struct panels *p) {
    return (size_t)p->shown * (size_t)p->shown;
}

static void draw_frame(struct panels *p, int column, int row, const char *title) {
    int x = panels_left(p, column), y = panels_top(p, row);
    paced_canvas_text(&p->canvas, x, y - TITLE, 2, PACED_COLOUR_TEXT, title);
    paced_canvas_frame(&p->canvas, x, y, p->panel, p->panel, PACED_COLOUR_FAINT);
    paced_canvas_fill(&p->canvas, x, y, p->panel, p->panel, PACED_COLOUR_UNKNOWN);
}

void panels_draw_image(struct panels *p, int column, int row, const char *title, const uint8_t *rgb) {
    uint8_t *shown = paced_alloc(shown_pixels(p), 3);
    paced_shrink_image(rgb, (size_t)p->size, shown, (size_t)p->shown);
    draw_frame(p, column, row, title);
    paced_canvas_image(&p->canvas, panels_left(p, column), panels_top(p, row), p->scale, shown, p->shown, p->shown);
    free(shown);
}

void panels_draw_map(struct panels *p, int column, int row, const char *title, const float *values, double max) {
    int x = panels_left(p, column), y = panels_top(p, row);
    float *shown = paced_alloc(shown_pixels(p), sizeof *shown);
    paced_shrink_map(values, (size_t)p->size, shown, (size_t)p->shown);
    draw_frame(p, column, row, title);
    paced_canvas_map(&p->canvas, x, y, p->scale, shown, p->shown, p->shown, max);
    paced_canvas_colour_bar(&p->canvas, x, y + p->panel + 6, p->panel, BAR, max);
    free(shown);
}

void panels_draw_labels(struct panels *p, int column, int row, const uint8_t *label, const uint32_t *colours,
                        double tint) {
    int x = panels_left(p, column), y = panels_top(p, row);
    uint8_t *shown = paced_alloc(shown_pixels(p), 1);
    paced_shrink_labels(label, (size_t)p->size, shown, (size_t)p->shown);
    if (tint > 0) paced_canvas_tint(&p->canvas, x, y, p->scale, shown, p->shown, p->shown, colours, tint);
    paced_canvas_outlines(&p->canvas, x, y, p->scale, shown, p->shown, p->shown, colours, 1);
    free(shown);
}

void panels_draw_missing(struct panels *p, int column, int row, const char *title, const char *why) {
    draw_frame(p, column, row, title);
    paced_canvas_text(&p->canvas, panels_left(p, column) + (p->panel - paced_text_width(why, 2)) / 2,
                      panels_top(p, row) + p->panel / 2 - PACED_TEXT_HEIGHT, 2, PACED_COLOUR_FAINT, why);
}

void panels_draw_note(struct panels *p, int column, int row, int line, const char *note) {
    int y = panels_top(p, row) + p->panel + 7 + line * 15;
    paced_canvas_text(&p->canvas, panels_left(p, column), y, 1, PACED_COLOUR_FAINT, note);
}

double panels_mean(const struct panels *p, const float *values) {
    size_t count = (size_t)p->size * (size_t)p->size;
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)values[i];
    return sum / (double)count;
}

double panels_foreground(const struct panels *p, const uint8_t *label) {
    size_t count = (size_t)p->size * (size_t)p->size, foreground = 0;
    for (size_t i = 0; i < count; ++i) foreground += label[i] > 0;
    return (double)foreground / (double)count;
}
