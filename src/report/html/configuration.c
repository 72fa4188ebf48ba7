/* configuration: the keys that differ between runs (for a single run: from the defaults), then all keys of each run. */
#include <stdlib.h>
#include <string.h>

#include "src/report/html.h"
#include "src/report/html/sections.h"

/* Column of the table of differences. */
struct column {
    const char *label;
    const struct paced_setting *settings; /* in the same order in all columns */
};

/* Adds the row of a key if its values differ. */
static void add_if_different(struct paced_text *out, const struct column *columns, size_t count, size_t key) {
    bool differs = false;
    for (size_t i = 1; i < count; ++i)
        differs |= strcmp(columns[i].settings[key].value, columns[0].settings[key].value) != 0;
    if (!differs) return;
    paced_text_add(out, "<tr><th scope=\"row\"><code>%s</code></th>", columns[0].settings[key].name);
    for (size_t i = 0; i < count; ++i) html_element(out, "td", " class=\"value\"", columns[i].settings[key].value);
    paced_text_add(out, "</tr>\n");
}

static void add_differences(struct paced_text *out, const struct report *report, const struct column *columns,
                            size_t count) {
    const struct paced_settings *first = report->runs[0].source.settings;
    html_table_begin(out, "keys",
                     report->count > 1 ? "Keys that differ between the runs."
                                       : "Keys that differ from their defaults.");
    paced_text_add(out, "<thead><tr><th scope=\"col\">key</th>");
    for (size_t i = 0; i < count; ++i) html_element(out, "th", " scope=\"col\"", columns[i].label);
    paced_text_add(out, "</tr></thead><tbody>\n");
    for (size_t key = 0; key < first->count; ++key) {
        const char *name = first->items[key].name;
        bool place = strcmp(name, "run.name") == 0 || strcmp(name, "run.output") == 0; /* has no default */
        if (report->count > 1 || !place) add_if_different(out, columns, count, key);
    }
    html_table_end(out);
}

static void add_whole(struct paced_text *out, const struct report_run *run) {
    paced_text_add(out, "<details><summary>All keys of ");
    html_text(out, run->label);
    paced_text_add(out, "</summary>\n");
    html_element(out, "pre", " tabindex=\"0\"", run->source.ini);
    paced_text_add(out, "</details>\n");
}

enum paced_err section_configuration(struct paced_text *out, const struct report *report) {
    struct column *columns = paced_alloc(report->count + 1, sizeof *columns);
    size_t count = 0;
    for (; count < report->count; ++count)
        columns[count] = (struct column){report->runs[count].label, report->runs[count].source.settings->items};
    if (count == 1) columns[count++] = (struct column){"default", report->defaults->items};
    add_differences(out, report, columns, count);
    for (size_t i = 0; i < report->count; ++i) add_whole(out, &report->runs[i]);
    free(columns);
    return PACED_OK;
}
