/* paced bench CONFIG: speed of training and inference of the configured network, compared with the device's peaks.
 * Random images, no files. Training comes first, so that the size of the process after it is that of training alone. */
#include <jansson.h>

#include "paced/models.h"
#include "src/run/commands.h"
#include "src/run/network.h"
#include "src/run/speed/bench.h"

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
    struct bench_figures figures[MODES];
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

/* ---- printing ------------------------------------------------------------------------------------------------- */

static void print_kernels(const struct bench_figures *f) {
    double all = 0;
    for (size_t k = 0; k < f->kernel_count; ++k) all += f->kernels[k].ms;
    for (size_t k = 0; k < f->kernel_count && k < KERNEL_ROWS; ++k)
        printf("    %-20s %9.2f ms %5.1f %% %6llu calls\n", f->kernels[k].name, f->kernels[k].ms,
               100 * f->kernels[k].ms / all, (unsigned long long)f->kernels[k].calls);
}

static void print_mode(const struct report *r, int mode) {
    const struct bench_figures *f = &r->figures[mode];
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
    printf("%s, width %lld, size %lld, batch %lld on %s\n", c->model.arch, (long long)c->model.width,
           (long long)c->data.size, (long long)c->train.batch, r->device);
    for (int mode = 0; mode < MODES; ++mode) print_mode(r, mode);
    printf("peak memory of the process %.0f MiB\n", r->process_mib);
}

static json_t *json_of_kernels(const struct bench_figures *f) {
    json_t *kernels = json_array();
    for (size_t k = 0; k < f->kernel_count; ++k)
        json_array_append_new(kernels, json_pack("{s:s, s:f, s:I}", "name", f->kernels[k].name, "ms", f->kernels[k].ms,
                                                 "calls", (json_int_t)f->kernels[k].calls));
    return kernels;
}

static json_t *json_of_mode(const struct report *r, int mode) {
    const struct bench_figures *f = &r->figures[mode];
    json_t *one = json_object(), *steps = json_array();
    for (int i = 0; i < f->steps; ++i) json_array_append_new(steps, json_real(f->step_s[i]));
    json_object_set_new(one, "images_per_second", json_real(images_per_second(r, f->median_s)));
    json_object_set_new(one, "images_per_second_least", json_real(images_per_second(r, f->max_s)));
    json_object_set_new(one, "images_per_second_most", json_real(images_per_second(r, f->min_s)));
    json_object_set_new(one, "step_seconds", steps);
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

static void print_json(const struct report *r) {
    const struct paced_config *c = r->config;
    json_t *all = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "device", r->device, "arch", c->model.arch, "width",
                            (json_int_t)c->model.width, "size", (json_int_t)c->data.size, "batch",
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
    PACED_TRY(paced_model_build(&graph, c->model.arch, (int)c->data.size, (int)c->data.classes, (int)c->model.width));
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
    r->process_mib = bench_process_mib();
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
    for (int mode = 0; mode < MODES; ++mode) bench_figures_finish(&report.figures[mode]);
    paced_device_close(device);
    paced_config_finish(&config);
    return err;
}
