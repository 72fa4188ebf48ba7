/* Contact sheet: a table of panels. Small images are enlarged by a whole factor, so that pixels stay square. Large ones
 * are subsampled, because averaging would remove the noise that the sheet shows. */
#include "src/run/robustness/contact_sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/report.h"
#include "src/run/example.h"

#define OUTLINE 0xff8c1au

enum {
    MARGIN = 16,
    GAP = 4,                        /* between panels */
    HEADER = 4 * PACED_TEXT_HEIGHT, /* name of the image, severities */
    WANTED = 128,                   /* approximate minimum width of a panel, pixels */
    MAX_SIDE = 256,                 /* maximum width of a panel, pixels */
};

struct sheet_layout {
    struct paced_canvas canvas;
    struct paced_extent image, shown, panel; /* the image; after subsampling; after enlargement */
    int scale;                               /* factor of enlargement */
    int names;                               /* width of the first column, pixels */
    uint32_t colours[256];                   /* outlines of the classes */
};

/* Unchanged image of the data set. */
struct specimen {
    size_t index;
    uint8_t *rgb, *label;
};

static enum paced_err find_specimen(struct paced_dataset *dataset, struct specimen *found) {
    size_t pixels = paced_extent_pixels(paced_dataset_extent(dataset)), count = paced_dataset_count(dataset);
    for (found->index = 0; found->index < count; ++found->index) {
        PACED_TRY(paced_dataset_load(dataset, found->index, found->rgb, found->label));
        if (label_has_foreground(found->label, pixels)) return PACED_OK;
    }
    found->index = 0;
    return paced_dataset_load(dataset, 0, found->rgb, found->label);
}

static struct sheet_layout lay_out(struct paced_extent image, const struct corruption_plan *plan) {
    int longer = image.height > image.width ? image.height : image.width, side = longer < MAX_SIDE ? longer : MAX_SIDE;
    struct sheet_layout l = {
        .image = image,
        .shown = {(int)((long)image.height * side / longer), (int)((long)image.width * side / longer)},
        .scale = (WANTED + longer / 2) / longer};
    if (l.shown.height < 1) l.shown.height = 1;
    if (l.shown.width < 1) l.shown.width = 1;
    if (l.scale < 1) l.scale = 1;
    for (size_t c = 0; c < PACED_COUNT(l.colours); ++c) l.colours[c] = OUTLINE;
    l.panel = (struct paced_extent){l.shown.height * l.scale, l.shown.width * l.scale};
    l.names = paced_text_width("severity", 2);
    for (size_t i = 0; i < plan->count; ++i)
        if (paced_text_width(plan->names[i], 2) > l.names) l.names = paced_text_width(plan->names[i], 2);
    l.names += MARGIN;
    int columns = plan->severity_count < 2 ? 2 : (int)plan->severity_count, rows = 1 + (int)plan->count;
    l.canvas = paced_canvas_create(2 * MARGIN + l.names + columns * (l.panel.width + GAP),
                                   2 * MARGIN + 2 * HEADER + rows * (l.panel.height + GAP), PACED_COLOUR_PAPER);
    return l;
}

static int left_of(const struct sheet_layout *l, size_t column) {
    return MARGIN + l->names + (int)column * (l->panel.width + GAP);
}

/* Row 0 is the clean image; the severities are printed between it and row 1. */
static int top_of(const struct sheet_layout *l, size_t row) {
    return MARGIN + HEADER + (row ? HEADER : 0) + (int)row * (l->panel.height + GAP);
}

static void draw_panel(struct sheet_layout *l, size_t row, size_t column, const uint8_t *rgb, const uint8_t *label) {
    int x = left_of(l, column), y = top_of(l, row);
    uint8_t *shown = paced_alloc(paced_extent_pixels(l->shown), 3);
    paced_resize_nearest(rgb, l->image.width, l->image.height, 3, shown, l->shown.width, l->shown.height);
    paced_canvas_image(&l->canvas, x, y, l->scale, shown, l->shown.width, l->shown.height);
    if (label) {
        paced_shrink_labels(label, l->image, shown, l->shown);
        paced_canvas_outlines(&l->canvas, x, y, l->scale, shown, l->shown.width, l->shown.height, l->colours, 1);
    }
    free(shown);
}

