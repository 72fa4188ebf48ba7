/* Network on a device. */
#include "src/run/network.h"

#include <stdlib.h>
#include <string.h>

#include "paced/ops.h"
#include "paced_build.h"

enum paced_err open_device(struct paced_device **device, const struct paced_config *config) {
    const struct paced_device_options options = {.select = config->device.select,
                                                 .threads = (int)config->device.threads,
                                                 .memory_limit_bytes = (uint64_t)config->device.memory_limit_mb << 20,
                                                 .tuning = config->device.tuning};
    return paced_device_open(device, &options);
}

enum paced_err network_build(struct paced_graph **graph, const struct paced_config *config) {
    return paced_model_build(graph, config->model.arch, config->data.size, (int)config->data.classes,
                             (int)config->model.width);
}

enum paced_precision network_precision(const struct paced_config *config, enum paced_mode mode) {
    return (enum paced_precision)(mode == PACED_TRAINING ? config->train.precision : config->predict.precision);
}

enum paced_err network_open(struct network *network, const struct paced_config *config, struct paced_device *device,
                            int batch, enum paced_mode mode) {
    *network = (struct network){0};
    enum paced_precision precision = network_precision(config, mode);
    PACED_TRY(network_build(&network->graph, config));
    enum paced_err err = paced_conv_check_tuning(network->graph, paced_device_tuning(device), precision, batch);
    if (!err) err = paced_exec_create(&network->exec, network->graph, device, batch, mode, precision);
    if (err) network_close(network);
    return err;
}

void network_close(struct network *network) {
    paced_exec_destroy(network->exec);
    paced_graph_destroy(network->graph);
    *network = (struct network){0};
}

static bool has_param(const void *graph, const char *name) {
    return paced_graph_find_param(graph, name) != NULL;
}

/* Adds the network that the names and shapes show as metadata, for messages, if the file has none. */
static enum paced_err add_guess(struct paced_weights *weights) {
    struct paced_network network;
    bool found;
    if (paced_weights_metadata(weights, "arch")) return PACED_OK;
    PACED_TRY(paced_model_guess(weights, &network, &found));
    if (found) network_describe(weights, &network, 0);
    return PACED_OK;
}

enum paced_err network_read(struct paced_weights *weights, const struct paced_graph *graph, const char *path,
                            bool say) {
    PACED_TRY(paced_weights_read(path, weights));
    char *prefix = paced_weights_unwrap(weights, graph ? has_param : NULL, graph);
    if (prefix && say) paced_log(PACED_LOG_INFO, "%s: the prefix '%s' is removed from all names", path, prefix);
    free(prefix);
    return graph ? add_guess(weights) : PACED_OK;
}

enum paced_err network_load(struct network *network, const char *path) {
    struct paced_weights weights = {0};
    enum paced_err err = network_read(&weights, network->graph, path, true);
    if (!err) err = paced_exec_load_params(network->exec, &weights, path);
    paced_weights_finish(&weights);
    return err;
}

bool expected_has(const struct expected *expected, const char *path) {
    for (size_t i = 0; i < expected->count; ++i)
        if (strcmp(expected->paths[i], path) == 0) return true;
    return false;
}

enum paced_err network_check(const struct paced_config *config, const char *path, const struct expected *expected) {
    struct paced_graph *graph;
    struct paced_weights weights = {0};
    PACED_TRY(network_build(&graph, config));
    enum paced_err err = PACED_OK;
    if (!expected_has(expected, path)) {
        err = network_read(&weights, graph, path, false);
        if (!err) err = paced_graph_check_weights(graph, &weights, path, NULL);
    }
    paced_weights_finish(&weights);
    paced_graph_destroy(graph);
    return err;
}

char *network_range(const struct paced_config *config, const char *path) {
    struct paced_weights weights = {0};
    const char *range = NULL;
    struct paced_failures failures = {0}; /* loading reports them */
    if (strcmp(config->data.range, "auto") == 0) {
        struct paced_failures *before = paced_errors_collect(&failures);
        if (paced_safetensors_read(path, &weights) == PACED_OK) range = paced_weights_metadata(&weights, "range");
        paced_errors_collect(before);
        paced_failures_finish(&failures);
    }
    char *found = paced_strdup(range ? range : config->data.range);
    paced_weights_finish(&weights);
    return found;
}

static void add_number(struct paced_weights *weights, const char *key, int64_t value) {
    char *text = paced_format("%lld", (long long)value);
    paced_weights_add_metadata(weights, key, text);
    free(text);
}

void network_describe(struct paced_weights *weights, const struct paced_network *network,
                      const struct paced_extent *size) {
    paced_weights_add_metadata(weights, "paced", PACED_VERSION);
    paced_weights_add_metadata(weights, "arch", network->arch);
    add_number(weights, "width", network->width);
    add_number(weights, "classes", network->classes);
    if (!size) return;
    char *text = paced_extent_text(*size);
    paced_weights_add_metadata(weights, "size", text);
    free(text);
}

enum paced_err network_collect(struct network *network, const struct paced_config *config,
                               struct paced_weights *weights) {
    const struct paced_network is = {config->model.arch, (int)config->model.width, (int)config->data.classes};
    network_describe(weights, &is, &config->data.size);
    if (strcmp(config->data.range, "auto") != 0) paced_weights_add_metadata(weights, "range", config->data.range);
    return paced_exec_save_params(network->exec, weights);
}

enum paced_err network_save(struct network *network, const struct paced_config *config, const char *path) {
    struct paced_weights weights = {0};
    enum paced_err err = network_collect(network, config, &weights);
    if (!err) err = paced_safetensors_write(path, &weights);
    paced_weights_finish(&weights);
    return err;
}
