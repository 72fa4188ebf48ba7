/* paced bench CONFIG: how fast the configured network trains and runs here. Random images, no files; the first step is
 * timed apart (it compiles), the next one warms up, then single steps are timed. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "paced/distill.h"
#include "paced/models.h"
#include "paced/optim.h"
#include "src/run/commands.h"
#include "src/run/network.h"

enum { STEPS = 7, KERNEL_ROWS = 12 };

struct measured {
    double first_s, median_s, least_s, most_s; /* of one step */
    uint64_t planned_bytes;
    struct paced_kernel_time *kernels;
    size_t kernel_count;
};

struct bench {
    const struct paced_config *config;
    struct paced_device *device;
    struct network network;
    struct paced_loss *loss;
    struct paced_optimizer *optimizer; /* NULL: inference */
    int batch;
};

static enum paced_err fill_inputs(struct bench *b) {
    size_t pixels = (size_t)b->batch * (size_t)b->config->data.size * (size_t)b->config->data.size;
    float *images = paced_alloc(pixels * 3, sizeof *images);
    uint8_t *labels = paced_alloc(pixels, 1);
    struct paced_rng rng;
    paced_rng_seed(&rng, (uint64_t)b->config->run.seed, PACED_STREAM_SYNTH);
    for (size_t i = 0; i < pixels * 3; ++i) images[i] = (float)paced_rng_uniform(&rng);
    for (size_t i = 0; i < pixels; ++i) labels[i] = (uint8_t)paced_rng_below(&rng, (uint32_t)b->config->data.classes);
    enum paced_err err = paced_buffer_write(paced_exec_input(b->network.exec), images, pixels * 3 * sizeof *images);
    if (!err) err = paced_buffer_write(paced_loss_labels(b->loss), labels, pixels);
    free(labels);
    free(images);
    return err;
}

/* What a step of training or of inference does, result on the host included. */
static enum paced_err step(struct bench *b) {
    struct paced_exec *exec = b->network.exec;
    bool training = b->optimizer != NULL;
    struct paced_loss_sums sums;
    PACED_TRY(paced_exec_forward(exec, b->batch, training));
    PACED_TRY(
        paced_loss_run(b->loss, paced_exec_output(exec), b->batch, training ? paced_exec_output_grad(exec) : NULL));
    PACED_TRY(paced_loss_read_later(b->loss, b->batch));
    if (training) {
        PACED_TRY(paced_exec_backward(exec));
        PACED_TRY(paced_optimizer_step(b->optimizer, 1e-3));
    }
    PACED_TRY(paced_loss_wait(b->loss, &sums));
    return paced_device_finish(b->device);
}

