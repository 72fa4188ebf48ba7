/* Refusal to overwrite inputs. Files are compared, not names, because of links and relative paths. */
#include "src/run/overwrite.h"

#include <stdlib.h>
#include <string.h>

#include "src/run/files.h"

/* Keys of files that a training reads. */
static const char training_inputs[] = "distill.teacher, model.init, data.train, data.val, data.labels, device.tuning";
/* Keys of files that a test or a measurement of robustness reads. */
static const char test_inputs[] = "test.weights, robustness.weights, data.val, data.labels, device.tuning";

enum paced_err overwrite_check(const char *input_key, const char *input, const char *result, const char *output_key,
                               const char *output) {
    if (!*input || !paced_path_same(input, result)) return PACED_OK;
    return paced_error(PACED_INVALID, "%s = %s would be overwritten by the results in %s = %s; choose another %s",
                       input_key, input, output_key, output, output_key);
}

/* ---- run directories ----------------------------------------------------------------------------------------- */

static enum paced_err check_result(const char *result, const struct run_files *files, const struct paced_config *config,
                                   const char *keys) {
    bool own = strcmp(files->dir, config->run.output) == 0;
    enum paced_err err = PACED_OK;
    for (char *key; !err && (key = paced_list_next(&keys)); free(key)) {
        char *value = paced_config_value(config, key);
        const char *rest = value;
        bool is_list = strcmp(key, "robustness.weights") == 0;
        for (char *path; !err && is_list && (path = paced_list_next(&rest)); free(path))
            err = overwrite_check(key, path, result, own ? "run.output" : "--output", files->dir);
        if (!is_list) err = overwrite_check(key, value, result, own ? "run.output" : "--output", files->dir);
        free(value);
    }
    return err;
}

/* A config.ini without a run belongs to the user, unless this program wrote it. */
static enum paced_err check_config(const struct run_files *files) {
    if (run_files_hold_run(files) || !paced_path_exists(files->config)) return PACED_OK;
    if (paced_config_is_of_run(files->config)) return PACED_OK;
    return paced_error_at(PACED_INVALID, files->config,
                          "was not written by this program and would be overwritten; rename it, or choose another "
                          "--output");
}

static enum paced_err check(const struct paced_config *config, const char *dir, const char *keys, bool trains) {
    struct run_files files;
    run_files_init(&files, dir);
    enum paced_err err = check_config(&files);
    const char *result;
    for (size_t i = 0; !err && (result = run_files_result(&files, i, trains)); ++i)
        err = check_result(result, &files, config, keys);
    if (!err) err = check_result(files.overlays, &files, config, "data.root");
    if (!err) err = run_files_check_links(&files, trains);
    run_files_finish(&files);
    return err;
}

enum paced_err overwrite_check_training(const struct paced_config *config, const char *dir) {
    return check(config, dir, training_inputs, true);
}

enum paced_err overwrite_check_test(const struct paced_config *config, const char *dir) {
    return check(config, dir, test_inputs, false);
}
