/* Test of the configured weights on the validation images. Files are written after the last image, so that a stopped
 * test leaves the files of an earlier one unchanged. */
#include "src/run/test/tester.h"

#include <stdlib.h>

#include "paced/report.h"
#include "src/run/lock.h"
#include "src/run/overwrite.h"
#include "src/run/report_runs.h"
#include "src/run/splits.h"
#include "src/run/test/evaluation.h"
#include "src/run/test/overlays.h"

static enum paced_err measure(struct evaluation *evaluation, const struct paced_config *c,
                              struct paced_scores *scores) {
    char *weights = run_weights_path(c, c->test.weights);
    enum paced_err err = evaluation_open(evaluation, c, weights);
    if (!err) err = evaluation_load(evaluation, weights);
    free(weights);
    if (!err) err = evaluation_run(evaluation, NULL, "test", scores);
    return err ? err : splits_report(&c->data);
}

/* Without a measurement the file of an earlier test is removed, so that it is not mistaken for this one's. */
static enum paced_err write_reliability(const struct paced_scores *scores, const struct run_files *files) {
    struct paced_reliability reliability;
    if (paced_scores_reliability(scores, &reliability))
        return paced_reliability_write_csv(&reliability, files->reliability);
    return paced_file_remove(files->reliability);
}

/* The summary is written last: if it exists, so do the others. */
static enum paced_err write_results(struct evaluation *evaluation, const struct paced_scores *scores,
                                    const struct paced_config *c, const char *dir) {
    struct run_files files;
    run_files_init(&files, dir);
    enum paced_err err = paced_make_dirs(dir);
    if (!err) err = paced_scores_write_csv(scores, files.metrics);
    if (!err) err = paced_scores_write_intervals(scores, (uint64_t)c->run.seed, files.intervals);
    if (!err) err = write_reliability(scores, &files);
    if (!err) err = overlays_write(evaluation, scores, (size_t)c->test.overlays, &files);
    if (!err) err = paced_scores_write_summary(scores, files.summary);
    run_files_finish(&files);
    return err;
}

/* With two classes, only the foreground is reported, without a name. */
static void print(const struct evaluation *e, const struct paced_scores *scores, uint64_t seed, FILE *out) {
    const char **names = paced_alloc((size_t)e->classes, sizeof *names);
    bool known = e->classes > 2;
    for (int c = 0; known && c < e->classes; ++c) known = (names[c] = paced_dataset_class_name(e->dataset, c)) != NULL;
    paced_scores_print(scores, known ? names : NULL, seed, out);
    free(names);
}

enum paced_err tester_run(const struct paced_config *config, const char *dir, FILE *out) {
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, dir));
    struct evaluation evaluation = {0};
    struct paced_scores *scores = paced_scores_create((int)config->data.classes);
    paced_scores_set_absent(scores, (enum paced_absent)config->test.absent);
    enum paced_err err = overwrite_check_test(config, dir);
    if (!err) err = measure(&evaluation, config, scores);
    if (!err) err = write_results(&evaluation, scores, config, dir);
    if (!err) err = run_files_write_test_config(dir, config, evaluation.device);
    if (!err) err = report_run(dir);
    if (!err && out) print(&evaluation, scores, (uint64_t)config->run.seed, out);
    paced_scores_destroy(scores);
    evaluation_close(&evaluation);
    dir_lock_release(lock);
    return err;
}

enum paced_err tester_check(const struct paced_config *config, const struct expected *expected) {
    PACED_TRY(paced_dir_check(config->run.output));
    PACED_TRY(overwrite_check_test(config, config->run.output));
    PACED_TRY(evaluation_check(config));
    char *weights = run_weights_path(config, config->test.weights);
    enum paced_err err = network_check(config, weights, expected);
    free(weights);
    return err;
}
