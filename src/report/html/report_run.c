#include "src/report/html/sections.h"

#include <stdlib.h>
#include <string.h>

#include "paced/data.h"

const char *report_run_value(const struct report_run *run, const char *key) {
    return paced_settings_value(run->source.settings, key);
}

char *report_run_path(const struct report_run *run, const char *name) {
    return paced_path_join(run->source.dir, name);
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *file;
    size_t offset;
} tables[] = {
    {"log.csv", offsetof(struct report_run, log)},
    {"summary.csv", offsetof(struct report_run, summary)},
    {"intervals.csv", offsetof(struct report_run, intervals)},
    {"reliability.csv", offsetof(struct report_run, reliability)},
    {"robustness_summary.csv", offsetof(struct report_run, robustness)},
    {"overlays/overlays.csv", offsetof(struct report_run, overlays)},
};

static struct paced_csv *table_of(struct report_run *run, size_t i) {
    return (struct paced_csv *)((char *)run + tables[i].offset);
}

/* Reads version and device from the first line of config.ini: "; paced VERSION on DEVICE". */
static enum paced_err read_origin(struct report_run *run, const char *path) {
    static const char begin[] = "; paced ", between[] = " on ";
    char *line, *on = NULL;
    PACED_TRY(paced_file_read_text(path, 0, &line));
    line[strcspn(line, "\r\n")] = '\0';
    bool found = strncmp(line, begin, strlen(begin)) == 0 && (on = strstr(line, between));
    if (found) *on = '\0';
    run->version = paced_strdup(found ? line + strlen(begin) : "");
    run->device = paced_strdup(found ? on + strlen(between) : "");
    free(line);
    return PACED_OK;
}

/* Reads the class names. The label table is not part of the run; without it, classes are shown by number. */
static enum paced_err read_class_names(struct report_run *run) {
    const struct paced_data_options *data = run->source.data;
    struct paced_masks *masks;
    size_t classes = (size_t)data->classes;
    if (*data->labels ? !paced_path_exists(data->labels) : data->dataset == PACED_DATA_ROBO) return PACED_OK;
    PACED_TRY(paced_masks_open(&masks, data));
    run->class_names = paced_alloc(classes, sizeof *run->class_names);
    for (size_t c = 0; c < classes; ++c) run->class_names[c] = paced_strdup(paced_masks_class_name(masks, (int)c));
    paced_masks_close(masks);
    return PACED_OK;
}

static enum paced_err read_files(struct report_run *run) {
    for (size_t i = 0; i < PACED_COUNT(tables); ++i) {
        char *path = report_run_path(run, tables[i].file);
        enum paced_err err = paced_csv_read_any(table_of(run, i), path);
        free(path);
        if (err) return err;
    }
    return read_class_names(run);
}

enum paced_err report_run_read(struct report_run *run, const struct paced_report_run *source) {
    *run = (struct report_run){.source = *source};
    char *path = report_run_path(run, "config.ini");
    enum paced_err err = read_origin(run, path);
    if (!err) err = read_files(run);
    free(path);
    if (err) report_run_finish(run);
    return err;
}

void report_run_finish(struct report_run *run) {
    for (size_t i = 0; i < PACED_COUNT(tables); ++i) paced_csv_finish(table_of(run, i));
    for (int64_t c = 0; run->class_names && c < run->source.data->classes; ++c) free(run->class_names[c]);
    free(run->class_names);
    free(run->device);
    free(run->version);
    *run = (struct report_run){0};
}

/* ---- labels -------------------------------------------------------------------------------------------------- */

const char *report_last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *candidate(const struct report_run *run, int choice) {
    return choice == 0   ? report_run_value(run, "run.name")
           : choice == 1 ? report_last_part(run->source.dir)
                         : run->source.dir;
}

static bool is_unique(const struct report_run *runs, size_t count, int choice) {
    for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < i; ++j)
            if (strcmp(candidate(&runs[i], choice), candidate(&runs[j], choice)) == 0) return false;
    return true;
}

void report_run_label(struct report_run *runs, size_t count) {
    int choice = 0;
    while (choice < 2 && !is_unique(runs, count, choice)) ++choice;
    for (size_t i = 0; i < count; ++i) runs[i].label = candidate(&runs[i], choice);
}
