/* Initial weights of a training. */
#include "src/run/train/initial.h"

#include <stdlib.h>

enum { SHOWN_NAMES = 6 };

#define SET_FILES "set model.arch, model.width and data.classes to the file's"

/* Names of tensors, of which a message shows the first few. */
struct names {
    struct paced_text text;
    size_t count;
};

/* The tensors of a file against the parameters of a network. */
struct fit {
    size_t taken;        /* of the network's tensors, those of the same name and shape in the file */
    bool any_trained;    /* at least one of them is trained, not a statistic */
    struct names left;   /* the network's other tensors */
    struct names others; /* the file's tensors that are not the network's */
};

static void add_name(struct names *names, const char *name) {
    if (names->count < SHOWN_NAMES) paced_text_add(&names->text, "%s%s", names->count ? ", " : "", name);
    ++names->count;
}

/* Ends a list. */
static void add_rest(struct names *names) {
    if (names->count > SHOWN_NAMES) paced_text_add(&names->text, " and %zu more", names->count - SHOWN_NAMES);
}

static bool has_shape(const struct paced_entry *entry, const struct paced_param *param) {
    bool same = entry->rank == param->rank;
    for (int i = 0; same && i < param->rank; ++i) same = entry->shape[i] == param->dims[i];
    return same;
}

static const struct paced_entry *find(const struct paced_weights *weights, const struct paced_param *param) {
    const struct paced_entry *entry = paced_weights_find(weights, param->name);
    return entry && has_shape(entry, param) ? entry : NULL;
}

static struct fit compare(const struct paced_graph *graph, const struct paced_weights *weights) {
    struct fit fit = {0};
    for (size_t i = 0; i < paced_graph_param_count(graph); ++i) {
        const struct paced_param *param = paced_graph_get_param(graph, i);
        if (find(weights, param)) {
            ++fit.taken;
            fit.any_trained |= param->kind == PACED_PARAM_TRAINED;
        } else {
            add_name(&fit.left, param->name);
        }
    }
    for (size_t i = 0; i < weights->count; ++i)
        if (!paced_graph_find_param(graph, weights->entries[i].name)) add_name(&fit.others, weights->entries[i].name);
    add_rest(&fit.left);
    add_rest(&fit.others);
    return fit;
}

static void finish_fit(struct fit *fit) {
    free(fit->left.text.data);
    free(fit->others.text.data);
}

/* ---- refusals ------------------------------------------------------------------------------------------------ */

/* Remedy for a file that fits in part; NULL, for the general one, if nothing fits. */
static char *remedy(const struct fit *fit) {
    if (!fit->any_trained) return NULL;
    if (fit->left.count == 0) return paced_format("set model.partial = yes to leave it out, or " SET_FILES);
    return paced_format("set model.partial = yes to keep the random initialisation of %s (%zu of %zu tensors), "
                        "or " SET_FILES,
                        fit->left.text.data, fit->left.count, fit->left.count + fit->taken);
}

static enum paced_err check(const struct paced_config *config, const struct paced_graph *graph,
                            const struct paced_weights *weights, const struct fit *fit) {
    const char *path = config->model.init;
    if (!config->model.partial) {
        char *hint = remedy(fit);
        enum paced_err err = paced_graph_check_weights(graph, weights, path, hint);
        free(hint);
        return err;
    }
    if (fit->any_trained) return PACED_OK;
    const char *arch = paced_weights_metadata(weights, "arch"), *width = paced_weights_metadata(weights, "width");
    return paced_error_at(PACED_INVALID, path,
                          "no tensor fits the configured network (%s, width %lld), so model.partial = yes takes "
                          "nothing; " SET_FILES "%s%s%s%s",
                          config->model.arch, (long long)config->model.width, arch ? ": arch " : "", arch ? arch : "",
                          width ? ", width " : "", width ? width : "");
}

/* ---- loading ------------------------------------------------------------------------------------------------- */

static void report(const char *path, const struct fit *fit) {
    struct paced_text line = {0};
    paced_text_add(&line, "%s: %zu of %zu tensors are taken", path, fit->taken, fit->taken + fit->left.count);
    if (fit->left.count) paced_text_add(&line, "; at random: %s", fit->left.text.data);
    if (fit->others.count) paced_text_add(&line, "; not part of the network: %s", fit->others.text.data);
    paced_log(PACED_LOG_INFO, "%s", line.data);
    free(line.data);
}

/* Replaces the random numbers by the tensors that fit. */
static enum paced_err load_fitting(struct network *network, const struct paced_config *config,
                                   const struct paced_weights *weights) {
    struct paced_weights all = {0};
    enum paced_err err = paced_exec_init_params(network->exec, (uint64_t)config->run.seed);
    if (!err) err = paced_exec_save_params(network->exec, &all);
    for (size_t i = 0; !err && i < paced_graph_param_count(network->graph); ++i) {
        const struct paced_entry *entry = find(weights, paced_graph_get_param(network->graph, i));
        if (entry) paced_weights_add(&all, entry->name, entry->dtype, entry->rank, entry->shape, entry->data);
    }
    if (!err) err = paced_exec_load_params(network->exec, &all, config->model.init);
    paced_weights_finish(&all);
    return err;
}

enum paced_err initial_load(struct network *network, const struct paced_config *config) {
    const char *path = config->model.init;
    if (!*path) return paced_exec_init_params(network->exec, (uint64_t)config->run.seed);
    struct paced_weights weights = {0};
    enum paced_err err = network_read(&weights, network->graph, path, true);
    struct fit fit = compare(network->graph, &weights);
    if (!err) err = check(config, network->graph, &weights, &fit);
    if (!err)
        err = config->model.partial ? load_fitting(network, config, &weights)
                                    : paced_exec_load_params(network->exec, &weights, path);
    if (!err && config->model.partial) report(path, &fit);
    finish_fit(&fit);
    paced_weights_finish(&weights);
    return err;
}

enum paced_err initial_check(const struct paced_config *config, const struct expected *expected) {
    const char *path = config->model.init;
    if (!*path || expected_has(expected, path)) return PACED_OK;
    struct paced_graph *graph;
    struct paced_weights weights = {0};
    PACED_TRY(network_build(&graph, config));
    enum paced_err err = network_read(&weights, graph, path, false);
    struct fit fit = compare(graph, &weights);
    if (!err) err = check(config, graph, &weights, &fit);
    finish_fit(&fit);
    paced_weights_finish(&weights);
    paced_graph_destroy(graph);
    return err;
}
