/* Two rows of three cells: image, mask, weight; u_p, u_b, u. A cell is a title, the panel, a legend or a note, and a
 * note. Small panels are scaled up by a whole factor, so that a pixel stays a square. */
#include "src/run/sheet.h"

#include <stdlib.h>

enum {
    MARGIN = 16, /* around all, and between cells */
    HEADER = 46, /* title and settings */
    TITLE = 22,  /* from a cell's top to its panel */
    NOTES = 34,  /* from the panel's end to the cell's: legend and note */
    BAR = 9,
    NARROWEST = 14 * 12, /* a cell's width: a title of 14 letters at scale 2 */
    WANTED = 256,        /* a panel's width in pixels, about */
};

struct layout {
    struct paced_canvas canvas;
    int size, scale, panel, cell;
};

static struct layout lay_out(int size) {
    struct layout l = {.size = size, .scale = (WANTED + size / 2) / size};
    if (l.scale < 1) l.scale = 1;
    l.panel = size * l.scale;
    l.cell = l.panel < NARROWEST ? NARROWEST : l.panel;
    l.canvas = paced_canvas_create(3 * l.cell + 4 * MARGIN, HEADER + 2 * (TITLE + l.panel + NOTES) + 3 * MARGIN,
                                   PACED_COLOUR_PAPER);
    return l;
}

static int left_of(const struct layout *l, int column) {
    return MARGIN + column * (l->cell + MARGIN);
}

static int top_of(const struct layout *l, int row) { /* of the panel */
    return MARGIN + HEADER + row * (TITLE + l->panel + NOTES + MARGIN) + TITLE;
}

/* Title and frame of a cell, and an empty panel. */
static void draw_cell(struct layout *l, int column, int row, const char *title) {
    int x = left_of(l, column), y = top_of(l, row);
    paced_canvas_text(&l->canvas, x, y - TITLE, 2, PACED_COLOUR_TEXT, title);
    paced_canvas_frame(&l->canvas, x, y, l->panel, l->panel, PACED_COLOUR_FAINT);
    paced_canvas_fill(&l->canvas, x, y, l->panel, l->panel, PACED_COLOUR_UNKNOWN);
}

static void draw_note(struct layout *l, int column, int row, int line, const char *note) {
    int y = top_of(l, row) + l->panel + 7 + line * 15;
    paced_canvas_text(&l->canvas, left_of(l, column), y, 1, PACED_COLOUR_FAINT, note);
}

static double mean_of(const float *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)values[i];
    return sum / (double)count;
}

static void draw_missing(struct layout *l, int column, int row, const char *title) {
    static const char text[] = "no mask";
    draw_cell(l, column, row, title);
    paced_canvas_text(&l->canvas, left_of(l, column) + (l->panel - paced_text_width(text, 2)) / 2,
                      top_of(l, row) + l->panel / 2 - PACED_TEXT_HEIGHT, 2, PACED_COLOUR_FAINT, text);
}

static void draw_map(struct layout *l, int column, int row, const char *title, const float *values, double most) {
    if (!values) {
        draw_missing(l, column, row, title);
        return;
    }
    int x = left_of(l, column), y = top_of(l, row);
    char note[64];
    snprintf(note, sizeof note, "mean %.4f", mean_of(values, (size_t)l->size * (size_t)l->size));
    draw_cell(l, column, row, title);
    paced_canvas_map(&l->canvas, x, y, l->scale, values, l->size, l->size, most);
    paced_canvas_colour_bar(&l->canvas, x, y + l->panel + 6, l->panel, BAR, most);
    draw_note(l, column, row, 1, note);
}

static void draw_image(struct layout *l, const struct sheet *s) {
    char note[64];
    snprintf(note, sizeof note, "%d x %d, seen as %d x %d", s->width, s->height, s->size, s->size);
    draw_cell(l, 0, 0, "image");
    paced_canvas_image(&l->canvas, left_of(l, 0), top_of(l, 0), l->scale, s->rgb, s->size, s->size);
    draw_note(l, 0, 0, 0, note);
}

/* Classes in even steps of grey, the background black. */
static void draw_mask(struct layout *l, const struct sheet *s) {
    if (!s->label) {
        draw_missing(l, 1, 0, "mask");
        return;
    }
    size_t pixels = (size_t)s->size * (size_t)s->size, foreground = 0;
    uint8_t *rgb = paced_alloc(pixels, 3);
    for (size_t i = 0; i < 3 * pixels; ++i) rgb[i] = (uint8_t)(255 * s->label[i / 3] / (s->classes - 1));
    for (size_t i = 0; i < pixels; ++i) foreground += s->label[i] > 0;
    char note[64];
    snprintf(note, sizeof note, "foreground %.1f%%", 100 * (double)foreground / (double)pixels);
    draw_cell(l, 1, 0, "mask");
    paced_canvas_image(&l->canvas, left_of(l, 1), top_of(l, 0), l->scale, rgb, s->size, s->size);
    draw_note(l, 1, 0, 0, note);
    free(rgb);
}

enum paced_err sheet_write(const struct sheet *s, const char *path) {
    struct layout l = lay_out(s->size);
    char fused[64];
    snprintf(fused, sizeof fused, "u %s", s->fusion);
    paced_canvas_text(&l.canvas, MARGIN, MARGIN, 2, PACED_COLOUR_TEXT, s->title);
    paced_canvas_text(&l.canvas, MARGIN, MARGIN + 25, 1, PACED_COLOUR_FAINT, s->settings);
    draw_image(&l, s);
    draw_mask(&l, s);
    draw_map(&l, 2, 0, "weight", s->weight, 1);
    draw_map(&l, 0, 1, "u_p prediction", s->u_p, 1);
    draw_map(&l, 1, 1, "u_b boundary", s->u_b, 0.5);
    draw_map(&l, 2, 1, fused, s->u, 1);
    enum paced_err err = paced_canvas_write(&l.canvas, path);
    paced_canvas_finish(&l.canvas);
    return err;
}
