/* Timing a network: single steps on random images, and what they need. */
#ifndef PACED_RUN_BENCH_H
#define PACED_RUN_BENCH_H

#include "paced/config.h"
#include "paced/graph.h"

enum { BENCH_MOST_STEPS = 25 };

/* Of one mode. A step ends with the loss on the host, in training with the weights updated. */
struct bench_figures {
    double open_s;                   /* until the network is ready: its graph, memory and weights */
    double first_s;                  /* the first step: kernels are compiled or loaded, matrix products chosen */
    double step_s[BENCH_MOST_STEPS]; /* of the steps that count, in their order */
    int steps;
    double median_s, least_s, most_s;
    double peak_gflops;                /* the device's, measured between the steps */
    uint64_t device_bytes;             /* of all buffers */
    uint64_t traffic_bytes;            /* what a step moves through memory at least */
    double process_mib;                /* bench_process_mib after the steps */
    struct paced_kernel_time *kernels; /* of one more step, slowest first */
    size_t kernel_count;
};

/* Steps of config->train.batch images: the first one, one to warm up, then those that count (enough for a median: 5 at
 * least), and one more to look at the kernels. PACED_STOPPED after Ctrl-C, between two steps. Release with
 * bench_figures_finish, also after an error. */
enum paced_err bench_run(const struct paced_config *config, struct paced_device *device, enum paced_mode mode,
                         struct bench_figures *figures);
void bench_figures_finish(struct bench_figures *figures);

/* The process's largest resident size so far in MiB (Linux), or 0. */
double bench_process_mib(void);

#endif
