/* Row of four panels, image, mask, prediction and uncertainty, above a legend of the classes. */
#include "src/run/overlay.h"

#include <stdlib.h>

#include "src/run/class_colours.h"
#include "src/run/panels.h"

#define TINT 0.4

enum { COLUMNS = 4, SWATCH = 2 * PACED_TEXT_HEIGHT, LEGEND_ROW = SWATCH + 8, LEGEND_GAP = 24 };

/* ---- the legend ---------------------------------------------------------------------------------------------- */

struct legend {
    uint32_t colours[CLASS_COLOURS];
    bool present[CLASS_COLOURS];
};

static struct legend make_legend(const struct example *e, const struct paced_dataset *dataset) {
    struct legend legend;
    class_colours(paced_dataset_masks(dataset), legend.colours);
    for (int c = 0; c < CLASS_COLOURS; ++c) legend.present[c] = false;
    size_t pixels = paced_extent_pixels(e->extent);
    for (size_t i = 0; i < pixels; ++i) legend.present[e->label[i]] = legend.present[e->prediction[i]] = true;
    return legend;
}

/* Wraps the legend into rows and returns its height in pixels. canvas NULL: draws nothing. */
static int draw_legend(const struct legend *legend, const struct paced_dataset *dataset, struct paced_canvas *canvas,
                       int left, int right, int top) {
    int x = left, y = top;
    for (int c = 1; c < CLASS_COLOURS; ++c) {
        if (!legend->present[c]) continue;
        const char *known = c == PACED_IGNORED ? "ignored" : paced_dataset_class_name(dataset, c);
        char *name = known ? paced_strdup(known) : paced_format("class %d", c);
        int width = SWATCH + 6 + paced_text_width(name, 2);
        if (x > left && x + width > right) {
            x = left;
            y += LEGEND_ROW;
        }
        if (canvas) {
            paced_canvas_frame(canvas, x, y, SWATCH, SWATCH, PACED_COLOUR_TEXT);
            paced_canvas_tint(canvas, x, y, SWATCH, &(uint8_t){(uint8_t)c}, 1, 1, legend->colours, 1);
            paced_canvas_text(canvas, x + SWATCH + 6, y, 2, PACED_COLOUR_TEXT, name);
        }
        x += width + LEGEND_GAP;
        free(name);
    }
    return y + LEGEND_ROW - top;
}

/* ---- the panels ---------------------------------------------------------------------------------------------- */

/* Draws the image with label[height][width] on top. */
static void draw_labels(struct panels *p, int column, const char *title, const struct example *e, const uint8_t *label,
                        const struct legend *legend) {
    panels_draw_image(p, column, 0, title, e->rgb);
    panels_draw_labels(p, column, 0, label, legend->colours, TINT);
    char note[64];
    snprintf(note, sizeof note, "foreground %.1f%%", 100 * panels_foreground(p, label));
    panels_draw_note(p, column, 0, 0, note);
}

static void draw_prediction(struct panels *p, const struct example *e, const struct legend *legend) {
    draw_labels(p, 2, "prediction", e, e->prediction, legend);
    panels_draw_labels(p, 2, 0, e->label, NULL, 0);
    panels_draw_note(p, 2, 0, 1, "dashed: the mask's outline");
}

static void draw_uncertainty(struct panels *p, const struct example *e) {
    char note[64];
    snprintf(note, sizeof note, "u = 1 - max softmax, mean %.4f", panels_mean(p, e->uncertainty, NULL));
    panels_draw_map(p, 3, 0, "uncertainty", e->uncertainty, e->classes == 2 ? 0.5 : 1);
    panels_draw_note(p, 3, 0, 1, note);
}

struct paced_canvas overlay_draw(const struct example *e, const struct paced_dataset *dataset, const char *title,
                                 const char *settings) {
    struct legend legend = make_legend(e, dataset);
    int left = PANELS_MARGIN, right = panels_width(e->extent, COLUMNS) - PANELS_MARGIN;
    struct panels p = panels_create(e->extent, COLUMNS, 1, draw_legend(&legend, dataset, NULL, left, right, 0));
    panels_draw_head(&p, title, settings);
    panels_draw_image(&p, 0, 0, "image", e->rgb);
    draw_labels(&p, 1, "mask", e, e->label, &legend);
    draw_prediction(&p, e, &legend);
    draw_uncertainty(&p, e);
    draw_legend(&legend, dataset, &p.canvas, left, right, p.bottom);
    return p.canvas;
}
