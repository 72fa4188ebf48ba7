/* configuration: the keys that differ between runs (for a single run: from the defaults), then all keys of each run. */
#include <stdlib.h>
#include <string.h>

#include "src/report/html/html.h"
#include "src/report/html/sections.h"

/* Copies name and output of the run into the defaults, because they are not settings to compare. */
static void take_place(struct paced_config *defaults, const struct paced_config *run) {
    free(defaults->run.name);
    free(defaults->run.output);
    defaults->run.name = paced_strdup(run->run.name);
    defaults->run.output = paced_strdup(run->run.output);
}

/* Column of the table of differences. */
struct column {
    const char *label;
    const struct paced_config *config;
};

/* Adds the row of a key if its values differ. */
static void add_if_different(struct paced_text *out, const struct column *columns, size_t count, size_t key) {
    struct paced_config_entry *entries = paced_alloc(count, sizeof *entries);
    bool differs = false;
    for (size_t i = 0; i < count; ++i) {
        paced_config_entry(columns[i].config, key, &entries[i]);
        differs |= strcmp(entries[i].value, entries[0].value) != 0;
    }
    if (differs) {
        paced_text_add(out, "<tr><th scope=\"row\"><code>%s.%s</code></th>", entries[0].section, entries[0].name);
        for (size_t i = 0; i < count; ++i) html_element(out, "td", " class=\"value\"", entries[i].value);
        paced_text_add(out, "</tr>\n");
    }
    for (size_t i = 0; i < count; ++i) free(entries[i].value);
    free(entries);
}

static size_t count_keys(const struct paced_config *config) {
    struct paced_config_entry entry;
    size_t count = 0;
    for (; paced_config_entry(config, count, &entry); ++count) free(entry.value);
    return count;
}

static void add_differences(struct paced_text *out, const struct column *columns, size_t count, const char *caption) {
    html_table_begin(out, "keys", caption);
    paced_text_add(out, "<thead><tr><th scope=\"col\">key</th>");
    for (size_t i = 0; i < count; ++i) html_element(out, "th", " scope=\"col\"", columns[i].label);
    paced_text_add(out, "</tr></thead><tbody>\n");
    for (size_t key = 0, keys = count_keys(columns[0].config); key < keys; ++key)
        add_if_different(out, columns, count, key);
    html_table_end(out);
}

static void add_whole(struct paced_text *out, const struct report_run *run) {
    char *text = paced_config_text(&run->config);
    paced_text_add(out, "<details><summary>All keys of ");
    html_text(out, run->label);
    paced_text_add(out, "</summary>\n");
    html_element(out, "pre", " tabindex=\"0\"", text);
    paced_text_add(out, "</details>\n");
    free(text);
}

enum paced_err section_configuration(struct paced_text *out, const struct report *report) {
    struct paced_config defaults;
    PACED_TRY(paced_config_load(&defaults, NULL, NULL, 0));
    struct column *columns = paced_alloc(report->count + 1, sizeof *columns);
    size_t count = 0;
    for (; count < report->count; ++count)
        columns[count] = (struct column){report->runs[count].label, &report->runs[count].config};
    take_place(&defaults, columns[0].config);
    if (count == 1) columns[count++] = (struct column){"default", &defaults};
    add_differences(out, columns, count,
                    report->count > 1 ? "Keys that differ between the runs." : "Keys that differ from their defaults.");
    for (size_t i = 0; i < report->count; ++i) add_whole(out, &report->runs[i]);
    free(columns);
    paced_config_finish(&defaults);
    return PACED_OK;
}
