/* A run directory's names, in one table. */
#include "src/run/files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paced_build.h"

static const struct {
    const char *name;
    size_t offset;
} table[] = {
    /* Removed in this order: without its state, what else is left of a run is not taken for one to resume. */
    {"state.safetensors", offsetof(struct run_files, state)},
    {"config.ini", offsetof(struct run_files, config)},
    {"best.safetensors", offsetof(struct run_files, best)},
    {"last.safetensors", offsetof(struct run_files, last)},
    {"log.csv", offsetof(struct run_files, log)},
    {"losses.json", offsetof(struct run_files, losses)},
    {"metrics.csv", offsetof(struct run_files, metrics)},
    {"summary.csv", offsetof(struct run_files, summary)},
    {"intervals.csv", offsetof(struct run_files, intervals)},
    {"reliability.csv", offsetof(struct run_files, reliability)},
    {"robustness_summary.csv", offsetof(struct run_files, robustness)},
    {"report.html", offsetof(struct run_files, report)},
};

static char **field(const struct run_files *files, size_t i) {
    return (char **)((char *)files + table[i].offset);
}

void run_files_init(struct run_files *files, const char *dir) {
    files->dir = paced_strdup(dir);
    for (size_t i = 0; i < PACED_COUNT(table); ++i) *field(files, i) = paced_path_join(dir, table[i].name);
}

void run_files_finish(struct run_files *files) {
    for (size_t i = 0; i < PACED_COUNT(table); ++i) free(*field(files, i));
    free(files->dir);
    *files = (struct run_files){0};
}

bool run_files_hold_run(const struct run_files *files) {
    return paced_path_exists(files->state) || paced_path_exists(files->log) || paced_path_exists(files->best) ||
           paced_path_exists(files->last);
}

/* Is it what a killed process left of writing one of the table's files? */
static bool is_left_over(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(table); ++i) {
        size_t length = strlen(table[i].name);
        if (strncmp(name, table[i].name, length) == 0 && strncmp(name + length, ".tmp.", 5) == 0) return true;
    }
    return false;
}

void run_files_tidy(const struct run_files *files) {
    DIR *dir = opendir(files->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!is_left_over(entry->d_name)) continue;
        char *path = paced_path_join(files->dir, entry->d_name);
        unlink(path); /* one that stays takes room, no more */
        free(path);
    }
    if (dir) closedir(dir);
}

enum paced_err run_files_clear(const struct run_files *files) {
    PACED_TRY(paced_make_dirs(files->dir));
    for (size_t i = 0; i < PACED_COUNT(table); ++i)
        if (paced_path_exists(*field(files, i)) && unlink(*field(files, i)) != 0)
            return paced_error(PACED_FAILED, "%s: cannot be removed; check the directory's permissions",
                               *field(files, i));
    return PACED_OK;
}

enum paced_err run_files_write_config(const struct run_files *files, const struct paced_config *config,
                                      const struct paced_device *device) {
    PACED_TRY(paced_make_dirs(files->dir));
    char *keys = paced_config_text(config);
    char *text = paced_format("; paced %s on %s\n%s", PACED_VERSION, paced_device_info(device)->name, keys);
    enum paced_err err = paced_file_write(files->config, text, strlen(text));
    free(text);
    free(keys);
    return err;
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
