#include "src/report/html/cells.h"

#include "src/report/html/html.h"

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

void cells_add_interval(struct paced_text *out, const char *low, const char *high) {
    paced_text_add(out, "<span class=\"interval\">");
    html_number(out, low);
    paced_text_add(out, " to ");
    html_number(out, high);
    paced_text_add(out, "</span>");
}

void cells_add_stddev(struct paced_text *out, const char *stddev) {
    paced_text_add(out, "<span class=\"interval\">&plusmn; ");
    html_number(out, stddev);
    paced_text_add(out, "</span>");
}
