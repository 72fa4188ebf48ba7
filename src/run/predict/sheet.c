/* Sheet of two rows of three panels: image, mask, weight; u_p, u_b, u. */
#include "src/run/predict/sheet.h"

#include <stdlib.h>

#include "src/run/panels.h"

static void draw_map(struct panels *p, const struct sheet *s, int column, int row, const char *title,
                     const float *values, double max) {
    if (!values) {
        panels_draw_missing(p, column, row, title, "no mask");
        return;
    }
    char note[64];
    snprintf(note, sizeof note, "mean %.4f", panels_mean(p, values, s->label));
    panels_draw_map(p, column, row, title, values, max);
    panels_draw_note(p, column, row, 1, note);
}

static void draw_image(struct panels *p, const struct sheet *s) {
    char note[64];
    snprintf(note, sizeof note, "%d x %d, seen as %d x %d", s->width, s->height, s->extent.width, s->extent.height);
    panels_draw_image(p, 0, 0, "image", s->rgb);
    panels_draw_note(p, 0, 0, 0, note);
}

/* Grey value of a mask's pixel: even steps for the classes, black for the background, stripes for ignored pixels. */
static uint8_t grey_at(const struct sheet *s, size_t pixel) {
    size_t width = (size_t)s->extent.width;
    if (s->label[pixel] == PACED_IGNORED) return (uint8_t)paced_stripes((int)(pixel % width), (int)(pixel / width));
    return (uint8_t)(255 * s->label[pixel] / (s->classes - 1));
}

static void draw_mask(struct panels *p, const struct sheet *s) {
    if (!s->label) {
        panels_draw_missing(p, 1, 0, "mask", "no mask");
        return;
    }
    size_t pixels = paced_extent_pixels(s->extent);
    uint8_t *rgb = paced_alloc(pixels, 3);
    for (size_t i = 0; i < 3 * pixels; ++i) rgb[i] = grey_at(s, i / 3);
    char note[64];
    snprintf(note, sizeof note, "foreground %.1f%%", 100 * panels_foreground(p, s->label));
    panels_draw_image(p, 1, 0, "mask", rgb);
    panels_draw_note(p, 1, 0, 0, note);
    free(rgb);
}

enum paced_err sheet_write(const struct sheet *s, const char *path) {
    struct panels p = panels_create(s->extent, 3, 2, 0);
    char fused[64];
    snprintf(fused, sizeof fused, "u %s", s->fusion);
    panels_draw_head(&p, s->title, s->settings);
    draw_image(&p, s);
    draw_mask(&p, s);
    draw_map(&p, s, 2, 0, "weight", s->weight, 1);
    draw_map(&p, s, 0, 1, "u_p prediction", s->u_p, 1);
    draw_map(&p, s, 1, 1, "u_b boundary", s->u_b, 0.5);
    draw_map(&p, s, 2, 1, fused, s->u, 1);
    enum paced_err err = paced_canvas_write(&p.canvas, path);
    panels_finish(&p);
    return err;
}
