/* Parameters: their memory on the device, and their transfer from and to files.
 *
 * Trainable parameters are contiguous in one arena, their gradients (and an optimiser's moments) in arenas of the same
 * layout, so that an optimiser is one kernel over one range. Alignment padding between them is zero and stays zero.
 * Files hold PyTorch's layouts; the device holds convolution weights as [k][kh][kw][c]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/graph/exec.h"

struct paced_buffer *paced_exec_param(const struct paced_exec *e, const struct paced_param *p) {
    return e->params[p->index].value;
}

struct paced_buffer *paced_exec_param_grad(const struct paced_exec *e, const struct paced_param *p) {
    return e->params[p->index].grad;
}

struct paced_buffer *paced_exec_trained(struct paced_exec *e) {
    return e->trained;
}

struct paced_buffer *paced_exec_trained_grad(struct paced_exec *e) {
    return e->trained_grad;
}

void paced_exec_count_batch(struct paced_exec *e, const struct paced_param *counter) {
    e->params[counter->index].counter += 1;
}

/* ---- memory -------------------------------------------------------------------------------------------------- */

static enum paced_err make_arena(struct paced_buffer **arena, struct paced_device *device, uint64_t bytes) {
    PACED_TRY(paced_buffer_create(arena, device, bytes));
    return paced_buffer_zero(*arena, paced_buffer_bytes(*arena));
}

void exec_place_params(struct paced_exec *e) {
    const struct paced_graph *g = e->graph;
    uint64_t align = paced_device_info(e->device)->align_bytes;
    e->params = paced_alloc(g->param_count, sizeof *e->params);
    for (size_t i = 0; i < g->param_count; ++i) {
        const struct paced_param *p = g->params[i];
        if (p->kind == PACED_PARAM_COUNTER) continue;
        uint64_t *end = p->kind == PACED_PARAM_TRAINED ? &e->trained_bytes : &e->statistic_bytes;
        e->params[i].offset = *end;
        *end = align_up(*end + 4 * p->count, align);
    }
}

enum paced_err exec_make_params(struct paced_exec *e) {
    const struct paced_graph *g = e->graph;
    PACED_TRY(make_arena(&e->trained, e->device, e->trained_bytes));
    PACED_TRY(make_arena(&e->statistics, e->device, e->statistic_bytes));
    if (e->mode == PACED_TRAINING) PACED_TRY(make_arena(&e->trained_grad, e->device, e->trained_bytes));
    for (size_t i = 0; i < g->param_count; ++i) {
        const struct paced_param *p = g->params[i];
        struct param_place *place = &e->params[i];
        if (p->kind == PACED_PARAM_COUNTER) continue;
        bool trained = p->kind == PACED_PARAM_TRAINED;
        const struct paced_buffer *arena = trained ? e->trained : e->statistics;
        PACED_TRY(paced_buffer_view(&place->value, arena, place->offset, 4 * p->count));
        if (trained && e->trained_grad)
            PACED_TRY(paced_buffer_view(&place->grad, e->trained_grad, place->offset, 4 * p->count));
    }
    return PACED_OK;
}

void exec_destroy_params(struct paced_exec *e) {
    for (size_t i = 0; e->params && i < e->graph->param_count; ++i) {
        paced_buffer_destroy(e->params[i].value);
        paced_buffer_destroy(e->params[i].grad);
    }
    free(e->params);
    paced_buffer_destroy(e->trained);
    paced_buffer_destroy(e->trained_grad);
    paced_buffer_destroy(e->statistics);
}

/* ---- layouts ------------------------------------------------------------------------------------------------- */

/* Converts between file [a][b][r][s] and device [a][r][s][b]. */
static void permute(const struct paced_param *p, const float *from, float *to, bool to_device) {
    if (p->layout == PACED_LAYOUT_PLAIN) {
        memcpy(to, from, p->count * sizeof *to);
        return;
    }
    size_t a = (size_t)p->dims[0], b = (size_t)p->dims[1], taps = (size_t)p->dims[2] * (size_t)p->dims[3];
    for (size_t i = 0; i < a; ++i)
        for (size_t j = 0; j < b; ++j)
            for (size_t t = 0; t < taps; ++t) {
                size_t file = (i * b + j) * taps + t, device = (i * taps + t) * b + j;
                if (to_device)
                    to[device] = from[file];
                else
                    to[file] = from[device];
            }
}

static enum paced_err write_param(struct paced_buffer *buffer, const struct paced_param *p, const float *file_values) {
    float *values = paced_alloc(p->count, sizeof *values);
    permute(p, file_values, values, true);
    enum paced_err err = paced_buffer_write(buffer, values, p->count * sizeof *values);
    free(values);
    return err;
}

