/* File names of a run directory, in one table. */
#include "src/run/files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"

static const struct {
    const char *name;
    size_t offset;
    bool trained; /* written by a training only */
} table[] = {
    /* Removed in this order. The state comes first, so that a partly removed run is never resumed. */
    {PACED_RUN_STATE, offsetof(struct run_files, state), true},
    {"config.ini", offsetof(struct run_files, config)},
    {PACED_RUN_BEST, offsetof(struct run_files, best), true},
    {PACED_RUN_LAST, offsetof(struct run_files, last), true},
    {"log.csv", offsetof(struct run_files, log), true},
    {"losses.json", offsetof(struct run_files, losses), true},
    {"metrics.csv", offsetof(struct run_files, metrics)},
    {"summary.csv", offsetof(struct run_files, summary)},
    {"intervals.csv", offsetof(struct run_files, intervals)},
    {"reliability.csv", offsetof(struct run_files, reliability)},
    {"robustness.csv", offsetof(struct run_files, robustness)},
    {"robustness_summary.csv", offsetof(struct run_files, robustness_summary)},
    {"robustness.txt", offsetof(struct run_files, robustness_table)},
    {"contact_sheet.png", offsetof(struct run_files, contact_sheet)},
    {"report.html", offsetof(struct run_files, report)},
    {"curves.svg", offsetof(struct run_files, curves)},
    {"reliability.svg", offsetof(struct run_files, reliability_curve)},
};

static char **field(const struct run_files *files, size_t i) {
    return (char **)((char *)files + table[i].offset);
}

void run_files_init(struct run_files *files, const char *dir) {
    files->dir = paced_strdup(dir);
    files->overlays = paced_path_join(dir, "overlays");
    for (size_t i = 0; i < PACED_COUNT(table); ++i) *field(files, i) = paced_path_join(dir, table[i].name);
}

void run_files_finish(struct run_files *files) {
    for (size_t i = 0; i < PACED_COUNT(table); ++i) free(*field(files, i));
    free(files->overlays);
    free(files->dir);
    *files = (struct run_files){0};
}

const char *run_files_result(const struct run_files *files, size_t index, bool trains) {
    for (size_t i = 0; i < PACED_COUNT(table); ++i)
        if ((trains || !table[i].trained) && index-- == 0) return *field(files, i);
    return NULL;
}

bool run_files_hold_run(const struct run_files *files) {
    return paced_path_exists(files->state) || paced_path_exists(files->log) || paced_path_exists(files->best) ||
           paced_path_exists(files->last);
}

/* ---- files whose names vary ---------------------------------------------------------------------------------- */

#define EVENTS "events.out.tfevents."
#define EVENTS_END ".paced" /* in the place where other programs put the host name */
#define TEMPORARY ".tmp."   /* part of the name of an unfinished file */

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_events(const char *name) {
    return begins(name, EVENTS) && strstr(name, EVENTS_END);
}

/* Plots of robustness are robustness_<metric>.svg. */
static bool is_plot(const char *name) {
    return begins(name, "robustness_") && strstr(name, ".svg");
}

static bool is_overlay(const char *name) {
    return begins(name, "best_") || begins(name, "median_") || begins(name, "worst_") || begins(name, "overlays.csv");
}

/* True for the temporary file of a file in the table, an event file or a plot. */
static bool is_left_over(const char *name) {
    if (is_events(name) || is_plot(name)) return strstr(name, TEMPORARY) != NULL;
    for (size_t i = 0; i < PACED_COUNT(table); ++i)
        if (begins(name, table[i].name) && begins(name + strlen(table[i].name), TEMPORARY)) return true;
    return false;
}

/* True for a file that a test, a measurement of robustness or the report about them writes. */
static bool is_of_test(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(table); ++i)
        if (!table[i].trained && strcmp(name, table[i].name) == 0) return true;
    return is_plot(name);
}

static bool is_of_training(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(table); ++i)
        if (strcmp(name, table[i].name) == 0) return true;
    return is_plot(name) || is_events(name);
}

/* True for a file that an experiment, or a report about several runs, writes. */
static bool is_of_report(const char *name) {
    static const char *const names[] = {"comparison.csv", "differences.csv", "seeds.csv",           "sweep.csv",
                                        "sweep.svg",      "curves.svg",      "training_curves.svg", "reliability.svg",
                                        "report.html",    "runs.txt"};
    for (size_t i = 0; i < PACED_COUNT(names); ++i)
        if (strcmp(name, names[i]) == 0) return true;
    return is_plot(name);
}

