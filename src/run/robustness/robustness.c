/* Robustness: for each of the weights one pass over the clean images, and one for each corruption and severity. The
 * loader's threads corrupt the next batch while the device processes one. Files are written after the last pass, so
 * that a stopped run leaves the files of an earlier one unchanged. */
#include "src/run/robustness/robustness.h"

#include <stdlib.h>
#include <string.h>

#include "paced/models.h"
#include "paced/report.h"
#include "paced/weights.h"
#include "src/run/files.h"
#include "src/run/lock.h"
#include "src/run/overwrite.h"
#include "src/run/report_runs.h"
#include "src/run/robustness/contact_sheet.h"
#include "src/run/splits.h"
#include "src/run/test/evaluation.h"

enum { MAX_DEPTH = 64 }; /* components of a path in the name of weights */

/* Weights files, with a short name for each. */
struct weights_list {
    char **paths, **names;
    size_t count;
};

struct measurement {
    struct paced_config config; /* shallow copy of the caller's, with the network of the current weights */
    char *arch;                 /* of the current weights; NULL: the configuration's */
    struct corruption_plan plan;
    struct weights_list weights;
    struct evaluation evaluation;
    struct paced_robustness results;
};

/* ---- lists of weights -------------------------------------------------------------------------------------------- */

static enum paced_err check_once(const struct weights_list *list, size_t index) {
    const char *path = list->paths[index];
    for (size_t i = 0; i < index; ++i)
        if (strcmp(list->paths[i], path) == 0)
            return paced_error_at(PACED_INVALID, path, "is listed twice; list each weights file once");
    return PACED_OK;
}

/* Name of the run directory for best.safetensors and last.safetensors, else the stem of the file. */
static char *short_name(const char *path) {
    char *stem = paced_path_stem(path);
    if (strcmp(stem, "best") != 0 && strcmp(stem, "last") != 0) return stem;
    free(stem);
    char *dir = paced_path_dir(path), *slash = strrchr(dir, '/');
    char *name = paced_strdup(slash && slash[1] ? slash + 1 : dir);
    free(dir);
    return name;
}

/* Last 1 + `more` components of the path, without the extension. */
static char *long_name(const char *path, int more) {
    char *dir = paced_path_dir(path), *stem = paced_path_stem(path), *whole = paced_path_join(dir, stem);
    const char *from = whole + strlen(whole);
    for (int slashes = 0; from > whole; --from)
        if (from[-1] == '/' && ++slashes > more) break;
    char *name = paced_strdup(from);
    free(whole);
    free(stem);
    free(dir);
    return name;
}

static bool is_shared(const struct weights_list *list, size_t index) {
    for (size_t i = 0; i < list->count; ++i)
        if (i != index && strcmp(list->names[i], list->names[index]) == 0) return true;
    return false;
}

/* Lengthens the names that are equal to others, until all differ. */
static void tell_apart(struct weights_list *list) {
    bool *shared = paced_alloc(list->count, sizeof *shared), any = true;
    for (int more = 1; any && more < MAX_DEPTH; ++more) {
        any = false;
        for (size_t i = 0; i < list->count; ++i) any |= shared[i] = is_shared(list, i);
        for (size_t i = 0; i < list->count; ++i) {
            if (!shared[i]) continue;
            free(list->names[i]);
            list->names[i] = long_name(list->paths[i], more);
        }
    }
    free(shared);
}

static enum paced_err add(struct weights_list *list, const struct paced_config *config, const char *item) {
    char *found = run_weights_path(config, item);
    size_t index = list->count++;
    list->paths = paced_grow(list->paths, list->count, sizeof *list->paths);
    list->names = paced_grow(list->names, list->count, sizeof *list->names);
    list->paths[index] = paced_path_absolute(found);
    list->names[index] = short_name(list->paths[index]);
    free(found);
    return check_once(list, index);
}

static void weights_list_finish(struct weights_list *list) {
    for (size_t i = 0; i < list->count; ++i) {
        free(list->paths[i]);
        free(list->names[i]);
    }
    free(list->paths);
    free(list->names);
    *list = (struct weights_list){0};
}

/* Reads a list "a, b, c" whose items are "best" or "last" of the configuration's run, or files. A name is that of the
 * run directory for best.safetensors and last.safetensors, else the stem of the file; equal names are lengthened by
 * components of their paths until they differ. PACED_INVALID for an empty list or a duplicate. The files need not
 * exist. Nothing is left to release after an error. */
static enum paced_err weights_list_read(struct weights_list *list, const struct paced_config *config,
                                        const char *text) {
    *list = (struct weights_list){0};
    enum paced_err err = PACED_OK;
    for (char *item; !err && (item = paced_list_next(&text)); free(item)) err = add(list, config, item);
    if (!err && list->count == 0) err = paced_error(PACED_INVALID, "the list of weights is empty; give --weights FILE");
    if (!err) tell_apart(list);
    if (err) weights_list_finish(list);
    return err;
}