static enum paced_err add_param(struct paced_weights *weights, const struct paced_buffer *buffer,
                                const struct paced_param *p, const char *name) {
    int64_t shape[PACED_MAX_RANK];
    for (int i = 0; i < p->rank; ++i) shape[i] = p->dims[i];
    float *values = paced_alloc(p->count, sizeof *values), *file = paced_alloc(p->count, sizeof *file);
    enum paced_err err = paced_buffer_read(buffer, values, p->count * sizeof *values);
    if (!err) {
        permute(p, values, file, false);
        paced_weights_add(weights, name, PACED_F32, p->rank, shape, file);
    }
    free(file);
    free(values);
    return err;
}

/* ---- initialisation ------------------------------------------------------------------------------------------ */

static void forget_cached(struct paced_exec *e) {
    for (size_t i = 0; i < e->graph->node_count; ++i) e->cached[i].filled = false;
}

enum paced_err paced_exec_init_params(struct paced_exec *e, uint64_t seed) {
    forget_cached(e);
    for (size_t i = 0; i < e->graph->param_count; ++i) {
        const struct paced_param *p = e->graph->params[i];
        if (p->kind == PACED_PARAM_COUNTER) {
            e->params[i].counter = 0;
            continue;
        }
        struct paced_rng rng;
        paced_rng_seed(&rng, seed, PACED_STREAM_INIT + i);
        float *values = paced_alloc(p->count, sizeof *values);
        for (uint64_t k = 0; k < p->count; ++k) switch (p->init) {
            case PACED_INIT_CONSTANT:
                values[k] = p->init_value;
                break;
            case PACED_INIT_UNIFORM:
                values[k] = (float)((2 * paced_rng_uniform(&rng) - 1) * p->init_value);
                break;
            case PACED_INIT_NORMAL:
                values[k] = (float)(paced_rng_normal(&rng) * p->init_value);
                break;
            }
        enum paced_err err = write_param(e->params[i].value, p, values);
        free(values);
        PACED_TRY(err);
    }
    return PACED_OK;
}

/* ---- files --------------------------------------------------------------------------------------------------- */

static void shape_text(char *out, size_t size, int rank, const int64_t *shape) {
    size_t used = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < rank && used < size; ++i)
        used += (size_t)snprintf(out + used, size - used, i ? ", %lld" : "%lld", (long long)shape[i]);
    if (used < size) snprintf(out + used, size - used, "]");
}

/* Writes the network that the metadata describe: ": arch unet, width 64, classes 2", or as much as they hold. */
static void network_text(char *out, size_t size, const struct paced_weights *weights) {
    static const char *const keys[] = {"arch", "width", "classes"};
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < PACED_COUNT(keys) && used < size; ++i) {
        const char *value = paced_weights_metadata(weights, keys[i]);
        if (value) used += (size_t)snprintf(out + used, size - used, "%s%s %s", used ? ", " : ": ", keys[i], value);
    }
}

static enum paced_err check_entry(const struct paced_entry *entry, const struct paced_param *p, const char *name,
                                  const struct paced_weights *weights, const char *path, const char *hint) {
    char network[128];
    network_text(network, sizeof network, weights);
    if (!entry)
        return paced_error_at(PACED_INVALID, path, "tensor %s is missing; these weights are of another network, %s%s",
                              name, hint, network);
    enum paced_dtype dtype = p->kind == PACED_PARAM_COUNTER ? PACED_I64 : PACED_F32;
    if (entry->dtype != dtype)
        return paced_error_at(PACED_INVALID, path, "tensor %s is not %s; save it in that type", name,
                              dtype == PACED_I64 ? "int64" : "float32");
    bool same = entry->rank == p->rank;
    for (int i = 0; same && i < p->rank; ++i) same = entry->shape[i] == p->dims[i];
    if (same) return PACED_OK;
    char has[128], wants[128];
    int64_t dims[4];
    for (int i = 0; i < p->rank; ++i) dims[i] = p->dims[i];
    shape_text(has, sizeof has, entry->rank, entry->shape);
    shape_text(wants, sizeof wants, p->rank, dims);
    return paced_error_at(PACED_INVALID, path, "tensor %s has shape %s, the configured network has %s; %s%s", name, has,
                          wants, hint, network);
}

