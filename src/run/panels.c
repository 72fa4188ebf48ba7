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

/* Extent of the image after shrinking, if its longer side exceeds WANTED. */
static struct paced_extent shown_of(struct paced_extent image) {
    int longer = image.height > image.width ? image.height : image.width;
    if (longer <= WANTED) return image;
    int height = (int)((long)image.height * WANTED / longer), width = (int)((long)image.width * WANTED / longer);
    return (struct paced_extent){height > 0 ? height : 1, width > 0 ? width : 1};
}

static int scale_of(struct paced_extent image) {
    struct paced_extent shown = shown_of(image);
    int longer = shown.height > shown.width ? shown.height : shown.width;
    return (WANTED + longer / 2) / longer;
}

static int cell_of(struct paced_extent image) {
    int panel = shown_of(image).width * scale_of(image);
    return panel < NARROWEST ? NARROWEST : panel;
}

int panels_width(struct paced_extent image, int columns) {
    return columns * cell_of(image) + (columns + 1) * PANELS_MARGIN;
}

struct panels panels_create(struct paced_extent image, int columns, int rows, int below) {
    struct panels p = {.image = image, .shown = shown_of(image), .scale = scale_of(image), .cell = cell_of(image)};
    p.panel = (struct paced_extent){p.shown.height * p.scale, p.shown.width * p.scale};
    p.bottom = HEADER + rows * (TITLE + p.panel.height + NOTES) + (rows + 1) * PANELS_MARGIN;
    p.canvas = paced_canvas_create(panels_width(image, columns), p.bottom + below, PACED_COLOUR_PAPER);
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
    return PANELS_MARGIN + HEADER + row * (TITLE + p->panel.height + NOTES + PANELS_MARGIN) + TITLE;
}

static size_t shown_pixels(const struct panels *p) {
    return paced_extent_pixels(p->shown);
}

static void draw_frame(struct panels *p, int column, int row, const char *title) {
    int x = panels_left(p, column), y = panels_top(p, row);
    paced_canvas_text(&p->canvas, x, y - TITLE, 2, PACED_COLOUR_TEXT, title);
    paced_canvas_frame(&p->canvas, x, y, p->panel.width, p->panel.height, PACED_COLOUR_FAINT);
    paced_canvas_fill(&p->canvas, x, y, p->panel.width, p->panel.height, PACED_COLOUR_UNKNOWN);
}

void panels_draw_image(struct panels *p, int column, int row, const char *title, const uint8_t *rgb) {
    uint8_t *shown = paced_alloc(shown_pixels(p), 3);
    paced_shrink_image(rgb, p->image, shown, p->shown);
    draw_frame(p, column, row, title);
    paced_canvas_image(&p->canvas, panels_left(p, column), panels_top(p, row), p->scale, shown, p->shown.width,
                       p->shown.height);
    free(shown);
}

void panels_draw_map(struct panels *p, int column, int row, const char *title, const float *values, double max) {
    int x = panels_left(p, column), y = panels_top(p, row);
    float *shown = paced_alloc(shown_pixels(p), sizeof *shown);
    paced_shrink_map(values, p->image, shown, p->shown);
    draw_frame(p, column, row, title);
    paced_canvas_map(&p->canvas, x, y, p->scale, shown, p->shown.width, p->shown.height, max);
    paced_canvas_colour_bar(&p->canvas, x, y + p->panel.height + 6, p->panel.width, BAR, max);
    free(shown);
}

void panels_draw_labels(struct panels *p, int column, int row, const uint8_t *label, const uint32_t *colours,
                        double tint) {
    int x = panels_left(p, column), y = panels_top(p, row);
    uint8_t *shown = paced_alloc(shown_pixels(p), 1);
    paced_shrink_labels(label, p->image, shown, p->shown);
    if (tint > 0) paced_canvas_tint(&p->canvas, x, y, p->scale, shown, p->shown.width, p->shown.height, colours, tint);
    paced_canvas_outlines(&p->canvas, x, y, p->scale, shown, p->shown.width, p->shown.height, colours, 1);
    free(shown);
}

void panels_draw_missing(struct panels *p, int column, int row, const char *title, const char *why) {
    draw_frame(p, column, row, title);
    paced_canvas_text(&p->canvas, panels_left(p, column) + (p->panel.width - paced_text_width(why, 2)) / 2,
                      panels_top(p, row) + p->panel.height / 2 - PACED_TEXT_HEIGHT, 2, PACED_COLOUR_FAINT, why);
}

void panels_draw_note(struct panels *p, int column, int row, int line, const char *note) {
    int y = panels_top(p, row) + p->panel.height + 7 + line * 15;
    paced_canvas_text(&p->canvas, panels_left(p, column), y, 1, PACED_COLOUR_FAINT, note);
}

double panels_mean(const struct panels *p, const float *values, const uint8_t *label) {
    size_t pixels = paced_extent_pixels(p->image), count = label ? paced_counted(label, pixels) : pixels;
    double sum = 0;
    for (size_t i = 0; i < pixels; ++i)
        if (!label || label[i] != PACED_IGNORED) sum += (double)values[i];
    return count > 0 ? sum / (double)count : 0;
}

double panels_foreground(const struct panels *p, const uint8_t *label) {
    size_t pixels = paced_extent_pixels(p->image), count = paced_counted(label, pixels), foreground = 0;
    for (size_t i = 0; i < pixels; ++i) foreground += label[i] > 0 && label[i] != PACED_IGNORED;
    return count > 0 ? (double)foreground / (double)count : 0;
}
