/* text: text on a canvas, drawn by cairo in a font of the system. */
#include <cairo.h>
#include <math.h>
#include <stdlib.h>

#include "paced/report.h"

/* Font size, pixels, whose capitals are one pixel high: those of DejaVu Sans are 0.729 of the size. */
#define SIZE_PER_CAPITAL (1 / 0.729)

/* A context for masks of width x height pixels, with the font of this scale. */
static cairo_t *open_context(int width, int height, int scale) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
    cairo_t *context = cairo_create(surface);
    cairo_surface_destroy(surface);
    cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context, PACED_TEXT_HEIGHT * scale * SIZE_PER_CAPITAL);
    return context;
}

/* Text that cairo accepts. Release with free(). */
static char *valid(const char *text) {
    char *copy = paced_strdup(text);
    paced_text_clean(copy);
    return copy;
}

int paced_text_width(const char *text, int scale) {
    char *copy = valid(text);
    cairo_t *context = open_context(1, 1, scale);
    cairo_text_extents_t extents;
    cairo_text_extents(context, copy, &extents);
    cairo_destroy(context);
    free(copy);
    return (int)ceil(extents.x_advance);
}

/* Mixes the colour into the pixels of the canvas by the coverage of the mask. */
static void blend(struct paced_canvas *canvas, int x, int y, cairo_surface_t *mask, uint32_t colour) {
    cairo_surface_flush(mask);
    int width = cairo_image_surface_get_width(mask), height = cairo_image_surface_get_height(mask);
    int stride = cairo_image_surface_get_stride(mask);
    const uint8_t *coverage = cairo_image_surface_get_data(mask);
    for (int row = 0; coverage && row < height; ++row, coverage += stride)
        for (int column = 0; column < width; ++column) {
            int at_x = x + column, at_y = y + row, a = coverage[column];
            if (!a || at_x < 0 || at_y < 0 || at_x >= canvas->width || at_y >= canvas->height) continue;
            uint8_t *pixel = canvas->rgb + ((size_t)at_y * (size_t)canvas->width + (size_t)at_x) * 3;
            for (int c = 0; c < 3; ++c)
                pixel[c] = (uint8_t)((pixel[c] * (255 - a) + (int)(colour >> (16 - 8 * c) & 0xff) * a + 127) / 255);
        }
}

void paced_canvas_text(struct paced_canvas *canvas, int x, int y, int scale, uint32_t colour, const char *text) {
    int capitals = PACED_TEXT_HEIGHT * scale, margin = capitals; /* accents above, descenders below, overhang */
    int width = paced_text_width(text, scale) + 2 * margin;
    char *copy = valid(text);
    cairo_t *context = open_context(width, capitals + 2 * margin, scale);
    cairo_move_to(context, margin, margin + capitals);
    cairo_show_text(context, copy);
    blend(canvas, x - margin, y - margin, cairo_get_target(context), colour);
    cairo_destroy(context);
    free(copy);
}
