/* figure: a group of charts, in the page and as a file. */
#include "src/report/figure.h"

#include <stdlib.h>
#include <string.h>

#include "src/report/html.h"

/* ---- the page ------------------------------------------------------------------------------------------------ */

static void add_legend(struct paced_text *out, const struct chart *chart) {
    paced_text_add(out, "<ul class=\"legend\">");
    for (size_t s = 0; s < chart->series_count; ++s) {
        paced_text_add(out, "<li>");
        chart_add_sample(out, s, 0, 0);
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
        chart_add(out, &figure->charts[i], id, "");
        free(id);
    }
    paced_text_add(out, "</div></figure>\n");
}

/* ---- files --------------------------------------------------------------------------------------------------- */

enum { COLUMNS = 3, MARGIN = 24, GAP = 28, LEGEND_ROW = 22, SAMPLE = 44, NOTE = 24 };

void figure_begin(struct paced_text *out, int width, int height) {
    paced_text_add(out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
                   "<style>\n"
                   "text{font:12px 'DejaVu Sans',Arial,Helvetica,sans-serif;fill:#1c1e21}\n"
                   ".heading{font-size:14px;font-weight:600}.label{fill:#5c6268}\n"
                   ".middle{text-anchor:middle}.end{text-anchor:end}\n"
                   ".grid{stroke:#d9dce0}.axis{fill:none;stroke:#5c6268}\n"
                   ".line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}\n"
                   ".interval{fill:none;stroke:currentColor}\n"
                   ".mark{fill:currentColor;stroke:#fff;stroke-width:1.2;paint-order:stroke}\n"
                   ".s0{color:#0072b2}.s1{color:#b87f00}.s2{color:#1c1e21}.s3{color:#3a9bd6}.s4{color:#c85200}"
                   ".s5{color:#00835f}.s6{color:#b4588f}\n"
                   "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                   width, height, width, height);
}

void figure_add_text(struct paced_text *out, int x, int y, const char *class, const char *text) {
    paced_text_add(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
    html_text(out, text);
    paced_text_add(out, "</text>\n");
}

int figure_text_width(const char *text) {
    int characters = 0;
    for (; *text; ++text) characters += ((unsigned char)*text & 0xC0) != 0x80;
    return 15 * characters / 2;
}

/* Draws the legend, wrapped to `width`; returns its height. out NULL: only measures. */
static int draw_legend(struct paced_text *out, const struct chart *chart, int width) {
    int x = 0, y = 0;
    for (size_t s = 0; s < chart->series_count; ++s) {
        int item = SAMPLE + 8 + figure_text_width(chart->series[s].name) + GAP;
        if (x > 0 && x + item > width) {
            x = 0;
            y += LEGEND_ROW;
        }
        if (out) {
            chart_add_sample(out, s, MARGIN + x, MARGIN + y);
            figure_add_text(out, MARGIN + x + SAMPLE + 8, MARGIN + y + 11, "", chart->series[s].name);
        }
        x += item;
    }
    return y + LEGEND_ROW;
}

enum paced_err figure_write(const struct figure *figure, int columns, const char *note, const char *path) {
    int drawn = 0, place = 0;
    for (size_t i = 0; i < figure->chart_count; ++i) drawn += chart_has_points(&figure->charts[i]);
    if (columns > drawn) columns = drawn;
    int rows = (drawn + columns - 1) / columns, width = columns * (CHART_WIDTH + GAP) - GAP;
    int top = MARGIN + draw_legend(NULL, &figure->charts[0], width) + MARGIN / 2;
    int height = top + rows * (CHART_HEIGHT + GAP) + (*note ? NOTE : 0);
    struct paced_text out = {0};
    figure_begin(&out, width + 2 * MARGIN, height);
    draw_legend(&out, &figure->charts[0], width);
    for (size_t i = 0; i < figure->chart_count; ++i) {
        if (!chart_has_points(&figure->charts[i])) continue;
        char id[32], at[96];
        snprintf(id, sizeof id, "chart-%zu", i + 1);
        snprintf(at, sizeof at, " x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"",
                 MARGIN + place % columns * (CHART_WIDTH + GAP), top + place / columns * (CHART_HEIGHT + GAP),
                 CHART_WIDTH, CHART_HEIGHT);
        chart_add(&out, &figure->charts[i], id, at);
        ++place;
    }
    if (*note) figure_add_text(&out, MARGIN, height - NOTE, "label", note);
    paced_text_add(&out, "</svg>\n");
    enum paced_err err = paced_file_write(path, out.data, out.size);
    free(out.data);
    return err;
}

enum paced_err figure_add(struct paced_text *out, const struct figure *figure, const char *dir) {
    size_t drawn = 0;
    for (size_t i = 0; i < figure->chart_count; ++i) drawn += chart_has_points(&figure->charts[i]);
    if (drawn > 0) add_to_page(out, figure, drawn);
    if (!dir) return PACED_OK;
    char *name = paced_format("%s.svg", figure->id), *path = paced_path_join(dir, name);
    enum paced_err err = drawn > 0 ? figure_write(figure, COLUMNS, "", path) : paced_file_remove(path);
    free(path);
    free(name);
    return err;
}