static void draw_name(struct sheet_layout *l, size_t row, const char *name) {
    paced_canvas_text(&l->canvas, MARGIN, top_of(l, row) + (l->panel.height - 2 * PACED_TEXT_HEIGHT) / 2, 2,
                      PACED_COLOUR_TEXT, name);
}

/* Draws one row of the table: the specimen corrupted at each severity. */
static enum paced_err draw_row(struct sheet_layout *l, const struct corruption_plan *plan, size_t row, uint64_t seed,
                               const struct specimen *s) {
    size_t pixels = paced_extent_pixels(l->image);
    float *values = paced_alloc(3 * pixels, sizeof *values);
    uint8_t *rgb = paced_alloc(pixels, 3), *label = paced_alloc(pixels, 1);
    enum paced_err err = PACED_OK;
    draw_name(l, 1 + row, plan->names[row]);
    for (size_t i = 0; !err && i < plan->severity_count; ++i) {
        const struct corruption corruption = {plan->corruptions[row], plan->severities[i], seed};
        for (size_t k = 0; k < 3 * pixels; ++k) values[k] = paced_unit(s->rgb[k]);
        memcpy(label, s->label, pixels);
        err = corruption_apply(&corruption, s->index, l->image, values, label);
        for (size_t k = 0; k < 3 * pixels; ++k) rgb[k] = (uint8_t)lroundf(255 * values[k]);
        draw_panel(l, 1 + row, i, rgb, label);
    }
    free(label);
    free(rgb);
    free(values);
    return err;
}

static enum paced_err draw(struct sheet_layout *l, const struct paced_dataset *dataset,
                           const struct corruption_plan *plan, uint64_t seed, const struct specimen *s) {
    paced_canvas_text(&l->canvas, MARGIN, MARGIN, 2, PACED_COLOUR_TEXT, paced_dataset_image_name(dataset, s->index));
    draw_name(l, 0, "clean");
    draw_panel(l, 0, 0, s->rgb, NULL);
    draw_panel(l, 0, 1, s->rgb, s->label);
    int y = top_of(l, 1) - HEADER / 2 - PACED_TEXT_HEIGHT;
    paced_canvas_text(&l->canvas, MARGIN, y, 2, PACED_COLOUR_TEXT, "severity");
    for (size_t i = 0; i < plan->severity_count; ++i) {
        char *text = paced_format("%d", plan->severities[i]);
        paced_canvas_text(&l->canvas, left_of(l, i) + (l->panel.width - paced_text_width(text, 2)) / 2, y, 2,
                          PACED_COLOUR_TEXT, text);
        free(text);
    }
    for (size_t row = 0; row < plan->count; ++row) PACED_TRY(draw_row(l, plan, row, seed, s));
    return PACED_OK;
}

enum paced_err contact_sheet_write(struct paced_dataset *dataset, const struct corruption_plan *plan, uint64_t seed,
                                   const char *path) {
    struct paced_extent extent = paced_dataset_extent(dataset);
    size_t pixels = paced_extent_pixels(extent);
    struct specimen s = {.rgb = paced_alloc(pixels, 3), .label = paced_alloc(pixels, 1)};
    struct sheet_layout l = lay_out(extent, plan);
    enum paced_err err = find_specimen(dataset, &s);
    if (!err) err = draw(&l, dataset, plan, seed, &s);
    if (!err) err = paced_canvas_write(&l.canvas, path);
    paced_canvas_finish(&l.canvas);
    free(s.label);
    free(s.rgb);
    return err;
}