static enum paced_err timed_step(struct bench *b, double *seconds) {
    double start = paced_now_s();
    PACED_TRY(step(b));
    *seconds = paced_now_s() - start;
    return PACED_OK;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum paced_err time_steps(struct bench *b, struct measured *m) {
    double seconds[STEPS], ignored;
    PACED_TRY(timed_step(b, &m->first_s));
    PACED_TRY(timed_step(b, &ignored));
    for (int i = 0; i < STEPS; ++i) PACED_TRY(timed_step(b, &seconds[i]));
    qsort(seconds, STEPS, sizeof *seconds, ascending);
    m->least_s = seconds[0];
    m->median_s = seconds[STEPS / 2];
    m->most_s = seconds[STEPS - 1];
    PACED_TRY(paced_device_profile_start(b->device));
    PACED_TRY(step(b));
    return paced_device_profile_stop(b->device, &m->kernels, &m->kernel_count);
}

static enum paced_err measure(const struct paced_config *c, struct paced_device *device, enum paced_mode mode,
                              struct measured *m) {
    struct bench b = {.config = c, .device = device, .batch = (int)c->train.batch};
    enum paced_err err = network_open(&b.network, c, device, b.batch, mode);
    if (!err) err = paced_exec_init_params(b.network.exec, (uint64_t)c->run.seed);
    struct paced_objective objective = paced_objective_plain();
    if (!err)
        err = paced_loss_create(&b.loss, device, &objective, false, b.batch, (int)c->data.size, (int)c->data.classes);
    if (!err && mode == PACED_TRAINING) err = paced_optimizer_create(&b.optimizer, c, b.network.exec);
    if (!err) err = fill_inputs(&b);
    if (!err) m->planned_bytes = paced_device_allocated(device);
    if (!err) err = time_steps(&b, m);
    paced_optimizer_destroy(b.optimizer);
    paced_loss_destroy(b.loss);
    network_close(&b.network);
    return err;
}

/* ---- printing ------------------------------------------------------------------------------------------------ */

/* The process's largest resident size so far (Linux), or 0. */
static double peak_mib(void) {
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    if (file) fclose(file);
    return (double)kib / 1024;
}

/* Multiply-adds of a step count as two operations; a training step does about three times a forward pass. */
static double gflops(uint64_t macs, const struct measured *m, int batch, int passes) {
    return 2.0 * (double)macs * batch * passes / m->median_s / 1e9;
}

struct row {
    const char *name;
    const struct measured *measured;
    int passes;
};

static void print_text(const struct paced_config *c, const struct row *rows, size_t count, uint64_t macs) {
    int batch = (int)c->train.batch;
    printf("%s, width %lld, size %lld, batch %d\n", c->model.arch, (long long)c->model.width, (long long)c->data.size,
           batch);
    for (size_t i = 0; i < count; ++i) {
        const struct measured *m = rows[i].measured;
        printf("%-10s %8.2f images/s (%.2f to %.2f over %d steps), %.0f GFLOP/s, first step %.2f s, planned %.0f MiB\n",
               rows[i].name, batch / m->median_s, batch / m->most_s, batch / m->least_s, STEPS,
               gflops(macs, m, batch, rows[i].passes), m->first_s, (double)m->planned_bytes / 1048576);
        double all = 0;
        for (size_t k = 0; k < m->kernel_count; ++k) all += m->kernels[k].ms;
        for (size_t k = 0; k < m->kernel_count && k < KERNEL_ROWS; ++k)
            printf("    %-20s %9.2f ms %5.1f %% %6llu calls\n", m->kernels[k].name, m->kernels[k].ms,
                   100 * m->kernels[k].ms / all, (unsigned long long)m->kernels[k].calls);
    }
    printf("peak memory of the process %.0f MiB\n", peak_mib());
}

static void print_json(const struct row *rows, size_t count, const struct paced_config *c, uint64_t macs) {
    json_t *all = json_object();
    for (size_t i = 0; i < count; ++i) {
        const struct measured *m = rows[i].measured;
        double batch = (double)c->train.batch;
        json_t *kernels = json_array(), *one = json_object();
        for (size_t k = 0; k < m->kernel_count; ++k)
            json_array_append_new(kernels, json_pack("{s:s, s:f, s:I}", "name", m->kernels[k].name, "ms",
                                                     m->kernels[k].ms, "calls", (json_int_t)m->kernels[k].calls));
        json_object_set_new(one, "images_per_second", json_real(batch / m->median_s));
        json_object_set_new(one, "images_per_second_least", json_real(batch / m->most_s));
        json_object_set_new(one, "images_per_second_most", json_real(batch / m->least_s));
        json_object_set_new(one, "gflops", json_real(gflops(macs, m, (int)batch, rows[i].passes)));
        json_object_set_new(one, "first_step_seconds", json_real(m->first_s));
        json_object_set_new(one, "planned_bytes", json_integer((json_int_t)m->planned_bytes));
        json_object_set_new(one, "kernels", kernels);
        json_object_set_new(all, rows[i].name, one);
    }
    json_object_set_new(all, "peak_mib", json_real(peak_mib()));
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static enum paced_err count_macs(const struct paced_config *c, uint64_t *macs) {
    struct paced_graph *graph;
    PACED_TRY(paced_model_build(&graph, c->model.arch, (int)c->data.size, (int)c->data.classes, (int)c->model.width));
    *macs = paced_graph_macs(graph);
    paced_graph_destroy(graph);
    return PACED_OK;
}

enum paced_err paced_command_bench(const struct paced_arguments *arguments) {
    struct paced_config c;
    PACED_TRY(command_config(arguments, &c));
    struct paced_device *device = NULL;
    struct measured training = {0}, inference = {0};
    uint64_t macs = 0;
    enum paced_err err = count_macs(&c, &macs);
    if (!err) err = paced_device_open(&device, c.device.select, (int)c.device.threads, c.device.tuning);
    if (!err) err = measure(&c, device, PACED_TRAINING, &training);
    if (!err) err = measure(&c, device, PACED_INFERENCE, &inference);
    const struct row rows[] = {{"training", &training, 3}, {"inference", &inference, 1}};
    if (!err && arguments->json) print_json(rows, PACED_COUNT(rows), &c, macs);
    if (!err && !arguments->json) print_text(&c, rows, PACED_COUNT(rows), macs);
    free(training.kernels);
    free(inference.kernels);
    paced_device_close(device);
    paced_config_finish(&c);
    return err;
}
