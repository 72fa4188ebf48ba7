/* Benchmark of a network: time and memory of steps on random images. */
#ifndef PACED_RUN_BENCH_H
#define PACED_RUN_BENCH_H

#include "paced/config.h"
#include "paced/graph.h"

enum { BENCH_MAX_STEPS = 25 };

/* Measurements of one mode. A step ends with the loss on the host and, in training, with updated weights. */
struct bench_figures {
    double open_s;                  /* until the network is ready: graph, memory and weights */
    double first_s;                 /* first step: kernels are compiled or loaded, matrix products chosen */
    double step_s[BENCH_MAX_STEPS]; /* steps that count, in order */
    int steps;
    double median_s, min_s, max_s;
    double peak_gflops;                /* of the device, measured between the steps */
    uint64_t device_bytes;             /* all buffers */
    uint64_t traffic_bytes;            /* minimum memory traffic of a step */
    double process_mib;                /* bench_process_mib after the steps */
    struct paced_kernel_time *kernels; /* [kernel_count] of one more step, slowest first */
    size_t kernel_count;
};

/* Runs steps of config->train.batch images: the first one, one to warm up, those that count (at least 5, for a median),
 * and one with profiling. PACED_STOPPED after Ctrl-C, between two steps. Release with bench_figures_finish, also after
 * an error. */
enum paced_err bench_run(const struct paced_config *config, struct paced_device *device, enum paced_mode mode,
                         struct bench_figures *figures);
void bench_figures_finish(struct bench_figures *figures);

/* Largest resident size of the process so far, MiB; 0 if unknown. */
double bench_process_mib(void);

#endif
