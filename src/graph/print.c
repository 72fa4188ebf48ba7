/* The table of a network and its memory plan, for `paced graph`. */
#include <string.h>

#include "src/graph/graph.h"

static void print_node(const struct paced_node *node, FILE *out) {
    uint64_t params = 0;
    for (int i = 0; i < PACED_MAX_PARAMS && node->params[i]; ++i)
        if (node->params[i]->kind == PACED_PARAM_TRAINED) params += node->params[i]->count;
    char shape[48];
    snprintf(shape, sizeof shape, "%dx%dx%d", node->out->shape.h, node->out->shape.w, node->out->shape.c);
    fprintf(out, "%4d  %-36s %-16s %-14s %11llu %10.1f  ", node->index, node->name, node->op->name, shape,
            (unsigned long long)params, (double)node->macs / 1e6);
    for (int i = 0; i < node->inputs; ++i) fprintf(out, "%s%s", i ? ", " : "", node->in[i]->name);
    fputs(node->out->view ? "  (a view)\n" : "\n", out);
}

void paced_plan_print(const struct paced_plan *plan, FILE *out) {
    double mib = 1048576;
    fprintf(
        out,
        "memory plan, %s%s, batch %d: %.1f MiB of tensors in %d %s (%.1f MiB without sharing), workspace %.1f MiB\n",
        plan->mode == PACED_TRAINING ? "training" : "inference",
        plan->precision == PACED_PRECISION_MIXED ? ", mixed precision" : "", plan->batch,
        (double)(paced_plan_bytes(plan) - plan->workspace_bytes) / mib, plan->chunk_count,
        paced_plural((uint64_t)plan->chunk_count, "chunk", "chunks"), (double)plan->unshared_bytes / mib,
        (double)plan->workspace_bytes / mib);
}

void paced_graph_print(const struct paced_graph *g, const struct paced_plan *plan, FILE *out) {
    fprintf(out, "%4s  %-36s %-16s %-14s %11s %10s  %s\n", "node", "name", "operation", "output HxWxC", "parameters",
            "MMAC", "reads");
    for (size_t i = 0; i < g->node_count; ++i) print_node(g->nodes[i], out);
    fprintf(out, "parameters: %llu trained (%.1f MiB); multiply-adds: %.3f G per image\n",
            (unsigned long long)paced_graph_trained_count(g), (double)paced_graph_trained_count(g) * 4 / 1048576,
            (double)paced_graph_macs(g) / 1e9);
    if (plan) paced_plan_print(plan, out);
}
