/* A row of the table is a network: the stage that trained it, if the experiment has stages, and its point's values. */
#include "src/run/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "src/run/files.h"

#define SEED "run.seed"

#define ALL "sweep.csv"
#define MEANS "seeds.csv"
#define PICTURE "sweep.png"

/* The labels of one network; free() the list. */
static const char **list_labels(const struct paced_experiment *plan, const char *stage, char *const *values) {
    const char **labels = paced_alloc(1 + plan->sweep.key_count, sizeof *labels), **next = labels;
    if (!plan->plain) *next++ = stage;
    for (size_t k = 0; k < plan->sweep.key_count; ++k) *next++ = values[k];
    return labels;
}

void sweep_open(struct paced_outcomes *outcomes, const struct paced_experiment *plan) {
    const char **names = list_labels(plan, "stage", plan->sweep.keys);
    paced_outcomes_init(outcomes, names, plan->sweep.key_count + !plan->plain);
    free(names);
}

/* The training whose network a stage measures: the only one that it names; else the stage goes by its own name. */
static const char *find_subject(const struct paced_experiment *plan, size_t index) {
    const struct paced_stage *stage = &plan->stages[index];
    const char *subject = NULL;
    for (size_t i = 0; i < index; ++i) {
        if (!stage->uses[i] || strcmp(plan->stages[i].command, "train") != 0) continue;
        if (subject) return stage->label;
        subject = plan->stages[i].label;
    }
    return subject ? subject : stage->label;
}

enum paced_err sweep_take_test(struct paced_outcomes *outcomes, const struct paced_experiment *plan, size_t index) {
    const struct paced_stage *stage = &plan->stages[index];
    const char **labels = list_labels(plan, find_subject(plan, index), plan->sweep.points[stage->point].values);
    struct run_files files;
    run_files_init(&files, stage->config.run.output);
    enum paced_err err = paced_outcomes_add_test(outcomes, labels, files.intervals);
    run_files_finish(&files);
    free(labels);
    return err;
}

enum paced_err sweep_take_robustness(struct paced_outcomes *outcomes, const struct paced_experiment *plan,
                                     size_t index) {
    const struct paced_stage *stage = &plan->stages[index];
    const char **labels = list_labels(plan, stage->label, plan->sweep.points[stage->point].values);
    struct run_files files;
    run_files_init(&files, stage->config.run.output);
    enum paced_err err = paced_outcomes_add_robustness(outcomes, labels, files.robustness_summary);
    run_files_finish(&files);
    free(labels);
    return err;
}

static enum paced_err remove_from(const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_file_remove(path);
    free(path);
    return err;
}

static enum paced_err remove_all(const char *dir) {
    PACED_TRY(remove_from(dir, PICTURE));
    PACED_TRY(remove_from(dir, MEANS));
    return remove_from(dir, ALL);
}

static enum paced_err write_csv(const struct paced_outcomes *outcomes, const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_outcomes_write_csv(outcomes, path);
    free(path);
    return err;
}

static enum paced_err show(const struct paced_outcomes *outcomes, const char *dir) {
    char *path = paced_path_join(dir, PICTURE);
    enum paced_err err = paced_outcomes_plot(outcomes, path);
    free(path);
    if (!err) paced_outcomes_print(outcomes, stdout);
    return err;
}

enum paced_err sweep_write(const struct paced_outcomes *outcomes, const char *dir) {
    size_t seed = 0;
    if (outcomes->count == 0) return remove_all(dir);
    while (seed < outcomes->label_count && strcmp(outcomes->names[seed], SEED) != 0) ++seed;
    if (seed == outcomes->label_count) PACED_TRY(remove_from(dir, MEANS));
    PACED_TRY(write_csv(outcomes, dir, ALL));
    if (seed == outcomes->label_count) return show(outcomes, dir);
    struct paced_outcomes means = paced_outcomes_average(outcomes, seed);
    enum paced_err err = write_csv(&means, dir, MEANS);
    if (!err) err = show(&means, dir);
    paced_outcomes_finish(&means);
    return err;
}
