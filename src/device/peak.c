/* Measurement of the device's peak, the reference for the speed of the program.
 *
 * Data sheets do not give it: clocks change with the load, virtual machines share cores. So two kernels of peak.cl are
 * timed: chains of multiply-adds in registers, and a copy between buffers larger than the caches. Other load on the
 * machine can only slow a launch down, so the best of several counts. */
#include "src/device/opencl.h"

/* Minimum seconds of a timed launch: enough to neglect the overhead, short enough to fall between two disturbances. */
static const double MIN_S = 2e-3;
enum { TRIES = 8, MAX_EFFORT = 1 << 24 };

/* Work-items per compute unit: a CPU's threads take groups from one queue and should finish together, a GPU's hide
 * their latency behind each other. */
enum { CPU_ITEMS = 64, GPU_ITEMS = 2048 };

struct probe {
    struct paced_device *device;
    enum paced_err (*run)(const struct probe *probe, int effort);
    double work; /* operations or bytes of effort 1 */
    uint32_t items;
    int vec;
    struct paced_buffer *from, *to;
};

static bool is_cpu(const struct paced_device *device) {
    return device->info.variant == PACED_VARIANT_CPU;
}

static struct paced_range range_of(const struct probe *p) {
    return is_cpu(p->device) ? paced_range_chunks(p->items) : paced_range_items(p->items);
}

/* ---- the best of several launches ----------------------------------------------------------------------------- */

static enum paced_err time_run(const struct probe *p, int effort, double *seconds) {
    double start = paced_now_s();
    PACED_TRY(p->run(p, effort));
    PACED_TRY(paced_device_finish(p->device));
    *seconds = paced_now_s() - start;
    return PACED_OK;
}

/* Work per second, in 10^9. A launch that is too short does not count, and the next one does twice as much. The first
 * launch builds the kernel and touches the memory. */
static enum paced_err best_rate(const struct probe *p, double *rate) {
    double seconds;
    int effort = 1;
    PACED_TRY(time_run(p, effort, &seconds));
    *rate = 0;
    for (int tries = 0; tries < TRIES;) {
        PACED_TRY(time_run(p, effort, &seconds));
        double reached = p->work * effort / seconds / 1e9;
        if (reached > *rate) *rate = reached;
        if (seconds < MIN_S && effort < MAX_EFFORT)
            effort *= 2;
        else
            ++tries;
    }
    return PACED_OK;
}

/* ---- multiply-adds -------------------------------------------------------------------------------------------- */

enum { CHAINS = 12, UNROLLED = 8 }; /* as in peak.cl */

static enum paced_err run_fma(const struct probe *p, int effort) {
    return PACED_LAUNCH(p->device, PACED_KERNEL(peak, peak_fma), range_of(p), p->vec, (int)p->items, effort, 0.999f,
                        0.001f, p->to);
}

/* The native width: wider vectors would need more registers than there are. */
static int native_vector(const struct paced_device *device) {
    int vec = 16;
    while (vec > 1 && (unsigned)vec > device->info.float_width) vec /= 2;
    return vec;
}

static enum paced_err measure_fma(struct paced_device *device, double *gflops) {
    struct probe p = {.device = device, .run = run_fma, .vec = native_vector(device)};
    p.items = device->info.compute_units * (is_cpu(device) ? CPU_ITEMS : GPU_ITEMS);
    p.work = 2.0 * CHAINS * UNROLLED * p.vec * p.items;
    uint64_t bytes = (uint64_t)p.items * (uint64_t)p.vec * sizeof(float);
    enum paced_err err = paced_buffer_create(&p.to, device, bytes);
    if (!err) err = paced_buffer_zero(p.to, bytes);
    if (!err) err = best_rate(&p, gflops);
    paced_buffer_destroy(p.to);
    return err;
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

static uint32_t copied_vectors(const struct probe *p) {
    return (uint32_t)(paced_buffer_bytes(p->to) / sizeof(float) / (unsigned)p->vec);
}

static enum paced_err run_copy(const struct probe *p, int effort) {
    uint32_t vectors = copied_vectors(p), chunk = (vectors + p->items - 1) / p->items;
    for (int i = 0; i < effort; ++i)
        PACED_TRY(PACED_LAUNCH(p->device, PACED_KERNEL(peak, peak_copy), range_of(p), p->vec, chunk, vectors, p->from,
                               p->to));
    return PACED_OK;
}

/* Twice the device's last-level cache if it is reported, at least 64 MiB, at most a small part of the memory. */
static uint64_t copied_bytes(const struct paced_device *device) {
    cl_ulong cache = 0, bytes = 64 << 20;
    clGetDeviceInfo(device->id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof cache, &cache, NULL);
    if (bytes < 2 * cache) bytes = 2 * cache;
    if (bytes > device->info.max_alloc_bytes) bytes = device->info.max_alloc_bytes;
    if (bytes > device->info.global_bytes / 16) bytes = device->info.global_bytes / 16;
    return bytes / 4096 * 4096;
}

static enum paced_err measure_copy(struct paced_device *device, double *gbytes_per_s) {
    struct probe p = {.device = device, .run = run_copy, .vec = paced_device_vector(device, 16)};
    uint64_t bytes = copied_bytes(device);
    enum paced_err err = paced_buffer_create(&p.from, device, bytes);
    if (!err) err = paced_buffer_create(&p.to, device, bytes);
    /* Memory that was never written may be mapped to a single page of zeros. */
    if (!err) err = paced_buffer_zero(p.from, bytes);
    if (!err) {
        p.items = is_cpu(device) ? device->info.compute_units * CPU_ITEMS : copied_vectors(&p);
        p.work = 2.0 * (double)bytes;
        err = best_rate(&p, gbytes_per_s);
    }
    paced_buffer_destroy(p.to);
    paced_buffer_destroy(p.from);
    return err;
}

enum paced_err paced_device_measure_peak(struct paced_device *device, double *gflops, double *gbytes_per_s) {
    if (gflops) PACED_TRY(measure_fma(device, gflops));
    return gbytes_per_s ? measure_copy(device, gbytes_per_s) : PACED_OK;
}
