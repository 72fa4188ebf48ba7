/* paced experiment CONFIG: runs the stages of one INI in order, each with the results of the previous ones, and ends
 * with a comparison of the tests and the tables of robustness. In a sweep the stages run point by point, and the end is
 * one table of all points.
 *
 * A finished stage with an unchanged configuration and unchanged predecessors is skipped; an interrupted one is
 * resumed; a changed one is run again. The same command, repeated after a crash or Ctrl-C, ends as if it had not been
 * interrupted. Invariant: a state to resume from belongs to the stage's `begun` record, because the state of an earlier
 * configuration is removed before that record is written. */
#include <stdlib.h>
#include <string.h>

#include "paced/report.h"
#include "paced/run.h"
#include "src/run/experiment/stages.h"
#include "src/run/experiment/sweep.h"
#include "src/run/files.h"
#include "src/run/lock.h"
#include "src/run/report_runs.h"
#include "src/run/robustness/robustness.h"
#include "src/run/shared.h"
#include "src/run/test/tester.h"
#include "src/run/train/trainer.h"

static enum paced_err run_train(const struct paced_config *config, bool go_on) {
    return trainer_run(config, go_on ? TRAIN_RESUME : TRAIN_OVERWRITE, NULL);
}

static enum paced_err run_test(const struct paced_config *config, bool go_on) {
    return tester_run(config, config->run.output, NULL);
}

static enum paced_err run_robustness(const struct paced_config *config, bool go_on) {
    return robustness_run(config, config->run.output, NULL);
}

/* Commands of stages, one row each. */
static const struct stage_command {
    const char *name;
    enum paced_err (*run)(const struct paced_config *config, bool go_on);
    enum paced_err (*check)(const struct paced_config *config, const struct expected *expected); /* of its files */
    const char *result; /* file in the run directory that a finished stage leaves */
    const char *state;  /* file that an interrupted stage resumes from; NULL: it starts again */
    bool trains;        /* writes the weights best and last */
    bool compared;      /* summary.csv belongs in the comparison */
    const char *table;  /* file in the run directory that is printed at the end; NULL: none */
    /* adds the measurements to the table of a sweep; NULL: none */
    enum paced_err (*take)(struct paced_outcomes *outcomes, const struct paced_experiment *plan, size_t index);
} commands[] = {
    {"train", run_train, trainer_check, "best.safetensors", "state.safetensors", true, false, NULL, NULL},
    {"test", run_test, tester_check, "summary.csv", NULL, false, true, NULL, sweep_take_test},
    {"robustness", run_robustness, robustness_check, "robustness_summary.csv", NULL, false, false, "robustness.txt",
     sweep_take_robustness},
};

struct experiment {
    struct paced_experiment plan;
    const struct stage_command **commands; /* [stages] */
    struct stage_record *records;          /* [stages] */
    char **places;                         /* [stages] real paths of the run directories */
    bool overwrite;
};

/* ---- opening ------------------------------------------------------------------------------------------------- */

static enum paced_err find_command(const struct paced_stage *stage, const struct stage_command **found) {
    const char *names[PACED_COUNT(commands)];
    struct paced_text all = {0};
    for (size_t i = 0; i < PACED_COUNT(commands); ++i) {
        names[i] = commands[i].name;
        paced_text_add(&all, "%s%s", i ? ", " : "", names[i]);
        *found = &commands[i];
        if (strcmp(stage->command, names[i]) == 0) {
            free(all.data);
            return PACED_OK;
        }
    }
    const char *near = paced_nearest(stage->command, names, PACED_COUNT(names));
    enum paced_err err =
        near ? paced_error_at(PACED_INVALID, stage->command_place,
                              "command: '%s' is not a stage command; did you mean %s? valid: %s", stage->command, near,
                              all.data)
             : paced_error_at(PACED_INVALID, stage->command_place,
                              "command: '%s' is not a stage command; choose one of %s", stage->command, all.data);
    free(all.data);
    return err;
}

/* A test may share the directory of a training. Other stages must not share one, or they would replace each other's
 * results. */
