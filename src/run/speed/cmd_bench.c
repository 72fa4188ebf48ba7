/* paced bench CONFIG: speed of training and inference of the configured network, compared with the device's peaks.
 * Random images, no files. Training comes first, so that the size of the process after it is that of training alone.
 * The device's peak is measured after each step, because on a shared machine a fraction of the peak is meaningful only
 * if both were measured within the same minutes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "paced/models.h"
#include "paced/optim.h"
#include "src/run/commands.h"
#include "src/run/network.h"
#include "src/run/speed/speed.h"

enum { MIN_STEPS = 5, MAX_STEPS = 25 };
static const double ENOUGH_S = 6; /* no further steps after this time, seconds */

/* Measurements of one mode. A step ends with the loss on the host and, in training, with updated weights. */
struct figures {
    double open_s;            /* until the network is ready: graph, memory and weights */
    double first_s;           /* first step: kernels are compiled or loaded, matrix products chosen */
    double step_s[MAX_STEPS]; /* steps that count, in order */
    double processor_s[MAX_STEPS];
    int steps;
    double median_s, min_s, max_s;
    double median_processor_s;         /* independent of the share of the processor that other processes take */
    double peak_gflops;                /* of the device, measured between the steps */
    uint64_t device_bytes;             /* all buffers */
    uint64_t traffic_bytes;            /* minimum memory traffic of a step */
    double process_mib;                /* process_mib() after the steps */
    struct paced_kernel_time *kernels; /* [kernel_count] of one more step, slowest first */
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
    size_t pixels = (size_t)b->batch * paced_extent_pixels(b->config->data.size);
    float *images = paced_alloc(pixels * 3, sizeof *images);
    uint8_t *labels = paced_alloc(pixels, 1);
    struct paced_rng rng;
    paced_rng_seed(&rng, (uint64_t)b->config->run.seed, PACED_STREAM_SYNTH);
    for (size_t i = 0; i < pixels * 3; ++i) images[i] = (float)paced_rng_uniform(&rng);
    for (size_t i = 0; i < pixels; ++i) labels[i] = (uint8_t)paced_rng_below(&rng, (uint32_t)b->config->data.classes);
    enum paced_err err = paced_buffer_write(paced_exec_input(b->network.exec), images, pixels * 3 * sizeof *images);
    if (!err) err = paced_loss_write_labels(b->loss, labels, b->batch);
    free(labels);
    free(images);
    return err;
}

