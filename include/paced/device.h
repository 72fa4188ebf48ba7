/* device: the only room that sees OpenCL and CLBlast.
 *
 * One process uses one device through one in-order queue: what is enqueued first is done first, so nobody needs events
 * between kernels, and results do not depend on timing. Every call only enqueues, except where it says that it waits.
 */
#ifndef PACED_DEVICE_H
#define PACED_DEVICE_H

#include "paced/base.h"

/* ---- devices ------------------------------------------------------------------------------------------------- */

enum paced_device_kind { PACED_CPU, PACED_GPU, PACED_ACCELERATOR };

/* CPUs and GPUs want opposite things of a kernel: the one long loops of wide vectors and no barriers, the other many
 * small work-items beside each other. Which of the two a device is given follows from its kind; the environment
 * variable PACED_VARIANT (cpu or gpu) says otherwise. Results of both are right on every device. */
enum paced_variant { PACED_VARIANT_CPU, PACED_VARIANT_GPU };

struct paced_device_info {
    char id[32]; /* "PLATFORM:DEVICE", numbers in the order in which OpenCL lists them */
    char name[128], vendor[128], platform[128], version[128], driver[64];
    enum paced_device_kind kind;
    enum paced_variant variant;
    unsigned compute_units, clock_mhz, float_width; /* native vector width for float */
    size_t max_work_group, align_bytes;             /* align_bytes: of sub-buffers */
    uint64_t global_bytes, max_alloc_bytes;         /* PACED_MEMORY_UNKNOWN where the driver reports 0 */
    uint64_t local_bytes;
};
#define PACED_MEMORY_UNKNOWN (UINT64_MAX / 2)

struct paced_device;
struct paced_buffer;
struct paced_tuning;

/* select: "auto" (the first usable GPU, else accelerator, else CPU, those of unknown memory last), "cpu", "gpu",
 * "PLATFORM:DEVICE" (numbers as printed by `paced devices`) or part of a device's or platform's name. The environment
 * variable PACED_DEVICE stands in for "auto". threads (0: all) bounds a CPU device's threads; the device must be opened
 * before any other OpenCL use in the process for that to hold. memory_limit_bytes (0: none) bounds what all buffers
 * take together. tuning: "auto" (the device's own file in the user's cache directory, else one that is shipped and
 * fits, else nothing), "off" (so is NULL), or a file. */
struct paced_device_options {
    const char *select;
    int threads;
    uint64_t memory_limit_bytes;
    const char *tuning;
    bool untried; /* within a trial: what follows is tried in this very process */
};

/* A device that fails its first trial is skipped with a warning, and the next one that `select` allows is tried.
 * PACED_NO_DEVICE, saying how to install one, where none fits; PACED_INVALID, naming file and line, for a tuning file
 * that is missing or malformed; PACED_STOPPED where the user asked to stop during a trial. */
enum paced_err paced_device_open(struct paced_device **device, const struct paced_device_options *options);
void paced_device_close(struct paced_device *device);
const struct paced_device_info *paced_device_info(const struct paced_device *device);

/* Finds the device that `select` takes, as paced_device_open does, without opening it. *why receives the reason, or the
 * fault with PACED_NO_DEVICE, which reports nothing; release it with free(). With other errors it is NULL. */
enum paced_err paced_device_find(const char *select, struct paced_device_info *info, char **why);

/* Every platform and device with its limits, which one `select` takes and why; JSON where asked. */
enum paced_err paced_device_list(FILE *out, const char *select, bool json);

/* Bytes of all buffers that exist now. */
uint64_t paced_device_allocated(const struct paced_device *device);

/* Waits until all that was enqueued is done. */
enum paced_err paced_device_finish(struct paced_device *device);

/* ---- trials -------------------------------------------------------------------------------------------------- */

/* A trial does one step in a child process, `paced --trial SUBJECT STEP`, because an OpenCL driver may end or hang the
 * process that calls it. The child is killed after `patience` times $PACED_TRIAL_SECONDS, 120 by default. */
struct paced_trial {
    bool passed;
    char *verdict;  /* "passed", or the cause in words; NULL: not made, since the program `paced` is not found */
    char *result;   /* text that the step gives by paced_trial_result; NULL: none */
    char *messages; /* all that the child and the driver wrote; NULL: not made */
};