static enum paced_err check_directory(const struct experiment *e, size_t index) {
    const struct paced_stage *stage = &e->plan.stages[index];
    for (size_t i = 0; i < index; ++i) {
        const struct paced_stage *earlier = &e->plan.stages[i];
        if (strcmp(e->places[i], e->places[index]) != 0) continue;
        if (e->commands[i]->state && !e->commands[index]->state) continue;
        return paced_error_at(PACED_INVALID, stage->place,
                              "[stage %s]: run.output %s belongs to stage %s already; choose another", stage->name,
                              stage->config.run.output, earlier->name);
    }
    return PACED_OK;
}

static enum paced_err open_experiment(struct experiment *e, const struct paced_arguments *arguments) {
    PACED_TRY(paced_experiment_load(&e->plan, arguments->names[0], arguments->sets, arguments->set_count));
    size_t count = e->plan.count;
    e->commands = paced_alloc(count, sizeof *e->commands);
    e->records = paced_alloc(count, sizeof *e->records);
    e->places = paced_alloc(count, sizeof *e->places);
    for (size_t i = 0; i < count; ++i) {
        e->places[i] = paced_path_real(e->plan.stages[i].config.run.output);
        PACED_TRY(find_command(&e->plan.stages[i], &e->commands[i]));
        PACED_TRY(check_directory(e, i));
    }
    uint64_t *hashes = paced_alloc(count, sizeof *hashes);
    for (size_t i = 0; i < count; ++i) {
        hashes[i] = stage_hash(&e->plan, i, hashes);
        stage_record_init(&e->records[i], e->plan.config.run.output, e->plan.stages[i].name, hashes[i]);
    }
    free(hashes);
    return PACED_OK;
}

static void close_experiment(struct experiment *e) {
    for (size_t i = 0; e->records && i < e->plan.count; ++i) stage_record_finish(&e->records[i]);
    for (size_t i = 0; e->places && i < e->plan.count; ++i) free(e->places[i]);
    free(e->records);
    free(e->places);
    free(e->commands);
    paced_experiment_finish(&e->plan);
}

static bool has_file(const struct paced_stage *stage, const char *name) {
    char *path = paced_path_join(stage->config.run.output, name);
    bool exists = paced_path_exists(path);
    free(path);
    return exists;
}

static enum paced_err remove_file(const struct paced_stage *stage, const char *name) {
    char *path = paced_path_join(stage->config.run.output, name);
    enum paced_err err = paced_file_remove(path);
    free(path);
    return err;
}

static bool is_done(const struct experiment *e, size_t index) {
    return !e->overwrite && stage_record_is_done(&e->records[index]) &&
           has_file(&e->plan.stages[index], e->commands[index]->result);
}

/* ---- checking ------------------------------------------------------------------------------------------------ */

/* A run that this experiment did not make is replaced only with --overwrite. */
static enum paced_err refuse_foreign_run(const struct experiment *e, size_t index) {
    const struct paced_stage *stage = &e->plan.stages[index];
    if (e->overwrite || !e->commands[index]->state || stage_record_exists(&e->records[index])) return PACED_OK;
    struct run_files files;
    run_files_init(&files, stage->config.run.output);
    enum paced_err err = PACED_OK;
    if (run_files_hold_run(&files))
        err = paced_error_at(PACED_INVALID, stage->place,
                             "[stage %s]: %s contains a run of another origin; give the stage another run.output, or "
                             "replace all runs with --overwrite",
                             stage->name, files.dir);
    run_files_finish(&files);
    return err;
}

/* Prints the errors of a check with the stage and the key before them. */
static void print_failures(const struct paced_failures *failures, const struct paced_stage *stage,
                           const struct paced_config *config) {
    for (size_t i = 0; i < failures->count; ++i) {
        const struct paced_failure *f = &failures->items[i];
        char *key = paced_config_key_of(config, f->place);
        paced_error_at(f->code, stage->place, "[stage %s]: %s%s%s%s%s", stage->name, key ? key : "", key ? ": " : "",
                       f->place ? f->place : "", f->place ? ": " : "", f->text);
        free(key);
    }
}

/* Other messages about files than errors are left out; the stage repeats them. It does not repeat those about the
 * device, which stays open. */
