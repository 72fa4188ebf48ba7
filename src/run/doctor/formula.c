/* Numbers by formula; see formula.h. */
#include "src/run/doctor/formula.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Element i of splitmix64 from the state that the name's hash gives. */
double formula_uniform(const char *name, uint64_t i) {
    uint64_t z = paced_hash(PACED_HASH_START, name, strlen(name)) + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-52 - 1;
}

static const struct paced_param *sibling(const struct paced_graph *graph, const struct paced_param *p,
                                         const char *suffix) {
    size_t prefix = (size_t)(strrchr(p->name, '.') - p->name) + 1;
    for (size_t i = 0; i < paced_graph_param_count(graph); ++i) {
        const struct paced_param *other = paced_graph_get_param(graph, i);
        if (strncmp(other->name, p->name, prefix) == 0 && strcmp(other->name + prefix, suffix) == 0) return other;
    }
    return NULL;
}

/* value = offset + scale u; |u| for a variance. Computed in double and rounded once. */
static void add_floats(struct paced_weights *state, const struct paced_graph *graph, const struct paced_param *p) {
    const char *suffix = strrchr(p->name, '.') + 1;
    bool variance = strcmp(suffix, "running_var") == 0, norm = sibling(graph, p, "running_mean") != NULL;
    double offset = variance || (norm && strcmp(suffix, "weight") == 0) ? 1 : 0, scale = variance ? 0.3 : 0.1;
    if (!norm) {
        const struct paced_param *w = sibling(graph, p, "weight");
        scale = 1 / sqrt((double)w->dims[1] * w->dims[2] * w->dims[3]);
    }
    float *values = paced_alloc(p->count, sizeof *values);
    for (uint64_t i = 0; i < p->count; ++i) {
        double u = formula_uniform(p->name, i);
        values[i] = (float)(offset + scale * (variance ? fabs(u) : u));
    }
    int64_t shape[4];
    for (int i = 0; i < p->rank; ++i) shape[i] = p->dims[i];
    paced_weights_add(state, p->name, PACED_F32, p->rank, shape, values);
    free(values);
}

struct paced_weights formula_state(const struct paced_graph *graph) {
    struct paced_weights state = {0};
    const int64_t none = 0;
    for (size_t i = 0; i < paced_graph_param_count(graph); ++i) {
        const struct paced_param *p = paced_graph_get_param(graph, i);
        if (p->kind == PACED_PARAM_COUNTER)
            paced_weights_add(&state, p->name, PACED_I64, 0, NULL, &none);
        else
            add_floats(&state, graph, p);
    }
    return state;
}