/* PACED_STOPPED where the user asked to stop meanwhile. The child's messages go to the debug log. */
enum paced_err paced_trial_make(const char *subject, const char *step, int patience, struct paced_trial *trial);
void paced_trial_finish(struct paced_trial *trial);

/* The child's side for the steps that this module knows; returns the exit status. SUBJECT is a device (its id):
 *   kernels                        a kernel of the program is built and run; every device passes it before it is used
 *   half storage | half arithmetic | bfloat16 storage | bfloat16 products      the same in another format
 *   product LEVEL SETTING          the self-test of a setting of the matrix products
 * or a library, with the step
 *   implementation                 is loaded as an OpenCL implementation; result: JSON, its platforms
 * or "all", with the step
 *   devices                        all devices are listed, untried; result: JSON, as of paced_device_list */
int paced_trial_answer(const char *subject, const char *step);

/* The exit status of a child whose device computes wrongly. */
enum { PACED_TRIAL_WRONG = 20 };

/* Gives the step's result, one line of text. */
void paced_trial_result(const char *fmt, ...) PACED_PRINTF(1, 2);

/* Forgets all verdicts that are kept about devices, so that their next use tries them anew. */
void paced_trials_forget(void);

/* The files by which the ICD loader finds OpenCL implementations. */
struct paced_icd_file {
    char *path, *library; /* library: its name in the file; "" where the file cannot be read */
};
struct paced_icd_files {
    const char *folder; /* the folder that is searched, or the one file that the environment names in its place */
    struct paced_icd_file *items;
    size_t count;
};
void paced_icd_files_find(struct paced_icd_files *files);
void paced_icd_files_finish(struct paced_icd_files *files);

/* Paths of the libraries in use, "" where they are not known; release with free(). */
char *paced_icd_loader_path(void);
char *paced_blas_path(void);

/* ---- buffers ------------------------------------------------------------------------------------------------- */

/* PACED_FAILED, saying how much was asked for and how much the device has, where it does not fit. */
enum paced_err paced_buffer_create(struct paced_buffer **buffer, struct paced_device *device, uint64_t bytes);

/* A part of another buffer, which must outlive it. offset must be a multiple of the device's align_bytes. */
enum paced_err paced_buffer_view(struct paced_buffer **view, const struct paced_buffer *buffer, uint64_t offset,
                                 uint64_t bytes);
void paced_buffer_destroy(struct paced_buffer *buffer);
uint64_t paced_buffer_bytes(const struct paced_buffer *buffer);

/* Copies between host and device, `bytes` from the buffer's start. `write` and `read` wait; `write_later` does not: the
 * host memory must stay as it is until a later wait. */
enum paced_err paced_buffer_write(struct paced_buffer *buffer, const void *host, uint64_t bytes);
enum paced_err paced_buffer_write_later(struct paced_buffer *buffer, const void *host, uint64_t bytes);
enum paced_err paced_buffer_read(const struct paced_buffer *buffer, void *host, uint64_t bytes);
/* Copies the first `bytes` of one buffer over those of another. */
enum paced_err paced_buffer_copy(struct paced_buffer *to, const struct paced_buffer *from, uint64_t bytes);
enum paced_err paced_buffer_zero(struct paced_buffer *buffer, uint64_t bytes);

/* A read whose end is waited for later, so that the host can work (or prepare the next step) meanwhile. */
struct paced_ticket {
    void *event;
};
enum paced_err paced_buffer_read_later(const struct paced_buffer *buffer, void *host, uint64_t bytes,
                                       struct paced_ticket *ticket);
enum paced_err paced_ticket_wait(struct paced_ticket *ticket); /* no-op on {0}; leaves {0} */

/* ---- kernels ------------------------------------------------------------------------------------------------- */

/* A kernel is named where it is launched:
 *   static const struct paced_kernel relu_fwd = {"relu.cl", "relu_fwd"};
 *   return PACED_LAUNCH(device, &relu_fwd, range, vec, PACED_ARG(x), PACED_ARG(y), PACED_ARG(count));
 * Its file is searched in $PACED_CL_DIR, then as paced_shipped_path says; common.clh is put before it. Programs are
 * built at first use, per vector width `vec` (the macro VEC), and their binaries cached on disk. */