static enum paced_err check_stage(const struct experiment *e, size_t index, const struct expected *expected) {
    const struct paced_stage *stage = &e->plan.stages[index];
    struct paced_config config = stage->config;
    config.test.weights = run_weights_path(&config, config.test.weights); /* a path, for the message */
    struct paced_device *device = NULL;
    struct paced_failures failures = {0};
    paced_log_set_level(PACED_LOG_ERROR);
    paced_errors_collect(&failures);
    enum paced_err err = e->commands[index]->check(&config, expected);
    paced_log_set_level((enum paced_log_level)config.log.level);
    if (!err) err = shared_device_open(&device, &config);
    paced_errors_collect(NULL);
    shared_device_close(device);
    print_failures(&failures, stage, &config);
    paced_failures_finish(&failures);
    free(config.test.weights);
    return err;
}

/* Checks all stages first, so that the last one does not fail after hours. */
static enum paced_err check_stages(const struct experiment *e) {
    static const char *const made[] = {"best", "last"};
    struct expected expected = {paced_alloc(e->plan.count * PACED_COUNT(made), sizeof *expected.paths), 0};
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < e->plan.count; ++i) {
        if (is_done(e, i)) continue;
        if (paced_stop_asked()) err = PACED_STOPPED;
        if (!err) err = refuse_foreign_run(e, i);
        if (!err) err = check_stage(e, i, &expected);
        for (size_t k = 0; e->commands[i]->trains && k < PACED_COUNT(made); ++k)
            expected.paths[expected.count++] = run_weights_path(&e->plan.stages[i].config, made[k]);
    }
    for (size_t i = 0; i < expected.count; ++i) free(expected.paths[i]);
    free(expected.paths);
    return err;
}

/* ---- running ------------------------------------------------------------------------------------------------- */

static enum paced_err start_stage(const struct experiment *e, size_t index) {
    if (e->commands[index]->state) PACED_TRY(remove_file(&e->plan.stages[index], e->commands[index]->state));
    return stage_record_begin(&e->records[index]);
}

/* Runs or resumes a stage in its locked directory. */
static enum paced_err do_stage(const struct experiment *e, size_t index) {
    const struct paced_stage *stage = &e->plan.stages[index];
    const struct stage_command *command = e->commands[index];
    const struct stage_record *record = &e->records[index];
    bool go_on = !e->overwrite && command->state && stage_record_is_begun(record) && has_file(stage, command->state);
    paced_log(PACED_LOG_INFO, "stage %s (%zu of %zu): %s%s, %s", stage->name, index + 1, e->plan.count, command->name,
              go_on ? " resumes" : "", stage->config.run.output);
    if (!go_on) PACED_TRY(start_stage(e, index));
    enum paced_err err = command->run(&stage->config, go_on);
    if (err == PACED_STOPPED)
        paced_log(PACED_LOG_INFO, "stage %s: stopped; the same `paced experiment` continues from here", stage->name);
    return err ? err : stage_record_end(record);
}

static enum paced_err run_stage(const struct experiment *e, size_t index) {
    const struct paced_stage *stage = &e->plan.stages[index];
    paced_log_set_level((enum paced_log_level)stage->config.log.level);
    if (is_done(e, index)) {
        paced_log(PACED_LOG_INFO, "stage %s: done already", stage->name);
        return PACED_OK;
    }
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, stage->config.run.output));
    enum paced_err err = do_stage(e, index);
    dir_lock_release(lock);
    return err;
}

static enum paced_err add_to_comparison(struct paced_comparison *comparison, const struct experiment *e, size_t index) {
    const struct paced_stage *stage = &e->plan.stages[index];
    struct run_files files;
    run_files_init(&files, stage->config.run.output);
    enum paced_err err =
        paced_comparison_add(comparison, stage->name, files.summary, files.metrics, (uint64_t)e->plan.config.run.seed);
    run_files_finish(&files);
    return err;
}

/* Without tests, the files of an earlier experiment are removed. */
static enum paced_err write_comparison(const struct paced_comparison *comparison, const char *dir) {
    char *table = paced_path_join(dir, "comparison.csv"), *differences = paced_path_join(dir, "differences.csv");
    bool any = comparison->count > 0;
    enum paced_err err = any ? paced_comparison_write_csv(comparison, table) : paced_file_remove(table);
    if (!err) err = any ? paced_comparison_write_differences(comparison, differences) : paced_file_remove(differences);
    free(table);
    free(differences);
    return err;
}

