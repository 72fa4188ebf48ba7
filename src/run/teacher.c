/* The frozen teacher. */
#include "src/run/teacher.h"

#include <stdlib.h>
#include <string.h>

#include "paced/report.h"

static size_t logits_bytes(const struct teacher *t, const struct paced_dataset *dataset) {
    size_t size = (size_t)paced_dataset_size(dataset);
    return paced_dataset_count(dataset) * size * size * (size_t)t->config->data.classes * sizeof(float);
}

static bool can_keep(const struct teacher *t, const struct paced_dataset *dataset) {
    return logits_bytes(t, dataset) <= (size_t)t->config->distill.cache_mb << 20;
}

static enum paced_err collect(struct teacher *t, struct paced_dataset *dataset, struct logits *logits,
                              const char *label) {
    return logits_collect(logits, &t->network, dataset, t->batch, (int)t->config->data.workers,
                          (int)t->config->data.classes, label);
}

static enum paced_err keep(struct teacher *t, struct paced_dataset *dataset, struct logits *logits, const char *label) {
    if (can_keep(t, dataset)) return collect(t, dataset, logits, label);
    paced_log(PACED_LOG_INFO,
              "the teacher's logits (%zu MiB) exceed distill.cache_mb = %lld: they are computed for every batch",
              logits_bytes(t, dataset) >> 20, (long long)t->config->distill.cache_mb);
    return PACED_OK;
}

struct paced_config teacher_config(const struct paced_config *config) {
    struct paced_config own = *config;
    if (*config->distill.teacher_arch) own.model.arch = config->distill.teacher_arch;
    if (config->distill.teacher_width) own.model.width = config->distill.teacher_width;
    return own;
}

enum paced_err teacher_open(struct teacher *t, const struct paced_config *config, struct paced_device *device,
                            int batch, struct paced_dataset *train, struct paced_dataset *val) {
    *t = (struct teacher){.config = config, .batch = batch};
    size_t pixels = (size_t)config->data.size * (size_t)config->data.size;
    for (int i = 0; i < 2; ++i)
        t->staging[i] = paced_alloc((size_t)batch * pixels * (size_t)config->data.classes, sizeof(float));
    struct paced_config own = teacher_config(config);
    enum paced_err err = network_open(&t->network, &own, device, batch, PACED_INFERENCE);
    if (!err) err = network_load(&t->network, config->distill.teacher);
    if (!err) err = keep(t, train, &t->train, "teacher, train");
    if (!err) err = keep(t, val, &t->val, "teacher, val");
    if (!err && t->train.values && t->val.values) network_close(&t->network);
    if (err) teacher_close(t);
    return err;
}

void teacher_close(struct teacher *t) {
    network_close(&t->network);
    logits_finish(&t->train);
    logits_finish(&t->val);
    for (int i = 0; i < 2; ++i) free(t->staging[i]);
    *t = (struct teacher){0};
}

enum paced_err teacher_fit_temperature(struct teacher *t, struct paced_dataset *val, double *tau) {
    struct logits own = {0}, *logits = t->val.values ? &t->val : &own;
    if (logits == &own) PACED_TRY(collect(t, val, &own, "calibrate"));
    *tau = paced_temperature_fit(logits->values, logits->labels, logits->images * logits->pixels_per_image,
                                 logits->classes);
    logits_finish(&own);
    return PACED_OK;
}

/* Gathers the kept logits of the batch's images and sends them. */
static enum paced_err send_kept(struct teacher *t, const struct logits *logits, const struct paced_batch *batch,
                                struct paced_buffer *to) {
    float *staging = t->staging[t->staged++ % 2];
    size_t count = logits->pixels_per_image * (size_t)logits->classes;
    for (int i = 0; i < batch->count; ++i)
        memcpy(staging + (size_t)i * count, logits->values + batch->index[i] * count, count * sizeof *staging);
    return paced_buffer_write_later(to, staging, (uint64_t)batch->count * count * sizeof *staging);
}

enum paced_err teacher_give(struct teacher *t, const struct logits *logits, const struct paced_batch *batch,
                            struct paced_buffer *to) {
    if (logits->values) return send_kept(t, logits, batch, to);
    struct paced_exec *exec = t->network.exec;
    uint64_t pixels = (uint64_t)batch->count * (uint64_t)t->config->data.size * (uint64_t)t->config->data.size;
    PACED_TRY(paced_buffer_write_later(paced_exec_input(exec), batch->images, pixels * 3 * sizeof(float)));
    PACED_TRY(paced_exec_forward(exec, batch->count, false));
    return paced_buffer_copy(to, paced_exec_output(exec), pixels * (uint64_t)t->config->data.classes * sizeof(float));
}
