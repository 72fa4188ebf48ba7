#include "src/report/html/figure.h"

#include <stdlib.h>

#include "src/report/html/html.h"

/* ---- the page ------------------------------------------------------------------------------------------------ */

static void add_legend(struct paced_text *out, const struct chart *chart) {
    paced_text_add(out, "<ul class=\"legend\">");
    for (size_t s = 0; s < chart->series_count; ++s) {
        paced_text_add(out, "<li>");
        chart_add_sample(out, s);
        html_text(out, chart->series[s].name);
        paced_text_add(out, "</li>");
    }
    paced_text_add(out, "</ul>\n");
}

static void add_to_page(struct paced_text *out, const struct figure *figure, size_t drawn) {
    paced_text_add(out, "<figure id=\"%s\"><figcaption>", figure->id);
    html_text(out, figure->caption);
    paced_text_add(out, "</figcaption>\n");
    add_legend(out, &figure->charts[0]);
    paced_text_add(out, "<div class=\"charts%s\">\n", drawn == 1 ? " lone" : "");
    for (size_t i = 0; i < figure->chart_count; ++i) {
        if (!chart_has_points(&figure->charts[i])) continue;
        char *id = paced_format("%s-%zu", figure->id, i + 1);
        chart_add(out, &figure->charts[i], id);
        free(id);
    }
    paced_text_add(out, "</div></figure>\n");
}

/* ---- the PNG file -------------------------------------------------------------------------------------------- */

enum { COLUMNS = 3, PANEL_WIDTH = 480, PANEL_HEIGHT = 300, MARGIN = 24 };

static void draw_panel(struct paced_canvas *canvas, int x, int y, struct chart *chart) {
    const struct chart_axes axes = chart_prepare(chart);
    char *title = paced_format("%s%s%s (%s)", chart->title ? chart->title : "", chart->title ? ": " : "", chart->y_name,
                               chart->y_unit);
    char *x_label = paced_format("%s (%s)", chart->x_name, chart->x_unit);
    const struct paced_plot plot = {.title = title,
                                    .x_label = x_label,
                                    .y_label = "",
                                    .x_min = axes.x.min,
                                    .x_max = axes.x.max,
                                    .y_min = axes.y.min,
                                    .y_max = axes.y.max,
                                    .series = chart->series,
                                    .series_count = chart->series_count};
    paced_canvas_plot(canvas, x, y, PANEL_WIDTH, PANEL_HEIGHT, &plot);
    free(x_label);
    free(title);
}

static enum paced_err write_png(const struct figure *figure, size_t drawn, const char *path) {
    int columns = drawn < COLUMNS ? (int)drawn : COLUMNS, rows = ((int)drawn + columns - 1) / columns, place = 0;
    int width = columns * PANEL_WIDTH;
    const struct chart *first = &figure->charts[0];
    int legend = paced_canvas_legend(NULL, 0, 0, width, first->series, first->series_count);
    int top = MARGIN + legend + MARGIN;
    struct paced_canvas canvas =
        paced_canvas_create(width + 2 * MARGIN, top + rows * (PANEL_HEIGHT + MARGIN), PACED_COLOUR_PAPER);
    paced_canvas_legend(&canvas, MARGIN, MARGIN, width, first->series, first->series_count);
    for (size_t i = 0; i < figure->chart_count; ++i) {
        if (!chart_has_points(&figure->charts[i])) continue;
        draw_panel(&canvas, MARGIN + place % columns * PANEL_WIDTH, top + place / columns * (PANEL_HEIGHT + MARGIN),
                   &figure->charts[i]);
        ++place;
    }
    enum paced_err err = paced_canvas_write(&canvas, path);
    paced_canvas_finish(&canvas);
    return err;
}

enum paced_err figure_add(struct paced_text *out, const struct figure *figure, const char *png_dir) {
    size_t drawn = 0;
    for (size_t i = 0; i < figure->chart_count; ++i) drawn += chart_has_points(&figure->charts[i]);
    if (drawn > 0) add_to_page(out, figure, drawn);
    if (!png_dir) return PACED_OK;
    char *name = paced_format("%s.png", figure->id), *path = paced_path_join(png_dir, name);
    enum paced_err err = drawn > 0 ? write_png(figure, drawn, path) : paced_file_remove(path);
    free(path);
    free(name);
    return err;
}