/* Compares each test with the first one, or, if a sweep tests its stages point by point, with the first one of its
 * point. */
static enum paced_err compare(const struct experiment *e) {
    struct paced_comparison comparison = {0};
    enum paced_err err = PACED_OK;
    size_t point = PACED_NO_POINT;
    for (size_t i = 0; !err && i < e->plan.count; ++i) {
        if (!e->commands[i]->compared) continue;
        const struct paced_stage *stage = &e->plan.stages[i];
        if (comparison.count == 0) point = stage->point;
        if (stage->point != point && point != PACED_NO_POINT && !e->plan.plain) {
            paced_comparison_regroup(&comparison);
            point = stage->point;
        }
        err = add_to_comparison(&comparison, e, i);
    }
    if (!err) err = write_comparison(&comparison, e->plan.config.run.output);
    if (!err && comparison.count > 0 && e->plan.sweep.count == 0) paced_comparison_print(&comparison, stdout);
    paced_comparison_finish(&comparison);
    return err;
}

/* Writes one page about all stages. A test in the directory of a training is part of that run. */
static enum paced_err write_report(const struct experiment *e) {
    const struct paced_config *config = &e->plan.config;
    struct report_runs list = {0};
    for (size_t i = 0; i < e->plan.count; ++i) report_runs_add(&list, e->plan.stages[i].config.run.output);
    report_runs_add_experiment(&list, config->run.output);
    enum paced_err err = report_runs_keep(&list, config->run.output);
    if (!err) err = report_runs_show(&list, config->run.name, config->run.output);
    report_runs_finish(&list);
    return err;
}

/* Prints the tables that the stages wrote, each below the name of its stage. */
static enum paced_err show_tables(const struct experiment *e) {
    for (size_t i = 0; i < e->plan.count; ++i) {
        const struct paced_stage *stage = &e->plan.stages[i];
        if (!e->commands[i]->table) continue;
        char *path = paced_path_join(stage->config.run.output, e->commands[i]->table);
        char *text;
        enum paced_err err = paced_file_read_text(path, 0, &text);
        free(path);
        if (err) return err;
        printf("\n%s\n%s", stage->name, text);
        free(text);
    }
    return PACED_OK;
}

/* Without a sweep there are no rows, and the tables of an earlier sweep are removed. */
static enum paced_err tabulate_sweep(const struct experiment *e) {
    struct paced_outcomes outcomes;
    sweep_open(&outcomes, &e->plan);
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && e->plan.sweep.count > 0 && i < e->plan.count; ++i)
        if (e->commands[i]->take) err = e->commands[i]->take(&outcomes, &e->plan, i);
    if (!err) sweep_join_shared(&outcomes, &e->plan);
    if (!err) err = sweep_write(&outcomes, e->plan.config.run.output);
    paced_outcomes_finish(&outcomes);
    return err;
}

static enum paced_err run_experiment(const struct experiment *e) {
    shared_begin();
    enum paced_err err = check_stages(e);
    for (size_t i = 0; !err && i < e->plan.count; ++i) err = paced_stop_asked() ? PACED_STOPPED : run_stage(e, i);
    shared_end();
    if (!err) err = compare(e);
    if (!err) err = tabulate_sweep(e);
    if (!err && e->plan.sweep.count == 0) err = show_tables(e);
    return err ? err : write_report(e);
}

enum paced_err paced_command_experiment(const struct paced_arguments *arguments) {
    struct experiment e = {.overwrite = arguments->overwrite};
    struct dir_lock *lock = NULL;
    paced_catch_stop();
    enum paced_err err = open_experiment(&e, arguments);
    if (!err) err = dir_lock_take(&lock, e.plan.config.run.output);
    if (!err) err = run_files_check_report_links(e.plan.config.run.output);
    if (!err) err = run_experiment(&e);
    dir_lock_release(lock);
    close_experiment(&e);
    return err;
}
