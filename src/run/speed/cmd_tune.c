/* paced tune [CONFIG]: finds the fastest settings on the configured device for the configured network and batch, and
 * adds them to the device's tuning file, which retains those of other networks. */
#include <stdlib.h>

#include "paced/models.h"
#include "paced/run.h"
#include "src/run/network.h"
#include "src/run/overwrite.h"
#include "src/run/speed/speed.h"

/* Loads CONFIG, or the defaults with a batch that fits most devices. The device is opened without a tuning, which is
 * read from the output file instead. */
static enum paced_err load_config(const struct paced_arguments *arguments, struct paced_config *config) {
    const char *path = arguments->name_count ? arguments->names[0] : NULL;
    const char **sets = paced_alloc(arguments->set_count + 2, sizeof *sets);
    size_t count = 0;
    if (!path) sets[count++] = "train.batch=4";
    for (size_t i = 0; i < arguments->set_count; ++i) sets[count++] = arguments->sets[i];
    sets[count++] = "device.tuning=off";
    enum paced_err err = paced_config_load(config, path, sets, count);
    free(sets);
    if (!err) paced_log_set_level((enum paced_log_level)config->log.level);
    return err;
}

static enum paced_err measure(struct tuner *t, const struct paced_config *c) {
    struct paced_graph *graph;
    PACED_TRY(network_build(&graph, c));
    t->count = tune_products_count(t->device) + tune_convolutions_count(t, graph);
    enum paced_err err = tune_products(t);
    if (!err) err = tune_convolutions(t, graph, (int)c->train.batch);
    paced_graph_destroy(graph);
    return err;
}

static enum paced_err store(struct tuner *t, const struct paced_config *c, const char *path) {
    char *size = paced_extent_text(c->data.size);
    char *measured = paced_format("%s, width %lld, size %s, batch %lld", c->model.arch, (long long)c->model.width, size,
                                  (long long)c->train.batch);
    paced_device_tuning_describe(t->device, measured);
    free(measured);
    free(size);
    PACED_TRY(paced_tuning_write(paced_device_tuning(t->device), path));
    fputs(t->table.data, stdout);
    paced_log(PACED_LOG_INFO, "tune: stored in %s", path);
    return PACED_OK;
}

static enum paced_err tune(const struct paced_config *c, const char *output) {
    struct tuner t = {.training = network_precision(c, PACED_TRAINING),
                      .inference = network_precision(c, PACED_INFERENCE)};
    PACED_TRY(open_device(&t.device, c));
    char *path = output ? paced_strdup(output) : paced_device_tuning_path(t.device);
    enum paced_err err = path ? PACED_OK
                              : paced_error(PACED_FAILED, "tune: no cache directory can be written; set "
                                                          "PACED_CACHE_DIR, or name a file with --output");
    if (!err) err = paced_file_check(path);
    if (!err && paced_path_exists(path) && paced_tuning_read(paced_device_tuning(t.device), path) != PACED_OK)
        paced_log(PACED_LOG_WARN, "tune: the previous content of %s is discarded", path);
    if (!err) err = measure(&t, c);
    if (!err) err = store(&t, c, path);
    free(t.table.data);
    free(path);
    paced_device_close(t.device);
    return err;
}

enum paced_err paced_command_tune(const struct paced_arguments *arguments) {
    struct paced_config config;
    if (getenv("PACED_CONV")) return paced_error(PACED_INVALID, "tune: PACED_CONV fixes the algorithm; unset it");
    PACED_TRY(load_config(arguments, &config));
    paced_catch_stop();
    enum paced_err err = PACED_OK;
    if (arguments->output && arguments->name_count)
        err = overwrite_check("CONFIG", arguments->names[0], arguments->output, "--output", arguments->output);
    if (!err) err = tune(&config, arguments->output);
    paced_config_finish(&config);
    return err;
}
