/* Runs of a report: single runs, or all runs of an experiment. A directory may be both, because `paced train` with an
 * experiment's configuration trains a network into the experiment's directory. */
#include "src/run/report_runs.h"

#include <stdlib.h>
#include <string.h>

#include "paced/config.h"
#include "paced/report.h"
#include "src/run/files.h"

#define LIST "runs.txt"

enum { LARGEST_LIST = 1 << 24 };

void report_runs_finish(struct report_runs *list) {
    for (size_t i = 0; i < list->run_count; ++i) free(list->runs[i]);
    for (size_t i = 0; i < list->experiment_count; ++i) free(list->experiments[i]);
    free(list->runs);
    free(list->experiments);
    *list = (struct report_runs){0};
}

/* Length without trailing slashes. */
static size_t length_of(const char *dir) {
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/') --length;
    return length;
}

static void add(char ***dirs, size_t *count, const char *dir) {
    char *name = paced_format("%.*s", (int)length_of(dir), dir);
    for (size_t i = 0; i < *count; ++i)
        if (strcmp((*dirs)[i], name) == 0) {
            free(name);
            return;
        }
    *dirs = paced_grow(*dirs, *count + 1, sizeof **dirs);
    (*dirs)[(*count)++] = name;
}

void report_runs_add(struct report_runs *list, const char *dir) {
    add(&list->runs, &list->run_count, dir);
}

void report_runs_add_experiment(struct report_runs *list, const char *dir) {
    add(&list->experiments, &list->experiment_count, dir);
}

/* ---- list of an experiment ----------------------------------------------------------------------------------- */

static bool has_file(const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    bool exists = paced_path_exists(path);
    free(path);
    return exists;
}

enum paced_err report_runs_keep(const struct report_runs *list, const char *dir) {
    struct paced_text text = {0};
    size_t length = length_of(dir);
    for (size_t i = 0; i < list->run_count; ++i) {
        const char *run = list->runs[i];
        bool within = strncmp(run, dir, length) == 0 && run[length] == '/';
        paced_text_add(&text, "%s\n", within ? run + length + 1 : run);
    }
    char *path = paced_path_join(dir, LIST);
    enum paced_err err = paced_file_write(path, text.data, text.size);
    free(path);
    free(text.data);
    return err;
}

/* Returns whether the run exists. */
static bool take_line(struct report_runs *list, const char *dir, const char *line) {
    char *run = paced_path_join(dir, line);
    bool there = has_file(run, "config.ini");
    if (there)
        report_runs_add(list, run);
    else
        paced_log(PACED_LOG_WARN, "%s: listed by %s, but has no config.ini; the report omits it", run, dir);
    free(run);
    return there;
}

static enum paced_err take_experiment(struct report_runs *list, const char *dir) {
    char *path = paced_path_join(dir, LIST);
    uint8_t *data;
    size_t size;
    bool any = false;
    enum paced_err err = paced_file_read(path, LARGEST_LIST, &data, &size);
    if (!err) {
        for (char *rest = NULL, *line = strtok_r((char *)data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
            any |= take_line(list, dir, line);
        free(data);
        report_runs_add_experiment(list, dir);
        if (!any) err = paced_error_at(PACED_INVALID, path, "names no run that still exists; run the experiment again");
    }
    free(path);
    return err;
}

enum paced_err report_runs_take(struct report_runs *list, const char *dir) {
    bool is_experiment = has_file(dir, LIST);
    if (is_experiment) PACED_TRY(take_experiment(list, dir));
    if (!is_experiment || has_file(dir, "config.ini")) report_runs_add(list, dir);
    return PACED_OK;
}

/* ---- the report ---------------------------------------------------------------------------------------------- */

/* Configuration of a run, as the report shows it. */
struct shown_run {
    struct paced_config config;
    struct paced_settings settings;
    char *ini;
};

static enum paced_err open_run(struct shown_run *shown, const char *dir) {
    char *path = paced_path_join(dir, "config.ini");
    enum paced_err err = PACED_OK;
    if (!paced_path_exists(path))
        err = paced_error_at(PACED_INVALID, dir,
                             "is not a run directory (no config.ini) or an experiment directory (no runs.txt); name "
                             "one written by `paced train`, `test`, `robustness` or `experiment`");
    if (!err) err = paced_config_load(&shown->config, path, NULL, 0);
    free(path);
    if (err) return err;
    shown->settings = paced_config_settings(&shown->config);
    shown->ini = paced_config_text(&shown->config);
    return PACED_OK;
}

static void close_run(struct shown_run *shown) {
    paced_settings_finish(&shown->settings);
    free(shown->ini);
    paced_config_finish(&shown->config);
}

enum paced_err report_runs_show(const struct report_runs *list, const char *title, const char *dir) {
    struct shown_run *shown = paced_alloc(list->run_count, sizeof *shown);
    struct paced_report_run *runs = paced_alloc(list->run_count, sizeof *runs);
    struct paced_config base;
    enum paced_err err = paced_config_load(&base, NULL, NULL, 0);
    struct paced_settings defaults = err ? (struct paced_settings){0} : paced_config_settings(&base);
    size_t count = 0;
    while (!err && count < list->run_count) {
        struct shown_run *run = &shown[count];
        err = open_run(run, list->runs[count]);
        if (err) break;
        runs[count] = (struct paced_report_run){list->runs[count], &run->settings, run->ini, &run->config.data};
        ++count;
    }
    if (!err)
        err = paced_report_write(&(struct paced_report_sources){.runs = runs,
                                                                .run_count = count,
                                                                .defaults = &defaults,
                                                                .experiments = (const char *const *)list->experiments,
                                                                .experiment_count = list->experiment_count},
                                 title, dir);
    while (count > 0) close_run(&shown[--count]);
    paced_settings_finish(&defaults);
    paced_config_finish(&base);
    free(runs);
    free(shown);
    return err;
}

enum paced_err report_run(const char *dir) {
    struct report_runs list = {0};
    report_runs_add(&list, dir);
    enum paced_err err = report_runs_show(&list, NULL, dir);
    report_runs_finish(&list);
    return err;
}
