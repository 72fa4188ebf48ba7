/* Frozen teacher. */
#include "src/run/teacher.h"

#include <stdlib.h>
#include <string.h>

#include "paced/metrics.h"

/* Memory that logits_collect allocates for one version. */
static uint64_t logits_bytes(const struct teacher *t, const struct paced_dataset *dataset, bool labels) {
    uint64_t pixels = paced_dataset_count(dataset) * paced_extent_pixels(paced_dataset_extent(dataset));
    return pixels * ((uint64_t)t->config->data.classes * sizeof(float) + labels);
}

static enum paced_err collect(struct teacher *t, struct paced_dataset *dataset, unsigned flips, bool labels,
                              struct logits *logits, const char *label) {
    const struct paced_change change = {paced_flip, &flips};
    return logits_collect(logits, &t->network, dataset, t->batch, (int)t->config->data.workers,
                          (int)t->config->data.classes, &change, labels, label);
}

/* Fills logits[v] for every version v that `flips` can produce. */
static enum paced_err cache(struct teacher *t, struct paced_dataset *dataset, unsigned flips, bool labels,
                            struct logits *logits, const char *label) {
    const uint64_t mib = 1 << 20;
    uint64_t bytes = 0;
    for (unsigned v = 0; v < PACED_FLIP_VERSIONS; ++v)
        if ((v & ~flips) == 0) bytes += logits_bytes(t, dataset, labels);
    if (bytes > (uint64_t)t->config->distill.cache_mb * mib) {
        paced_log(PACED_LOG_INFO,
                  "the teacher's logits (%llu MiB) exceed distill.cache_mb = %lld: they are computed for every batch",
                  (unsigned long long)((bytes + mib - 1) / mib), (long long)t->config->distill.cache_mb);
        return PACED_OK;
    }
    for (unsigned v = 0; v < PACED_FLIP_VERSIONS; ++v)
        if ((v & ~flips) == 0) PACED_TRY(collect(t, dataset, v, labels, &logits[v], label));
    return PACED_OK;
}

static enum paced_err cache_train(struct teacher *t, struct paced_dataset *dataset) {
    unsigned flips;
    if (paced_augment_only_flips(t->augment, &flips))
        return cache(t, dataset, flips, false, t->train, "teacher, train");
    paced_log(PACED_LOG_INFO,
              "data.augment = %s does more than flip: the teacher's logits of training images are computed for every "
              "batch",
              t->config->data.augment);
    return PACED_OK;
}

/* Warns of a teacher that was trained on other brightness. Only weights by this program know their range. */
static void check_range(const struct teacher *t, const struct paced_weights *weights, const char *path) {
    const char *range = paced_weights_metadata(weights, "range");
    if (!range && paced_weights_metadata(weights, "paced")) range = "auto";
    if (range && strcmp(range, t->config->data.range) != 0)
        paced_log(PACED_LOG_WARN,
                  "%s: the teacher was trained with data.range = %s, but the images are read with %s; it sees another "
                  "brightness",
                  path, range, t->config->data.range);
}

/* Loads the weights, and hashes those that the network has. */
static enum paced_err load(struct teacher *t, const char *path) {
    struct paced_weights weights = {0};
    const struct paced_graph *graph = t->network.graph;
    PACED_TRY(paced_weights_read(path, &weights));
    enum paced_err err = paced_exec_load_params(t->network.exec, &weights, path);
    if (!err) check_range(t, &weights, path);
    t->hash = PACED_HASH_START;
    for (size_t i = 0; !err && i < paced_graph_param_count(graph); ++i) {
        const struct paced_entry *e = paced_weights_find(&weights, paced_graph_get_param(graph, i)->name);
        if (e) t->hash = paced_hash(t->hash, e->data, e->bytes);
    }
    paced_weights_finish(&weights);
    return err;
}

struct paced_config teacher_config(const struct paced_config *config) {
    struct paced_config own = *config;
    own.predict.precision = config->train.precision; /* of the whole training */
    if (*config->distill.teacher_arch) own.model.arch = config->distill.teacher_arch;
    if (config->distill.teacher_width) own.model.width = config->distill.teacher_width;
    return own;
}

enum paced_err teacher_open(struct teacher *t, const struct paced_config *config, struct paced_device *device,
                            int batch, struct paced_dataset *train, struct paced_dataset *val,
                            const struct paced_augment *augment) {
    *t = (struct teacher){.config = config, .batch = batch, .augment = augment};
    size_t pixels = paced_extent_pixels(config->data.size);
    for (int i = 0; i < 2; ++i)
        t->staging[i] = paced_alloc((size_t)batch * pixels * (size_t)config->data.classes, sizeof(float));
    struct paced_config own = teacher_config(config);
    enum paced_err err = network_open(&t->network, &own, device, batch, PACED_INFERENCE);
    if (!err) err = load(t, config->distill.teacher);
    if (!err) err = cache_train(t, train);
    if (!err) err = cache(t, val, 0, true, &t->val, "teacher, val"); /* labels: to fit tau */
    if (!err && t->train[0].values && t->val.values) network_close(&t->network);
    if (err) teacher_close(t);
    return err;
}

void teacher_close(struct teacher *t) {
    network_close(&t->network);
    for (int v = 0; v < PACED_FLIP_VERSIONS; ++v) logits_finish(&t->train[v]);
    logits_finish(&t->val);
    for (int i = 0; i < 2; ++i) free(t->staging[i]);
    *t = (struct teacher){0};
}

enum paced_err teacher_fit_temperature(struct teacher *t, struct paced_dataset *val, double *tau) {
    struct logits own = {0}, *logits = t->val.values ? &t->val : &own;
    if (logits == &own) PACED_TRY(collect(t, val, 0, true, &own, "calibrate"));
    paced_log_status("fitting the temperature");
    enum paced_err err = paced_temperature_fit(logits->values, logits->labels,
                                               logits->images * logits->pixels_per_image, logits->classes, tau);
    paced_log_status(NULL);
    logits_finish(&own);
    return err;
}

/* Gathers the cached logits of the batch's images, flipped as the images are, and enqueues the transfer. */
static enum paced_err send_cached(struct teacher *t, const struct logits *logits, bool augmented,
                                  const struct paced_batch *batch, struct paced_buffer *to) {
    float *staging = t->staging[t->staged++ % 2];
    size_t count = logits->pixels_per_image * (size_t)logits->classes;
    for (int i = 0; i < batch->count; ++i) {
        unsigned version = augmented ? paced_augment_flips(t->augment, batch->index[i]) : 0;
        memcpy(staging + (size_t)i * count, logits[version].values + batch->index[i] * count, count * sizeof *staging);
    }
    return paced_buffer_write_later(to, staging, (uint64_t)batch->count * count * sizeof *staging);
}

enum paced_err teacher_give(struct teacher *t, const struct logits *logits, bool augmented,
                            const struct paced_batch *batch, struct paced_buffer *to) {
    if (logits->values) return send_cached(t, logits, augmented, batch, to);
    struct paced_exec *exec = t->network.exec;
    uint64_t pixels = (uint64_t)batch->count * paced_extent_pixels(t->config->data.size);
    PACED_TRY(paced_buffer_write_later(paced_exec_input(exec), batch->images, pixels * 3 * sizeof(float)));
    PACED_TRY(paced_exec_forward(exec, batch->count, false));
    return paced_buffer_copy(to, paced_exec_output(exec), pixels * (uint64_t)t->config->data.classes * sizeof(float));
}