struct paced_kernel {
    const char *file, *name;
};

enum paced_arg_kind { PACED_ARG_BUFFER, PACED_ARG_INT, PACED_ARG_UINT, PACED_ARG_FLOAT };
struct paced_arg {
    enum paced_arg_kind kind;
    union {
        const struct paced_buffer *buffer; /* NULL: a null pointer for the kernel */
        int32_t i;
        uint32_t u;
        float f;
    };
};

static inline struct paced_arg paced_arg_buffer(const struct paced_buffer *buffer) {
    return (struct paced_arg){.kind = PACED_ARG_BUFFER, .buffer = buffer};
}
static inline struct paced_arg paced_arg_int(int32_t i) {
    return (struct paced_arg){.kind = PACED_ARG_INT, .i = i};
}
static inline struct paced_arg paced_arg_uint(uint32_t u) {
    return (struct paced_arg){.kind = PACED_ARG_UINT, .u = u};
}
static inline struct paced_arg paced_arg_float(float f) {
    return (struct paced_arg){.kind = PACED_ARG_FLOAT, .f = f};
}
#define PACED_ARG(x) \
    _Generic((x),                                                                                                      \
        struct paced_buffer *: paced_arg_buffer,                                                                       \
        const struct paced_buffer *: paced_arg_buffer,                                                                 \
        int: paced_arg_int,                                                                                            \
        unsigned: paced_arg_uint,                                                                                      \
        float: paced_arg_float)(x)

/* How a kernel's work is laid out:
 *   items(n)            one work-item for each of n independent things;
 *   pixels(n, vectors)  n pixels of `vectors` channel vectors each: in the CPU variant a work-item walks one pixel's
 *                       channels, in the GPU variant it takes one channel vector (see PIXEL and FOR_CHANNELS in
 *                       common.clh).
 * Kernels check their index: the launched range is rounded up to whole work-groups. */
struct paced_range {
    uint32_t items, vectors;
    bool coarse;  /* few, heavy work-items (a chunk each): work-groups of one in the CPU variant */
    uint32_t run; /* pixels that its work-item takes (FOR_PIXELS in common.clh); 0: one */
};
static inline struct paced_range paced_range_items(uint64_t items) {
    return (struct paced_range){.items = (uint32_t)items, .vectors = 0};
}
static inline struct paced_range paced_range_chunks(uint64_t items) {
    return (struct paced_range){.items = (uint32_t)items, .vectors = 0, .coarse = true};
}
static inline struct paced_range paced_range_pixels(uint64_t pixels, uint32_t vectors) {
    return (struct paced_range){.items = (uint32_t)pixels, .vectors = vectors};
}

/* pixels(n, vectors) whose work-items are heavy, and take runs of them on a CPU. The kernel needs range.run, too. */
struct paced_range paced_range_runs(const struct paced_device *device, uint64_t pixels, uint32_t vectors);

enum paced_err paced_launch(struct paced_device *device, const struct paced_kernel *kernel, struct paced_range range,
                            int vec, int arg_count, const struct paced_arg *args);
#define PACED_LAUNCH(device, kernel, range, vec, ...)                                               \
    paced_launch(device, kernel, range, vec, (int)PACED_COUNT(((struct paced_arg[]){__VA_ARGS__})), \
                 (struct paced_arg[]){__VA_ARGS__})

/* The widest vector for `channels` on this device: the largest of 16, 8, 4, 2, 1 that divides channels and that the
 * device handles well. */
int paced_device_vector(const struct paced_device *device, int channels);

/* ---- tuning -------------------------------------------------------------------------------------------------- */

/* What was measured to be fastest: lines `key = value` in three sections, kept as one INI file per device.
 *   [device]       what was measured on which device, and when; for people
 *   [gemm]         setting: a setting of the matrix products (paced_gemm_setting_at)
 *   [convolution]  a layer's shape and direction: an algorithm (ops.h)
 * Keys keep their order. A note becomes a comment behind its line, and is not read back. */
