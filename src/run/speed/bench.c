/* Benchmark of a network. The device's peak is measured after each step, because on a shared machine a fraction of the
 * peak is meaningful only if both were measured within the same minutes. */
#include "src/run/speed/bench.h"

#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "paced/optim.h"
#include "src/run/network.h"

enum { MIN_STEPS = 5 };
static const double ENOUGH_S = 6; /* no further steps after this time, seconds */

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

static enum paced_err open_bench(struct bench *b, enum paced_mode mode) {
    const struct paced_config *c = b->config;
    struct paced_objective objective = paced_objective_plain();
    PACED_TRY(network_open(&b->network, c, b->device, b->batch, mode));
    PACED_TRY(paced_exec_init_params(b->network.exec, (uint64_t)c->run.seed));
    PACED_TRY(
        paced_loss_create(&b->loss, b->device, &objective, false, b->batch, (int)c->data.size, (int)c->data.classes));
    if (mode == PACED_TRAINING) PACED_TRY(paced_optimizer_create(&b->optimizer, &c->train, b->network.exec));
    return fill_inputs(b);
}

static void close_bench(struct bench *b) {
    paced_optimizer_destroy(b->optimizer);
    paced_loss_destroy(b->loss);
    network_close(&b->network);
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

/* Runs a step of training or inference, until the result is on the host. */
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

/* `number`, from 1, is shown on the terminal. */
static enum paced_err timed_step(struct bench *b, int number, double *seconds) {
    char text[64];
    if (paced_stop_asked()) return PACED_STOPPED;
    snprintf(text, sizeof text, "%s, step %d", b->optimizer ? "training" : "inference", number);
    paced_log_status(text);
    double start = paced_now_s();
    PACED_TRY(step(b));
    *seconds = paced_now_s() - start;
    return PACED_OK;
}

static enum paced_err note_peak(struct bench *b, struct bench_figures *f) {
    double gflops;
    PACED_TRY(paced_device_measure_peak(b->device, &gflops, NULL));
    if (gflops > f->peak_gflops) f->peak_gflops = gflops;
    return PACED_OK;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(struct bench_figures *f) {
    double sorted[BENCH_MAX_STEPS];
    memcpy(sorted, f->step_s, sizeof sorted);
    qsort(sorted, (size_t)f->steps, sizeof *sorted, ascending);
    f->min_s = sorted[0];
    f->median_s = (sorted[(f->steps - 1) / 2] + sorted[f->steps / 2]) / 2;
    f->max_s = sorted[f->steps - 1];
}

static enum paced_err time_steps(struct bench *b, struct bench_figures *f) {
    double ignored, spent = 0;
    PACED_TRY(timed_step(b, 1, &f->first_s));
    PACED_TRY(timed_step(b, 2, &ignored));
    PACED_TRY(note_peak(b, f));
    while (f->steps < BENCH_MAX_STEPS && (f->steps < MIN_STEPS || spent < ENOUGH_S)) {
        PACED_TRY(timed_step(b, f->steps + 3, &f->step_s[f->steps]));
        PACED_TRY(note_peak(b, f));
        spent += f->step_s[f->steps++];
    }
    summarise(f);
    return PACED_OK;
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

double bench_process_mib(void) {
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    if (file) fclose(file);
    return (double)kib / 1024;
}

/* Lower bound of the memory traffic of a step: every stored tensor is written and read at least once; so are, in
 * training, each weight, its gradient and its two moments, while inference only reads the weights. Traffic between the
 * kernels of an operation may stay in caches and is not counted. */
static enum paced_err count_traffic(const struct bench *b, enum paced_mode mode, uint64_t *bytes) {
    const struct paced_device_info *info = paced_device_info(b->device);
    struct paced_limits limits = {info->max_alloc_bytes, info->align_bytes, PACED_WORKSPACE_BYTES};
    struct paced_plan plan;
    PACED_TRY(paced_plan_make(&plan, b->network.graph, b->batch, mode, limits));
    uint64_t weights = paced_graph_trained_count(b->network.graph) * sizeof(float);
    *bytes = 2 * plan.unshared_bytes + weights * (mode == PACED_TRAINING ? 2 * 4 : 1);
    paced_plan_finish(&plan);
    return PACED_OK;
}

/* ---- a mode --------------------------------------------------------------------------------------------------- */

static enum paced_err run(struct bench *b, enum paced_mode mode, struct bench_figures *f) {
    double start = paced_now_s();
    PACED_TRY(open_bench(b, mode));
    f->open_s = paced_now_s() - start;
    PACED_TRY(time_steps(b, f));
    f->device_bytes = paced_device_allocated(b->device);
    f->process_mib = bench_process_mib();
    PACED_TRY(count_traffic(b, mode, &f->traffic_bytes));
    PACED_TRY(paced_device_profile_start(b->device));
    PACED_TRY(step(b));
    return paced_device_profile_stop(b->device, &f->kernels, &f->kernel_count);
}

enum paced_err bench_run(const struct paced_config *config, struct paced_device *device, enum paced_mode mode,
                         struct bench_figures *figures) {
    struct bench b = {.config = config, .device = device, .batch = (int)config->train.batch};
    *figures = (struct bench_figures){0};
    enum paced_err err = run(&b, mode, figures);
    paced_log_status(NULL);
    close_bench(&b);
    return err;
}

void bench_figures_finish(struct bench_figures *figures) {
    free(figures->kernels);
    *figures = (struct bench_figures){0};
}
