/* The choice of views: a tensor is a view if its operation can give its source and all its readers accept views. */
#include "src/graph/graph.h"

static bool reads(const struct paced_node *node, const struct paced_tensor *t) {
    for (int k = 0; k < node->inputs; ++k)
        if (node->in[k] == t) return true;
    return false;
}

static bool readers_look_through(const struct paced_graph *g, const struct paced_tensor *t) {
    for (size_t i = 0; i < g->node_count; ++i)
        if (reads(g->nodes[i], t) && !g->nodes[i]->op->reads_views) return false;
    return true;
}

/* Sets the output's source from its inputs' sources. If that takes too many parts, the inputs are stored. */
static void look_through(const struct paced_node *node) {
    struct paced_source source;
    if (!node->op->view(node, &source)) {
        for (int k = 0; k < node->inputs; ++k) {
            node->in[k]->view = false;
            node->in[k]->source = source_itself(node->in[k]);
        }
        node->op->view(node, &source);
    }
    if (node->out->view) node->out->source = source;
}

void graph_choose_views(struct paced_graph *g) {
    for (size_t i = 0; i < g->node_count; ++i) {
        struct paced_tensor *t = g->nodes[i]->out;
        t->view = g->nodes[i]->op->view && t != g->output && !g->store_all && readers_look_through(g, t);
    }
    for (size_t i = 0; i < g->node_count; ++i)
        if (g->nodes[i]->op->view) look_through(g->nodes[i]);
}