static enum paced_err open_bench(struct bench *b, enum paced_mode mode) {
    const struct paced_config *c = b->config;
    struct paced_objective objective = paced_objective_plain();
    PACED_TRY(network_open(&b->network, c, b->device, b->batch, mode));
    PACED_TRY(paced_exec_init_params(b->network.exec, (uint64_t)c->run.seed));
    PACED_TRY(paced_loss_create(&b->loss, b->device, &objective, false, b->batch, c->data.size, (int)c->data.classes));
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
static enum paced_err timed_step(struct bench *b, int number, double *seconds, double *processor_s) {
    char text[64];
    if (paced_stop_asked()) return PACED_STOPPED;
    snprintf(text, sizeof text, "%s, step %d", b->optimizer ? "training" : "inference", number);
    paced_log_status(text);
    double start = paced_now_s(), processor_start = paced_processor_s();
    PACED_TRY(step(b));
    *seconds = paced_now_s() - start;
    *processor_s = paced_processor_s() - processor_start;
    return PACED_OK;
}

static enum paced_err note_peak(struct bench *b, struct figures *f) {
    double gflops;
    PACED_TRY(paced_device_measure_peak(b->device, &gflops, NULL));
    if (gflops > f->peak_gflops) f->peak_gflops = gflops;
    return PACED_OK;
}

static void summarise(struct figures *f) {
    double sorted[MAX_STEPS];
    memcpy(sorted, f->step_s, sizeof sorted);
    f->median_s = speed_median(sorted, (size_t)f->steps);
    f->min_s = sorted[0];
    f->max_s = sorted[f->steps - 1];
    memcpy(sorted, f->processor_s, sizeof sorted);
    f->median_processor_s = speed_median(sorted, (size_t)f->steps);
}

static enum paced_err time_steps(struct bench *b, struct figures *f) {
    double ignored, spent = 0;
    PACED_TRY(timed_step(b, 1, &f->first_s, &ignored));
    PACED_TRY(timed_step(b, 2, &ignored, &ignored));
    PACED_TRY(note_peak(b, f));
    while (f->steps < MAX_STEPS && (f->steps < MIN_STEPS || spent < ENOUGH_S)) {
        PACED_TRY(timed_step(b, f->steps + 3, &f->step_s[f->steps], &f->processor_s[f->steps]));
        PACED_TRY(note_peak(b, f));
        spent += f->step_s[f->steps++];
    }
    summarise(f);
    return PACED_OK;
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

/* The largest resident size of the process so far, MiB; 0 if unknown. */
static double process_mib(void) {
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
    PACED_TRY(paced_plan_make(&plan, b->network.graph, b->batch, mode, network_precision(b->config, mode), limits));
    uint64_t weights = paced_graph_trained_count(b->network.graph) * sizeof(float);
    *bytes = 2 * plan.unshared_bytes + weights * (mode == PACED_TRAINING ? 2 * 4 : 1);
    paced_plan_finish(&plan);
    return PACED_OK;
}

/* ---- a mode --------------------------------------------------------------------------------------------------- */

static enum paced_err run(struct bench *b, enum paced_mode mode, struct figures *f) {
    double start = paced_now_s();
    PACED_TRY(open_bench(b, mode));
    f->open_s = paced_now_s() - start;
    PACED_TRY(time_steps(b, f));
    f->device_bytes = paced_device_allocated(b->device);
    f->process_mib = process_mib();
    PACED_TRY(count_traffic(b, mode, &f->traffic_bytes));
    PACED_TRY(paced_device_profile_start(b->device));
    PACED_TRY(step(b));
    return paced_device_profile_stop(b->device, &f->kernels, &f->kernel_count);
}

/* Runs the first step, one to warm up, those that count (at least 5, for a median), and one with profiling.
 * PACED_STOPPED after Ctrl-C, between two steps. figures->kernels must be freed, also after an error. */
static enum paced_err bench_run(const struct paced_config *config, struct paced_device *device, enum paced_mode mode,
                                struct figures *figures) {
    struct bench b = {.config = config, .device = device, .batch = (int)config->train.batch};
    *figures = (struct figures){0};
    enum paced_err err = run(&b, mode, figures);
    paced_log_status(NULL);
    close_bench(&b);
    return err;
}

/* ---- report --------------------------------------------------------------------------------------------------- */

enum { MODES = 2, KERNEL_ROWS = 12 };

/* Modes. A training step has about three times the operations of a forward pass. */
static const struct {
    enum paced_mode mode;
    const char *name;
    int passes;
} modes[MODES] = {{PACED_TRAINING, "training", 3}, {PACED_INFERENCE, "inference", 1}};

struct report {
    const struct paced_config *config;
    const char *device;
    uint64_t macs;        /* multiply-adds of a forward pass per image, as direct convolutions */
    double device_open_s; /* time to open the device */
    double gbytes_per_s;  /* bandwidth of the device, measured between the modes */
    double process_mib;
    struct figures figures[MODES];
};

static double images_per_second(const struct report *r, double step_s) {
    return (double)r->config->train.batch / step_s;
}

static double gflops(const struct report *r, int mode) {
    return 2e-9 * (double)r->macs * modes[mode].passes * images_per_second(r, r->figures[mode].median_s);
}

static double traffic(const struct report *r, int mode) {
    return 1e-9 * (double)r->figures[mode].traffic_bytes / r->figures[mode].median_s;
}

static void print_kernels(const struct figures *f) {
    double all = 0;
    for (size_t k = 0; k < f->kernel_count; ++k) all += f->kernels[k].ms;
    for (size_t k = 0; k < f->kernel_count && k < KERNEL_ROWS; ++k)
        printf("    %-20s %9.2f ms %5.1f %% %6llu calls\n", f->kernels[k].name, f->kernels[k].ms,
               100 * f->kernels[k].ms / all, (unsigned long long)f->kernels[k].calls);
}

static void print_mode(const struct report *r, int mode) {
    const struct figures *f = &r->figures[mode];
    printf("%-10s %.2f images/s (%.2f to %.2f over %d steps), first step %.2f s\n", modes[mode].name,
           images_per_second(r, f->median_s), images_per_second(r, f->max_s), images_per_second(r, f->min_s), f->steps,
           f->first_s);
    printf("    %.0f GFLOP/s as direct convolutions: %.0f %% of the device's %.0f (multiply-adds in registers)\n",
           gflops(r, mode), 100 * gflops(r, mode) / f->peak_gflops, f->peak_gflops);
    printf("    at least %.1f GB/s to and from memory: %.0f %% of the device's %.1f (a copy)\n", traffic(r, mode),
           100 * traffic(r, mode) / r->gbytes_per_s, r->gbytes_per_s);
    printf("    planned %.0f MiB on the device, the process so far up to %.0f MiB\n", (double)f->device_bytes / 1048576,
           f->process_mib);
    print_kernels(f);
}

static void print_text(const struct report *r) {
    const struct paced_config *c = r->config;
    char *size = paced_extent_text(c->data.size);
    printf("%s, width %lld, size %s, batch %lld on %s\n", c->model.arch, (long long)c->model.width, size,
           (long long)c->train.batch, r->device);
    free(size);
    for (int mode = 0; mode < MODES; ++mode) print_mode(r, mode);
    printf("peak memory of the process %.0f MiB\n", r->process_mib);
}

static json_t *json_of_kernels(const struct figures *f) {
    json_t *kernels = json_array();
    for (size_t k = 0; k < f->kernel_count; ++k)
        json_array_append_new(kernels, json_pack("{s:s, s:f, s:I}", "name", f->kernels[k].name, "ms", f->kernels[k].ms,
                                                 "calls", (json_int_t)f->kernels[k].calls));
    return kernels;
}

static json_t *json_of_mode(const struct report *r, int mode) {
    const struct figures *f = &r->figures[mode];
    json_t *one = json_object(), *steps = json_array();
    for (int i = 0; i < f->steps; ++i) json_array_append_new(steps, json_real(f->step_s[i]));
    json_object_set_new(one, "images_per_second", json_real(images_per_second(r, f->median_s)));
    json_object_set_new(one, "images_per_second_least", json_real(images_per_second(r, f->max_s)));
    json_object_set_new(one, "images_per_second_most", json_real(images_per_second(r, f->min_s)));
    json_object_set_new(one, "step_seconds", steps);
    json_object_set_new(one, "step_processor_seconds", json_real(f->median_processor_s));
    json_object_set_new(one, "open_seconds", json_real(f->open_s));
    json_object_set_new(one, "first_step_seconds", json_real(f->first_s));
    json_object_set_new(one, "gflops", json_real(gflops(r, mode)));
    json_object_set_new(one, "peak_gflops", json_real(f->peak_gflops));
    json_object_set_new(one, "share_of_peak", json_real(gflops(r, mode) / f->peak_gflops));
    json_object_set_new(one, "least_gbytes_per_second", json_real(traffic(r, mode)));
    json_object_set_new(one, "share_of_bandwidth", json_real(traffic(r, mode) / r->gbytes_per_s));
    json_object_set_new(one, "planned_bytes", json_integer((json_int_t)f->device_bytes));
    json_object_set_new(one, "peak_mib", json_real(f->process_mib));
    json_object_set_new(one, "kernels", json_of_kernels(f));
    return one;
}

/* The side of a square as a number, else height and width as text. */
static json_t *json_of_size(struct paced_extent size) {
    if (size.height == size.width) return json_integer(size.height);
    char *text = paced_extent_text(size);
    json_t *one = json_string(text);
    free(text);
    return one;
}

static void print_json(const struct report *r) {
    const struct paced_config *c = r->config;
    json_t *all = json_pack("{s:s, s:s, s:I, s:o, s:I, s:I}", "device", r->device, "arch", c->model.arch, "width",
                            (json_int_t)c->model.width, "size", json_of_size(c->data.size), "batch",
                            (json_int_t)c->train.batch, "macs_per_image", (json_int_t)r->macs);
    for (int mode = 0; mode < MODES; ++mode) json_object_set_new(all, modes[mode].name, json_of_mode(r, mode));
    json_object_set_new(all, "device_open_seconds", json_real(r->device_open_s));
    json_object_set_new(all, "bandwidth_gbytes_per_second", json_real(r->gbytes_per_s));
    json_object_set_new(all, "peak_mib", json_real(r->process_mib));
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

/* ---- measuring ------------------------------------------------------------------------------------------------ */

static enum paced_err count_macs(const struct paced_config *c, uint64_t *macs) {
    struct paced_graph *graph;
    PACED_TRY(network_build(&graph, c));
    *macs = paced_graph_macs(graph);
    paced_graph_destroy(graph);
    return PACED_OK;
}

/* Bandwidth is measured while no network is open, because the buffers of the copy would count as its memory. */
static enum paced_err measure_mode(struct report *r, struct paced_device *device, int mode) {
    double gbytes_per_s;
    PACED_TRY(bench_run(r->config, device, modes[mode].mode, &r->figures[mode]));
    PACED_TRY(paced_device_measure_peak(device, NULL, &gbytes_per_s));
    if (gbytes_per_s > r->gbytes_per_s) r->gbytes_per_s = gbytes_per_s;
    return PACED_OK;
}

static enum paced_err measure(struct report *r, struct paced_device **device) {
    double start = paced_now_s();
    PACED_TRY(open_device(device, r->config));
    r->device_open_s = paced_now_s() - start;
    r->device = paced_device_info(*device)->name;
    for (int mode = 0; mode < MODES; ++mode) PACED_TRY(measure_mode(r, *device, mode));
    r->process_mib = process_mib();
    return PACED_OK;
}

enum paced_err paced_command_bench(const struct paced_arguments *arguments) {
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    struct paced_device *device = NULL;
    struct report report = {.config = &config};
    paced_catch_stop();
    enum paced_err err = count_macs(&config, &report.macs);
    if (!err) err = measure(&report, &device);
    if (!err && arguments->json) print_json(&report);
    if (!err && !arguments->json) print_text(&report);
    for (int mode = 0; mode < MODES; ++mode) free(report.figures[mode].kernels);
    paced_device_close(device);
    paced_config_finish(&config);
    return err;
}