static enum paced_err check_finite(const struct paced_entry *entry, const char *path) {
    const float *values = entry->data;
    size_t count = entry->dtype == PACED_F32 ? entry->bytes / sizeof *values : 0;
    for (size_t i = 0; i < count; ++i)
        if (!isfinite(values[i]))
            return paced_error_at(PACED_INVALID, path,
                                  "tensor %s has a value that is not a finite number (%g); its training "
                                  "diverged; %s",
                                  entry->name, (double)values[i], paced_advice(PACED_CAUSE_DIVERGED));
    return PACED_OK;
}

static enum paced_err check_no_more(const struct paced_graph *g, const struct paced_weights *weights, const char *path,
                                    const char *hint) {
    for (size_t i = 0; i < weights->count; ++i)
        if (!paced_graph_find_param(g, weights->entries[i].name))
            return paced_error_at(PACED_INVALID, path, "tensor %s is not part of the configured network; %s",
                                  weights->entries[i].name, hint);
    return PACED_OK;
}

enum paced_err paced_graph_check_weights(const struct paced_graph *g, const struct paced_weights *weights,
                                         const char *path, const char *hint) {
    if (!hint) hint = paced_advice(PACED_CAUSE_OTHER_NETWORK);
    for (size_t i = 0; i < g->param_count; ++i) {
        const struct paced_param *p = g->params[i];
        const struct paced_entry *entry = paced_weights_find(weights, p->name);
        PACED_TRY(check_entry(entry, p, p->name, weights, path, hint));
        PACED_TRY(check_finite(entry, path));
    }
    return check_no_more(g, weights, path, hint);
}

enum paced_err paced_exec_load_params(struct paced_exec *e, const struct paced_weights *weights, const char *path) {
    PACED_TRY(paced_graph_check_weights(e->graph, weights, path, NULL));
    forget_cached(e);
    for (size_t i = 0; i < e->graph->param_count; ++i) {
        const struct paced_param *p = e->graph->params[i];
        const struct paced_entry *entry = paced_weights_find(weights, p->name);
        if (p->kind == PACED_PARAM_COUNTER)
            memcpy(&e->params[i].counter, entry->data, sizeof e->params[i].counter);
        else
            PACED_TRY(write_param(e->params[i].value, p, entry->data));
    }
    return PACED_OK;
}

enum paced_err paced_exec_save_params(struct paced_exec *e, struct paced_weights *weights) {
    for (size_t i = 0; i < e->graph->param_count; ++i) {
        const struct paced_param *p = e->graph->params[i];
        if (p->kind == PACED_PARAM_COUNTER)
            paced_weights_add(weights, p->name, PACED_I64, 0, NULL, &e->params[i].counter);
        else
            PACED_TRY(add_param(weights, e->params[i].value, p, p->name));
    }
    return PACED_OK;
}

/* The part of a flat buffer that belongs to parameter i. */
static enum paced_err flat_view(const struct paced_exec *e, const struct paced_buffer *flat, size_t i,
                                struct paced_buffer **view) {
    return paced_buffer_view(view, flat, e->params[i].offset, 4 * e->graph->params[i]->count);
}

enum paced_err paced_exec_load_flat(struct paced_exec *e, struct paced_buffer *flat, const char *prefix,
                                    const struct paced_weights *weights, const char *path) {
    for (size_t i = 0; i < e->graph->param_count; ++i) {
        const struct paced_param *p = e->graph->params[i];
        if (p->kind != PACED_PARAM_TRAINED) continue;
        char *name = paced_format("%s%s", prefix, p->name);
        const struct paced_entry *entry = paced_weights_find(weights, name);
        struct paced_buffer *view = NULL;
        enum paced_err err = check_entry(entry, p, name, weights, path, paced_advice(PACED_CAUSE_OTHER_NETWORK));
        if (!err) err = flat_view(e, flat, i, &view);
        if (!err) err = write_param(view, p, entry->data);
        paced_buffer_destroy(view);
        free(name);
        PACED_TRY(err);
    }
    return PACED_OK;
}

enum paced_err paced_exec_save_flat(struct paced_exec *e, const struct paced_buffer *flat, const char *prefix,
                                    struct paced_weights *weights) {
    for (size_t i = 0; i < e->graph->param_count; ++i) {
        const struct paced_param *p = e->graph->params[i];
        if (p->kind != PACED_PARAM_TRAINED) continue;
        char *name = paced_format("%s%s", prefix, p->name);
        struct paced_buffer *view = NULL;
        enum paced_err err = flat_view(e, flat, i, &view);
        if (!err) err = add_param(weights, view, p, name);
        paced_buffer_destroy(view);
        free(name);
        PACED_TRY(err);
    }
    return PACED_OK;
}
