/* Table of a sweep. A row is a network: the stage that trained it, if the experiment has stages, and the values of its
 * point. */
#include "src/run/experiment/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "src/run/files.h"

#define SEED "run.seed"

#define ALL "sweep.csv"
#define MEANS "seeds.csv"
#define PICTURE "sweep.svg"

/* Labels of one network; values NULL: it belongs to all points. free() the list. */
static const char **list_labels(const struct paced_experiment *plan, const char *stage, char *const *values) {
    const char **labels = paced_alloc(1 + plan->sweep.key_count, sizeof *labels), **next = labels;
    if (!plan->plain) *next++ = stage;
    for (size_t k = 0; k < plan->sweep.key_count; ++k) *next++ = values ? values[k] : "";
    return labels;
}

static char *const *values_of(const struct paced_experiment *plan, size_t index) {
    size_t point = plan->stages[index].point;
    return point == PACED_NO_POINT ? NULL : plan->sweep.points[point].values;
}

void sweep_open(struct paced_outcomes *outcomes, const struct paced_experiment *plan) {
    const char **names = list_labels(plan, "stage", plan->sweep.keys);
    paced_outcomes_init(outcomes, names, plan->sweep.key_count + !plan->plain);
    free(names);
}

/* Label of the training whose network a stage measures, if it uses exactly one; else the stage's own label. */
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
    const char **labels = list_labels(plan, find_subject(plan, index), values_of(plan, index));
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
    const char **labels = list_labels(plan, stage->label, values_of(plan, index));
    struct run_files files;
    run_files_init(&files, stage->config.run.output);
    enum paced_err err = paced_outcomes_add_robustness(outcomes, labels, files.robustness_summary);
    run_files_finish(&files);
    free(labels);
    return err;
}

/* True for keys that affect tests, and not only training. */
static bool is_of_tests(const char *key) {
    static const char *const of_training[] = {"data.train", "data.augment", "data.workers"};
    for (size_t i = 0; i < PACED_COUNT(of_training); ++i)
        if (strcmp(key, of_training[i]) == 0) return false;
    return strncmp(key, "data.", strlen("data.")) == 0 || strncmp(key, "test.", strlen("test.")) == 0;
}

void sweep_join_shared(struct paced_outcomes *outcomes, const struct paced_experiment *plan) {
    bool *kept = paced_alloc(outcomes->label_count, sizeof *kept);
    for (size_t k = 0; k < outcomes->label_count; ++k) kept[k] = is_of_tests(outcomes->names[k]);
    for (size_t i = 0; i < plan->count; ++i)
        if (plan->stages[i].point == PACED_NO_POINT) paced_outcomes_join(outcomes, plan->stages[i].label, kept);
    free(kept);
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
