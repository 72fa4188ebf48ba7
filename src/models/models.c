/* models: the networks by name. The list of networks in meson.build generates paced_networks.h, which has a NETWORK(x)
 * for each; model_x is defined in x.c. */
#include <stdlib.h>
#include <string.h>

#include "paced_networks.h"
#include "src/models/models.h"

#define NETWORK(name) extern const struct model model_##name;
PACED_NETWORKS
#undef NETWORK
#define NETWORK(name) &model_##name,
static const struct model *const models[] = {PACED_NETWORKS};

/* Pixels of an example that every network supports; the most classes that labels of bytes can have. */
enum { MAX_CLASSES = 255 };
static const struct paced_extent example = {64, 64};

const char *paced_network_name(int index) {
    return index >= 0 && (size_t)index < PACED_COUNT(models) ? models[index]->name : NULL;
}

static enum paced_err unknown(const char *arch) {
    const char *nearest = paced_names_nearest(paced_network_name, arch);
    struct paced_text all = {0};
    paced_names_add(&all, paced_network_name);
    enum paced_err err =
        paced_error_at(PACED_INVALID, arch, "no such network; %s%s%schoose one of: %s", nearest ? "did you mean " : "",
                       nearest ? nearest : "", nearest ? "? " : "", all.data);
    free(all.data);
    return err;
}

static enum paced_err build(struct paced_graph **out, const struct model *model, struct paced_extent extent,
                            int classes, int width, bool pad_or_crop_all) {
    struct paced_graph *graph = paced_graph_create();
    if (pad_or_crop_all) paced_graph_pad_or_crop_all(graph);
    struct paced_tensor *image =
        paced_graph_input(graph, "image", (struct paced_shape){extent.height, extent.width, 3});
    paced_graph_output(graph, model->build(graph, image, classes, width));
    enum paced_err err = paced_graph_error(graph);
    if (err) {
        paced_graph_destroy(graph);
        return err;
    }
    *out = graph;
    return PACED_OK;
}

static const struct model *find(const char *arch) {
    int index = paced_names_find(paced_network_name, arch);
    return index < 0 ? NULL : models[index];
}

enum paced_err paced_model_build(struct paced_graph **out, const char *arch, struct paced_extent extent, int classes,
                                 int width) {
    const struct model *model = find(arch);
    *out = NULL;
    return model ? build(out, model, extent, classes, width, false) : unknown(arch);
}

enum paced_err paced_model_build_any_size(struct paced_graph **out, const char *arch, int classes, int width) {
    const struct model *model = find(arch);
    *out = NULL;
    return model ? build(out, model, example, classes, width, true) : unknown(arch);
}

/* ---- recognition --------------------------------------------------------------------------------------------- */

/* The first dimension of a tensor if it is at most `max`, else 0. */
static int first_size(const struct paced_weights *weights, const struct paced_param *param, int max) {
    const struct paced_entry *entry = paced_weights_find(weights, param->name);
    return entry && entry->rank == param->rank && entry->shape[0] <= max ? (int)entry->shape[0] : 0;
}

/* Tries each network; adds the names that it looks for to `names`. */
static enum paced_err guess(const struct paced_weights *weights, struct paced_network *network, bool *found,
                            struct paced_text *names) {
    *found = false;
    for (size_t i = 0; i < PACED_COUNT(models) && !*found; ++i) {
        struct paced_graph *graph;
        PACED_TRY(build(&graph, models[i], example, 2, 64, false));
        const struct paced_param *first = paced_graph_get_param(graph, 0),
                                 *last = paced_graph_get_param(graph, paced_graph_param_count(graph) - 1);
        *network = (struct paced_network){models[i]->name, first_size(weights, first, PACED_MAX_WIDTH),
                                          first_size(weights, last, MAX_CLASSES)};
        *found = network->width > 0 && network->classes > 0;
        paced_text_add(names, "%s%s has %s and %s", i ? ", " : "", models[i]->name, first->name, last->name);
        paced_graph_destroy(graph);
    }
    return PACED_OK;
}

enum paced_err paced_model_guess(const struct paced_weights *weights, struct paced_network *network, bool *found) {
    struct paced_text names = {0};
    enum paced_err err = guess(weights, network, found, &names);
    free(names.data);
    return err;
}

enum paced_err paced_model_recognise(const struct paced_weights *weights, const char *path,
                                     struct paced_network *network) {
    struct paced_text names = {0};
    bool found;
    enum paced_err err = guess(weights, network, &found, &names);
    if (!err && !found)
        err = paced_error_at(PACED_INVALID, path, "does not match any network: %s; use weights of one of these",
                             names.data);
    free(names.data);
    return err;
}