/* ---- the weights' networks ----------------------------------------------------------------------------------- */

/* Reads the network's arch and width from the metadata; missing ones come from the configuration. */
static enum paced_err read_kind(const char *path, const struct paced_config *config, char **arch, int64_t *width) {
    struct paced_weights weights = {0};
    PACED_TRY(paced_weights_read(path, &weights));
    const char *said = paced_weights_metadata(&weights, "arch"), *wide = paced_weights_metadata(&weights, "width");
    enum paced_err err = PACED_OK;
    *arch = NULL;
    *width = config->model.width;
    if (wide && (!paced_parse_int(wide, width) || *width < 1 || *width > PACED_MAX_WIDTH))
        err = paced_error_at(PACED_INVALID, path, "metadata \"width\" = '%s' is not 1 to %d; write the file again",
                             wide, PACED_MAX_WIDTH);
    if (!err) *arch = paced_strdup(said ? said : config->model.arch);
    paced_weights_finish(&weights);
    return err;
}

/* Checks first that all weights exist and match their networks, so that a bad one does not end hours of measurement. */
static enum paced_err check_weights(const struct weights_list *list, const struct paced_config *config,
                                    const struct expected *expected) {
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < list->count; ++i) {
        const char *path = list->paths[i];
        if (expected_has(expected, path)) continue;
        if (!paced_path_exists(path))
            return paced_error_at(PACED_INVALID, path, "no such file; give weights that a training has written");
        struct paced_config own = *config;
        char *arch;
        PACED_TRY(read_kind(path, config, &arch, &own.model.width));
        own.model.arch = arch;
        err = network_check(&own, path, expected);
        free(arch);
    }
    return err;
}

/* Loads the weights; reopens the network if they belong to another one than the previous weights. */
static enum paced_err open_weights(struct measurement *m, const struct paced_config *config, const char *path) {
    char *arch;
    int64_t width;
    PACED_TRY(read_kind(path, config, &arch, &width));
    char *range = network_range(&m->config, path);
    bool same = m->arch && strcmp(m->arch, arch) == 0 && m->config.model.width == width &&
                strcmp(m->evaluation.range, range) == 0;
    free(range);
    free(m->arch);
    m->arch = m->config.model.arch = arch;
    m->config.model.width = width;
    if (!same) {
        evaluation_close(&m->evaluation);
        PACED_TRY(evaluation_open(&m->evaluation, &m->config, path));
    }
    return evaluation_load(&m->evaluation, path);
}

/* ---- passes -------------------------------------------------------------------------------------------------- */

/* Runs one pass. `number` counts the passes of all weights. *scores is created here. */
static enum paced_err measure_pass(struct measurement *m, size_t number, const char *name,
                                   const struct corruption *corruption, struct paced_scores **scores) {
    size_t total = m->weights.count * (1 + m->plan.count * m->plan.severity_count);
    const struct paced_change change = {corruption_apply, corruption};
    *scores = paced_scores_create(m->evaluation.classes);
    paced_scores_set_absent(*scores, (enum paced_absent)m->config.test.absent);
    char *label = corruption ? paced_format("%zu/%zu %s %s %d", number, total, name,
                                            paced_corruption_name(corruption->index), corruption->severity)
                             : paced_format("%zu/%zu %s clean", number, total, name);
    enum paced_err err = evaluation_run(&m->evaluation, corruption ? &change : NULL, label, *scores);
    free(label);
    return err;
}

static void add_dice(struct paced_text *line, const struct paced_scores *scores) {
    paced_text_add(line, " %.4f", paced_scores_mean(scores, 0, false, NULL).dice);
}

/* Measures all severities of one corruption. */
static enum paced_err measure_corruption(struct measurement *m, size_t weights, size_t row) {
    size_t severities = m->plan.severity_count, passes = 1 + m->plan.count * severities;
    struct paced_scores **scores = m->results.scores + (weights * m->plan.count + row) * severities;
    struct paced_text line = {0};
    enum paced_err err = PACED_OK;
    paced_text_add(&line, "%s, %s: dice", m->weights.names[weights], m->plan.names[row]);
    for (size_t i = 0; !err && i < severities; ++i) {
        const struct corruption corruption = {m->plan.corruptions[row], m->plan.severities[i],
                                              (uint64_t)m->config.run.seed, paced_outside_label(&m->config.data)};
        err = measure_pass(m, weights * passes + 2 + row * severities + i, m->weights.names[weights], &corruption,
                           &scores[i]);
        if (!err) add_dice(&line, scores[i]);
    }
    if (!err) paced_log(PACED_LOG_INFO, "%s", line.data);
    free(line.data);
    return err;
}