struct paced_tuning *paced_tuning_create(void);
void paced_tuning_destroy(struct paced_tuning *tuning);
const char *paced_tuning_get(const struct paced_tuning *tuning, const char *section, const char *key); /* or NULL */
void paced_tuning_set(struct paced_tuning *tuning, const char *section, const char *key, const char *value,
                      const char *note);

/* Adds a file's lines to the table. PACED_INVALID, naming file, line and key, where it is missing or no tuning: then
 * nothing is added. */
enum paced_err paced_tuning_read(struct paced_tuning *tuning, const char *path);
enum paced_err paced_tuning_write(const struct paced_tuning *tuning, const char *path);

/* PACED_INVALID, naming the place of a value that means nothing to whoever asked for it. */
enum paced_err paced_tuning_refuse(const struct paced_tuning *tuning, const char *section, const char *key,
                                   const char *what);

/* The open device's; whatever computes on it may look there. */
struct paced_tuning *paced_device_tuning(struct paced_device *device);

/* The device's own file, which "auto" reads; NULL where there is no cache directory. Release with free(). */
char *paced_device_tuning_path(const struct paced_device *device);

/* Fills [device] with the device's names, today's date, and what was measured. */
void paced_device_tuning_describe(struct paced_device *device, const char *measured);

/* Sixteen hexadecimal digits of all that decides how this device computes: variant, the matrix products' setting
 * (chosen now, if this is before the first product), the convolutions' algorithms. */
void paced_device_tuning_hash(struct paced_device *device, char hash[17]);

/* ---- where the time goes ------------------------------------------------------------------------------------- */

struct paced_kernel_time {
    const char *name;
    uint64_t calls;
    double ms; /* on the device, from start to end, all calls together */
};

/* Between start and stop every launch is timed by the device. stop gives one row per kernel, slowest first (products of
 * the BLAS library as "gemm"); release with free(). */
enum paced_err paced_device_profile_start(struct paced_device *device);
enum paced_err paced_device_profile_stop(struct paced_device *device, struct paced_kernel_time **times, size_t *count);

/* What the device can do at most, as measured now: multiply-adds in registers (two operations each), and bytes read and
 * written by a copy that no cache holds, 10^9 per second each; the best of a few launches of some milliseconds. Either
 * may be NULL; the copy allocates, and gives back, two buffers of 64 MiB or twice the device's cache. Waits. */
enum paced_err paced_device_measure_peak(struct paced_device *device, double *gflops, double *gbytes_per_s);

/* ---- matrix products ----------------------------------------------------------------------------------------- */

/* C[b] = A[b] B[b] + beta C[b] for b < batch; A[b] is [m][k], B[b] [k][n], C[b] [m][n], dense, row-major, float32, all
 * from their buffers' start; m, n and k are multiples of PACED_GEMM_TILE (pad with zeros), else PACED_FAILED. The
 * setting in use was checked against a plain loop on this device before its first use. */
#define PACED_GEMM_TILE 16
enum paced_err paced_gemm(struct paced_device *device, int batch, int m, int n, int k, const struct paced_buffer *a,
                          const struct paced_buffer *b, float beta, struct paced_buffer *c);

/* C[b] = A[b] B[b] with less rounding: sums in blocks, by a kernel of our own. On a CPU it is about as fast. */
enum paced_err paced_gemm_careful(struct paced_device *device, int batch, int m, int n, int k,
                                  const struct paced_buffer *a, const struct paced_buffer *b, struct paced_buffer *c);

/* The settings that this device may be given, by number from 0 in the order in which they are tried; NULL beyond the
 * last. */
const char *paced_gemm_setting_at(const struct paced_device *device, size_t i);

/* Selects a setting for the products to come if it passes the self-test; *passed receives the outcome. */
enum paced_err paced_gemm_use(struct paced_device *device, const char *setting, bool *passed);

/* The setting in use, in words (chosen now, if this is before the first product). */
const char *paced_gemm_setting(struct paced_device *device);

static inline int paced_gemm_pad(int size) {
    return (size + PACED_GEMM_TILE - 1) / PACED_GEMM_TILE * PACED_GEMM_TILE;
}

#endif
