/* The networks by name. Which there are says the list in meson.build, from which networks.h is made: NETWORK(x) for
 * each, which stands for model_x of its own file. */
#include <stdlib.h>
#include <string.h>

#include "src/models/models.h"
#include "src/models/networks.h"

#define NETWORK(name) extern const struct model model_##name;
PACED_NETWORKS
#undef NETWORK
#define NETWORK(name) &model_##name,
static const struct model *const models[] = {PACED_NETWORKS};

static enum paced_err unknown(const char *arch) {
    const char *names[PACED_COUNT(models)];
    struct paced_text all = {0};
    for (size_t i = 0; i < PACED_COUNT(models); ++i) {
        names[i] = models[i]->name;
        paced_text_add(&all, i ? ", %s" : "%s", names[i]);
    }
    const char *nearest = paced_nearest(arch, names, PACED_COUNT(names));
    enum paced_err err =
        paced_error(PACED_INVALID, "model.arch = %s: no such network; %s%s%schoose one of: %s", arch,
                    nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "", all.data);
    free(all.data);
    return err;
}

enum paced_err paced_model_build(struct paced_graph **out, const char *arch, int size, int classes, int width) {
    *out = NULL;
    const struct model *model = NULL;
    for (size_t i = 0; i < PACED_COUNT(models); ++i)
        if (strcmp(models[i]->name, arch) == 0) model = models[i];
    if (!model) return unknown(arch);
    struct paced_graph *graph = paced_graph_create();
    struct paced_tensor *image = paced_graph_input(graph, "image", (struct paced_shape){size, size, 3});
    paced_graph_output(graph, model->build(graph, image, classes, width));
    enum paced_err err = paced_graph_error(graph);
    if (err) {
        paced_graph_destroy(graph);
        return err;
    }
    *out = graph;
    return PACED_OK;
}