static enum paced_err measure_weights(struct measurement *m, const struct paced_config *config, size_t weights) {
    struct paced_scores **clean = &m->results.clean[weights];
    const char *name = m->weights.names[weights];
    PACED_TRY(open_weights(m, config, m->weights.paths[weights]));
    PACED_TRY(measure_pass(m, 1 + weights * (1 + m->plan.count * m->plan.severity_count), name, NULL, clean));
    struct paced_text line = {0};
    add_dice(&line, *clean);
    paced_log(PACED_LOG_INFO, "%s, clean: dice%s", name, line.data);
    free(line.data);
    for (size_t row = 0; row < m->plan.count; ++row) PACED_TRY(measure_corruption(m, weights, row));
    return PACED_OK;
}

static enum paced_err list_weights(struct weights_list *list, const struct paced_config *config) {
    if (*config->robustness.weights) return weights_list_read(list, config, config->robustness.weights);
    struct paced_text one = {0};
    paced_list_add(&one, config->test.weights);
    enum paced_err err = weights_list_read(list, config, one.data);
    free(one.data);
    return err;
}

/* Opens and checks everything that needs no device. */
static enum paced_err open_inputs(struct measurement *m, const struct paced_config *config,
                                  const struct expected *expected) {
    PACED_TRY(corruption_plan_read(&m->plan, config));
    for (size_t i = 0; i < m->plan.count && config->test.resolution == PACED_RESOLUTION_ORIGINAL; ++i)
        if (paced_corruption_is_geometric(m->plan.corruptions[i]))
            return paced_error(PACED_INVALID,
                               "test.resolution = original compares with the masks as they are, but %s moves their "
                               "pixels; set it to input",
                               m->plan.names[i]);
    PACED_TRY(list_weights(&m->weights, config));
    return check_weights(&m->weights, config, expected);
}

static enum paced_err measure(struct measurement *m, const struct paced_config *config) {
    const struct expected none = {0};
    PACED_TRY(open_inputs(m, config, &none));
    size_t weights = m->weights.count, cells = weights * m->plan.count * m->plan.severity_count;
    m->results = (struct paced_robustness){.weights = (const char *const *)m->weights.names,
                                           .corruptions = m->plan.names,
                                           .severities = m->plan.severities,
                                           .weight_count = weights,
                                           .corruption_count = m->plan.count,
                                           .severity_count = m->plan.severity_count,
                                           .clean = paced_alloc(weights, sizeof *m->results.clean),
                                           .scores = paced_alloc(cells, sizeof *m->results.scores)};
    for (size_t w = 0; w < weights; ++w) PACED_TRY(measure_weights(m, config, w));
    return splits_report(&config->data);
}

static void close_parts(struct measurement *m) {
    size_t cells = m->weights.count * m->plan.count * m->plan.severity_count;
    for (size_t i = 0; m->results.clean && i < m->weights.count; ++i) paced_scores_destroy(m->results.clean[i]);
    for (size_t i = 0; m->results.scores && i < cells; ++i) paced_scores_destroy(m->results.scores[i]);
    free(m->results.clean);
    free(m->results.scores);
    evaluation_close(&m->evaluation);
    free(m->arch);
    weights_list_finish(&m->weights);
    corruption_plan_finish(&m->plan);
}

/* ---- results ------------------------------------------------------------------------------------------------- */

static enum paced_err write_table(const struct paced_robustness *results, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    paced_robustness_print(results, file.stream);
    return paced_atomic_commit(&file);
}

static enum paced_err write_results(struct measurement *m, const char *dir) {
    struct run_files files;
    run_files_init(&files, dir);
    enum paced_err err = paced_make_dirs(dir);
    if (!err) err = paced_robustness_write_csv(&m->results, files.robustness);
    if (!err)
        err = contact_sheet_write(m->evaluation.dataset, &m->plan, (uint64_t)m->config.run.seed, files.contact_sheet);
    if (!err) err = write_table(&m->results, files.robustness_table);
    if (!err) err = paced_robustness_write_summary(&m->results, files.robustness_summary);
    run_files_finish(&files);
    return err;
}

enum paced_err robustness_run(const struct paced_config *config, const char *dir, FILE *out) {
    struct measurement m = {.config = *config};
    m.config.test.metrics = PACED_METRICS_ALWAYS; /* metrics of pixels; those of outlines take far longer */
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, dir));
    enum paced_err err = overwrite_check_test(config, dir);
    if (!err) err = measure(&m, config);
    if (!err) err = write_results(&m, dir);
    if (!err) err = run_files_write_test_config(dir, config, m.evaluation.device);
    if (!err) err = report_run(dir);
    if (!err && out) paced_robustness_print(&m.results, out);
    close_parts(&m);
    dir_lock_release(lock);
    return err;
}

enum paced_err robustness_check(const struct paced_config *config, const struct expected *expected) {
    struct measurement m = {0};
    enum paced_err err = paced_dir_check(config->run.output);
    if (!err) err = overwrite_check_test(config, config->run.output);
    if (!err) err = open_inputs(&m, config, expected);
    if (!err) err = evaluation_check(config);
    close_parts(&m);
    return err;
}
