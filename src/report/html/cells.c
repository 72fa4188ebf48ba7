#include "src/report/html/cells.h"

#include "src/report/html.h"

void cells_add_heading(struct paced_text *out, const char *name, bool less_is_better, const char *unit) {
    paced_text_add(out,
                   "<th scope=\"col\" class=\"number\">%s <abbr title=\"%s is better\">%s</abbr>"
                   "<span class=\"unit\">%s</span></th>",
                   name, less_is_better ? "lower" : "higher", less_is_better ? "&darr;" : "&uarr;", unit);
}

void cells_add_metric_heading(struct paced_text *out, enum paced_metric metric) {
    cells_add_heading(out, paced_metric_table[metric].name, paced_metric_table[metric].lower_is_better,
                      paced_metric_table[metric].unit);
}

void cells_add_count(struct paced_text *out, const char *count) {
    html_element(out, "td", " class=\"number\"", count);
}

void cells_add_value(struct paced_text *out, const char *value, const char *low, const char *high, const char *mark,
                     const char *number) {
    paced_text_add(out, "<td class=\"number\">");
    html_number(out, value);
    if (low && high) {
        paced_text_add(out, "<span class=\"interval\">");
        html_number(out, low);
        paced_text_add(out, " to ");
        html_number(out, high);
        paced_text_add(out, "</span>");
    }
    if (number) {
        paced_text_add(out, "<span class=\"interval\">%s", mark);
        html_number(out, number);
        paced_text_add(out, "</span>");
    }
    paced_text_add(out, "</td>");
}