/* Calls `visit` with the files of a folder that `is_selected`; a missing folder is no error. */
static enum paced_err visit_files(const char *folder, bool (*is_selected)(const char *name),
                                  enum paced_err (*visit)(const char *path)) {
    DIR *dir = opendir(folder);
    enum paced_err err = PACED_OK;
    for (struct dirent *entry; !err && dir && (entry = readdir(dir));) {
        if (!is_selected(entry->d_name)) continue;
        char *path = paced_path_join(folder, entry->d_name);
        err = visit(path);
        free(path);
    }
    if (dir) closedir(dir);
    return err;
}

static enum paced_err clear_from(const char *folder, bool (*is_selected)(const char *name)) {
    return visit_files(folder, is_selected, paced_file_remove);
}

enum paced_err run_files_check_links(const struct run_files *files, bool trains) {
    PACED_TRY(visit_files(files->dir, trains ? is_of_training : is_of_test, paced_link_check));
    return visit_files(files->overlays, is_overlay, paced_link_check);
}

enum paced_err run_files_check_report_links(const char *dir) {
    return visit_files(dir, is_of_report, paced_link_check);
}

enum paced_err run_files_clear_overlays(const struct run_files *files) {
    return clear_from(files->overlays, is_overlay);
}

char *run_files_events(const struct run_files *files, int64_t *start) {
    DIR *dir = opendir(files->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (is_events(entry->d_name) && !is_left_over(entry->d_name))
            *start = strtoll(entry->d_name + strlen(EVENTS), NULL, 10);
    if (dir) closedir(dir);
    return paced_format("%s/" EVENTS "%lld" EVENTS_END, files->dir, (long long)*start);
}

/* ---- start of a run ------------------------------------------------------------------------------------------ */

enum paced_err run_files_tidy(const struct run_files *files) {
    return clear_from(files->dir, is_left_over);
}

enum paced_err run_files_clear(const struct run_files *files) {
    PACED_TRY(paced_make_dirs(files->dir));
    for (size_t i = 0; i < PACED_COUNT(table); ++i) PACED_TRY(paced_file_remove(*field(files, i)));
    PACED_TRY(clear_from(files->dir, is_events));
    PACED_TRY(clear_from(files->dir, is_plot));
    return run_files_clear_overlays(files);
}

enum paced_err run_files_write_config(const struct run_files *files, const struct paced_config *config,
                                      const struct paced_device *device) {
    PACED_TRY(paced_make_dirs(files->dir));
    char *keys = paced_config_text(config);
    char *text = paced_format(PACED_CONFIG_ORIGIN "%s on %s\n%s", PACED_VERSION, paced_device_info(device)->name, keys);
    enum paced_err err = paced_file_write(files->config, text, strlen(text));
    free(text);
    free(keys);
    return err;
}

/* Text of all differences; NULL if there are none. */
static char *changes_between(const struct paced_config *was, const struct paced_config *is) {
    struct paced_text changes = {0};
    struct paced_settings before = paced_config_settings(was), now = paced_config_settings(is);
    for (size_t i = 0; i < now.count; ++i) {
        const char *old = before.items[i].value, *value = now.items[i].value;
        if (strcmp(value, old) != 0)
            paced_text_add(&changes, "%s%s = %s (was %s)", changes.size ? ", " : "", now.items[i].name,
                           *value ? value : "empty", *old ? old : "empty");
    }
    paced_settings_finish(&before);
    paced_settings_finish(&now);
    return changes.data;
}

/* A file of another version, or an edited one, may be unreadable. The run does not depend on it, so errors are
 * silent. */
static bool read_quietly(struct paced_config *config, const char *path) {
    struct paced_failures failures = {0};
    paced_errors_collect(&failures);
    bool read = paced_config_load(config, path, NULL, 0) == PACED_OK;
    paced_errors_collect(NULL);
    paced_failures_finish(&failures);
    return read;
}

void run_files_tell_changes(const struct run_files *files, const struct paced_config *config) {
    struct paced_config before;
    if (!read_quietly(&before, files->config)) return;
    char *changes = changes_between(&before, config);
    if (changes) paced_log(PACED_LOG_INFO, "%s: resumed with other settings: %s", files->dir, changes);
    free(changes);
    paced_config_finish(&before);
}

enum paced_err run_files_write_test_config(const char *dir, const struct paced_config *config,
                                           const struct paced_device *device) {
    struct run_files files;
    run_files_init(&files, dir);
    enum paced_err err = run_files_hold_run(&files) ? PACED_OK : run_files_write_config(&files, config, device);
    run_files_finish(&files);
    return err;
}

char *run_weights_path(const struct paced_config *config, const char *choice) {
    if (strcmp(choice, "best") != 0 && strcmp(choice, "last") != 0) return paced_strdup(choice);
    char *name = paced_format("%s.safetensors", choice), *path = paced_path_join(config->run.output, name);
    free(name);
    return path;
}
