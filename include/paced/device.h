/* device: the only module that sees OpenCL and CLBlast.
 *
 * One process uses one device through one in-order queue, so that kernels need no events between them and results do
 * not depend on timing. A call only enqueues, unless its comment says that it waits. */
#ifndef PACED_DEVICE_H
#define PACED_DEVICE_H

#include "paced/base.h"

/* ---- devices ------------------------------------------------------------------------------------------------- */

enum paced_device_kind { PACED_CPU, PACED_GPU, PACED_ACCELERATOR };

/* The variant of the kernels: for CPUs, long loops over wide vectors without barriers; for GPUs, many small work-items.
 * It follows from the kind of the device; the environment variable PACED_VARIANT (cpu or gpu) overrides it. Both give
 * correct results on every device. */
enum paced_variant { PACED_VARIANT_CPU, PACED_VARIANT_GPU };

struct paced_device_info {
    char id[32]; /* "PLATFORM:DEVICE", numbers in the order of OpenCL's lists */
    char name[128], vendor[128], platform[128], version[128], driver[64];
    enum paced_device_kind kind;
    enum paced_variant variant;
    unsigned compute_units, clock_mhz, float_width; /* float_width: native vector width */
    size_t max_work_group, align_bytes;             /* align_bytes: of sub-buffers */
    uint64_t global_bytes, max_alloc_bytes;         /* PACED_MEMORY_UNKNOWN if the driver reports 0 */
    uint64_t process_bytes; /* memory limit of the process that reduced these of a CPU; 0: none */
    uint64_t local_bytes;
};
#define PACED_MEMORY_UNKNOWN (UINT64_MAX / 2)

struct paced_device;
struct paced_buffer;
struct paced_tuning;

/* select: "auto" (the first usable GPU, else accelerator, else CPU, those of unknown memory last), "cpu", "gpu",
 * "PLATFORM:DEVICE" (numbers as printed by `paced devices`) or part of a device's or platform's name. The environment
 * variable PACED_DEVICE replaces "auto". threads (0: all) limits the threads of a CPU device, if the process has not
 * used OpenCL before. memory_limit_bytes (0: none) limits the sum of all buffers. tuning: "auto" (the device's own file
 * in the user's cache directory, else a matching file that is shipped, else none), "off" (or NULL), or a file. */
struct paced_device_options {
    const char *select;
    int threads;
    uint64_t memory_limit_bytes;
    const char *tuning;
    bool untried; /* in the child of a trial: makes no further trials */
};

/* A device that fails its first trial is skipped with a warning, and the next one that `select` allows is tried.
 * PACED_NO_DEVICE, saying how to find a remedy, if none is usable; PACED_INVALID, naming file and line, for a tuning
 * file that is missing or malformed; PACED_STOPPED if the user stopped the program during a trial. */
enum paced_err paced_device_open(struct paced_device **device, const struct paced_device_options *options);
void paced_device_close(struct paced_device *device);
const struct paced_device_info *paced_device_info(const struct paced_device *device);

/* Finds the device that `select` takes, as paced_device_open does, without opening it. *why receives the reason, or the
 * fault with PACED_NO_DEVICE, which reports nothing; release it with free(). With other errors it is NULL. */
enum paced_err paced_device_find(const char *select, struct paced_device_info *info, char **why);

/* Prints every platform and device with its limits, and the device that `select` takes with the reason, as text or
 * JSON. */
enum paced_err paced_device_list(FILE *out, const char *select, bool json);

/* Makes a process in which a driver crashes, or which a driver ends, print a line about the open device, and end with
 * status PACED_FAILED after a crash. It replaces handlers of signals and is meant for programs. Call it once. */
void paced_device_report_crashes(void);

/* Bytes of all existing buffers. */
uint64_t paced_device_allocated(const struct paced_device *device);

/* Waits for all enqueued work. */
enum paced_err paced_device_finish(struct paced_device *device);

/* ---- trials -------------------------------------------------------------------------------------------------- */

/* A trial does one step in a child process, `paced --trial SUBJECT STEP`, because an OpenCL driver may end or hang the
 * process that calls it. The child is killed after `patience` times $PACED_TRIAL_SECONDS, 120 by default. */
struct paced_trial {
    bool passed;
    bool lasting;   /* the verdict holds for later processes, too */
    char *verdict;  /* "passed", or the cause in words; NULL: not made, since the program `paced` is not found */
    char *result;   /* the step's text from paced_trial_result; NULL: none */
    char *messages; /* output of the child and the driver; NULL: not made */
};

/* PACED_STOPPED if the user stopped the program meanwhile. The child's messages go to the debug log. */
enum paced_err paced_trial_make(const char *subject, const char *step, int patience, struct paced_trial *trial);
void paced_trial_finish(struct paced_trial *trial);

/* The child's side of the steps of this module; returns PACED_OK or the exit status. SUBJECT is a device (its id):
 *   kernels                        a kernel of the program is built and run; required of every device before its use
 *   half storage | half arithmetic | bfloat16 storage      the same in another format
 *   bfloat16 products | bfloat16 tiles                     the same with these products (enum paced_products)
 *   product LEVEL SETTING          the self-test of a setting of the matrix products
 * or a library, with the step
 *   implementation                 is loaded as an OpenCL implementation; result: JSON, its platforms
 * or "all", with the step
 *   devices                        all devices are listed, untried; result: JSON, as of paced_device_list */
int paced_trial_answer(const char *subject, const char *step);

/* Exit statuses of the child beside the program's own. Success has one of its own, since a driver may end the process
 * with status 0. */
enum { PACED_TRIAL_PASSED = 19, PACED_TRIAL_WRONG = 20 };

/* Prints the step's result, one line of text, for the parent. */
void paced_trial_result(const char *fmt, ...) PACED_PRINTF(1, 2);

/* Removes all cached verdicts about devices, so that their next use repeats the trials. */
void paced_trials_forget(void);

/* The files by which the ICD loader finds OpenCL implementations. */
struct paced_icd_file {
    char *path;   /* or the environment variable that names the driver */
    char *driver; /* the library named in the file; "" if the file cannot be read */
};
struct paced_icd_files {
    const char *folder; /* the folder that is searched, or the file that the environment names instead */
    struct paced_icd_file *items;
    size_t count;
};
void paced_icd_files_find(struct paced_icd_files *files);
void paced_icd_files_finish(struct paced_icd_files *files);

/* Paths of the libraries in use, "" if unknown; release with free(). */
char *paced_icd_loader_path(void);
char *paced_blas_path(void);

/* ---- buffers ------------------------------------------------------------------------------------------------- */

/* The format of a buffer's elements. bfloat16 is the upper half of a float32, rounded to nearest even; infinities and
 * NaN stay what they are. Kernels convert by shifts, so that every device stores it; arithmetic is float32. */
enum paced_format { PACED_FLOAT32, PACED_BFLOAT16 };
static inline unsigned paced_format_bytes(enum paced_format format) {
    return format == PACED_BFLOAT16 ? 2 : 4;
}

/* PACED_FAILED, with the requested and the available size, if it does not fit. */
enum paced_err paced_buffer_create(struct paced_buffer **buffer, struct paced_device *device, uint64_t bytes);

/* PACED_INVALID, with the verdict, if the device fails its trial of this format, which is made at the first call and
 * cached; PACED_STOPPED if the user stopped the program during the trial. */
enum paced_err paced_device_check_format(struct paced_device *device, enum paced_format format);

/* A part of another buffer, which must outlive it, in the same or another format. offset, in bytes, must be a multiple
 * of the device's align_bytes. */
enum paced_err paced_buffer_view(struct paced_buffer **view, const struct paced_buffer *buffer, uint64_t offset,
                                 uint64_t bytes);
enum paced_err paced_buffer_view_as(struct paced_buffer **view, const struct paced_buffer *buffer, uint64_t offset,
                                    uint64_t bytes, enum paced_format format);
void paced_buffer_destroy(struct paced_buffer *buffer);
uint64_t paced_buffer_bytes(const struct paced_buffer *buffer);
enum paced_format paced_buffer_format(const struct paced_buffer *buffer); /* a whole buffer: PACED_FLOAT32 */

/* Copies between host and device, `bytes` from the buffer's start. `write` and `read` wait; `write_later` does not: the
 * host memory must stay unchanged until a later wait. */
enum paced_err paced_buffer_write(struct paced_buffer *buffer, const void *host, uint64_t bytes);
enum paced_err paced_buffer_write_later(struct paced_buffer *buffer, const void *host, uint64_t bytes);
enum paced_err paced_buffer_read(const struct paced_buffer *buffer, void *host, uint64_t bytes);
/* Copies the first `bytes` of one buffer over those of another. */
enum paced_err paced_buffer_copy(struct paced_buffer *to, const struct paced_buffer *from, uint64_t bytes);
enum paced_err paced_buffer_zero(struct paced_buffer *buffer, uint64_t bytes);

/* Copies the first `count` elements, which are floats on the host, to and from a buffer of either format. Wait. */
enum paced_err paced_buffer_write_floats(struct paced_buffer *buffer, const float *host, uint64_t count);
enum paced_err paced_buffer_read_floats(const struct paced_buffer *buffer, float *host, uint64_t count);

/* An asynchronous read, so that the host can prepare the next step meanwhile. The host memory is valid after
 * paced_ticket_wait. */
struct paced_ticket {
    void *event;
};
enum paced_err paced_buffer_read_later(const struct paced_buffer *buffer, void *host, uint64_t bytes,
                                       struct paced_ticket *ticket);
enum paced_err paced_ticket_wait(struct paced_ticket *ticket); /* no-op on {0}; leaves {0} */

/* ---- kernels ------------------------------------------------------------------------------------------------- */

/* The operands and instructions of the products in kernels that multiply by themselves (products.clh): float32, or
 * bfloat16 in pairs (x86's AVX512-BF16) or tiles (x86's AMX). */
enum paced_products { PACED_PRODUCTS_FLOAT, PACED_PRODUCTS_PAIRS, PACED_PRODUCTS_TILES };
const char *paced_products_name(int products);

/* The fastest products of bfloat16 that pass their trial on this device, PACED_PRODUCTS_FLOAT if none does. The first
 * call makes the trials. The environment variable PACED_PRODUCTS names the fastest kind to try. PACED_INVALID if it
 * names none; PACED_STOPPED if the user stopped the program meanwhile. */
enum paced_err paced_device_products(struct paced_device *device, enum paced_products *products);

/* A kernel, named where it is launched, here relu_fwd of relu.cl:
 *   return PACED_LAUNCH(device, PACED_KERNEL(relu, relu_fwd), range, vec, x, y, count);
 * Its file is searched in $PACED_CL_DIR, then by paced_shipped_path; parameters.h, builtins.clh and common.clh are
 * prepended. Programs are built at first use, per vector width `vec` (the macro VEC) and storage, and their binaries
 * cached on disk. */
struct paced_kernel {
    const char *file, *name;
    const struct paced_define *defines; /* macros, up to one without a name; the same for all kernels of a file */
    unsigned storage;                   /* of enum paced_storage */
    enum paced_products products;       /* the macro PACED_PRODUCTS */
};
struct paced_define {
    const char *name;
    int value;
};
#define PACED_DEFINE(constant) \
    { #constant, constant }
#define PACED_KERNEL(file, name) (&(const struct paced_kernel){#file ".cl", #name, NULL, 0, PACED_PRODUCTS_FLOAT})

/* Types that are ushort in a kernel instead of float: in_t, out_t (common.clh). */
enum paced_storage { PACED_STORAGE_IN = 1, PACED_STORAGE_OUT = 2 };
/* The storage of a kernel whose tensors of types in_t and out_t have the formats of these buffers; NULL: float32. */
unsigned paced_storage_of(const struct paced_buffer *in, const struct paced_buffer *out);
#define PACED_KERNEL_FOR(file, name, in, out) \
    (&(const struct paced_kernel){#file ".cl", #name, NULL, paced_storage_of(in, out), PACED_PRODUCTS_FLOAT})

/* An argument of a kernel. With PACED_CHECK_ARGUMENTS=1 in the environment, as in tests, a launch fails if a kind, or
 * the format of a buffer, differs from the kernel's declaration. */
enum paced_arg_kind {
    PACED_ARG_BUFFER,
    PACED_ARG_INT,
    PACED_ARG_UINT,
    PACED_ARG_FLOAT,
    PACED_ARG_STRUCT,
    PACED_ARG_LOCAL
};
struct paced_arg {
    enum paced_arg_kind kind;
    union {
        const struct paced_buffer *buffer; /* NULL: a null pointer for the kernel */
        int32_t i;
        uint32_t u;
        float f;
        struct {
            const char *type;
            const void *value;
            size_t size;
        } structure;
        size_t local_bytes;
    };
};

static inline struct paced_arg paced_arg_itself(struct paced_arg arg) {
    return arg;
}
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
static inline struct paced_arg paced_arg_struct(const char *type, const void *value, size_t size) {
    return (struct paced_arg){.kind = PACED_ARG_STRUCT, .structure = {type, value, size}};
}
/* An array in local memory; at most the device's local_bytes for all of a kernel. */
static inline struct paced_arg paced_arg_local(size_t bytes) {
    return (struct paced_arg){.kind = PACED_ARG_LOCAL, .local_bytes = bytes};
}
/* clang-format off */
#define PACED_ARG(x) _Generic((x), struct paced_buffer *: paced_arg_buffer, \
    const struct paced_buffer *: paced_arg_buffer, int: paced_arg_int, unsigned: paced_arg_uint, \
    float: paced_arg_float, struct paced_arg: paced_arg_itself)(x)
/* The value of a struct of cl/parameters.h; must stay until the launch. */
#define PACED_STRUCT(name, pointer) paced_arg_struct(#name, (const struct name *){pointer}, sizeof(struct name))

/* PACED_ARG of each of up to 12 values. */
#define PACED_ARGS_1(x) PACED_ARG(x)
#define PACED_ARGS_2(x, ...) PACED_ARG(x), PACED_ARGS_1(__VA_ARGS__)
#define PACED_ARGS_3(x, ...) PACED_ARG(x), PACED_ARGS_2(__VA_ARGS__)
#define PACED_ARGS_4(x, ...) PACED_ARG(x), PACED_ARGS_3(__VA_ARGS__)
#define PACED_ARGS_5(x, ...) PACED_ARG(x), PACED_ARGS_4(__VA_ARGS__)
#define PACED_ARGS_6(x, ...) PACED_ARG(x), PACED_ARGS_5(__VA_ARGS__)
#define PACED_ARGS_7(x, ...) PACED_ARG(x), PACED_ARGS_6(__VA_ARGS__)
#define PACED_ARGS_8(x, ...) PACED_ARG(x), PACED_ARGS_7(__VA_ARGS__)
#define PACED_ARGS_9(x, ...) PACED_ARG(x), PACED_ARGS_8(__VA_ARGS__)
#define PACED_ARGS_10(x, ...) PACED_ARG(x), PACED_ARGS_9(__VA_ARGS__)
#define PACED_ARGS_11(x, ...) PACED_ARG(x), PACED_ARGS_10(__VA_ARGS__)
#define PACED_ARGS_12(x, ...) PACED_ARG(x), PACED_ARGS_11(__VA_ARGS__)
#define PACED_ARGS_PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, picked, ...) picked
#define PACED_ARGS(...) PACED_ARGS_PICK(__VA_ARGS__, PACED_ARGS_12, PACED_ARGS_11, PACED_ARGS_10, PACED_ARGS_9, \
    PACED_ARGS_8, PACED_ARGS_7, PACED_ARGS_6, PACED_ARGS_5, \
    PACED_ARGS_4, PACED_ARGS_3, PACED_ARGS_2, PACED_ARGS_1, 0)(__VA_ARGS__)
/* clang-format on */

/* The layout of a kernel's work:
 *   items(n)            one work-item for each of n independent things;
 *   chunks(n)           items(n), few and heavy;
 *   pixels(n, vectors)  n pixels of `vectors` channel vectors each: in the CPU variant a work-item loops over one
 *                       pixel's channels, in the GPU variant it takes one channel vector (see
 *                       PIXEL_BELOW and FOR_CHANNELS in common.clh).
 * Kernels check their index: the launched range is rounded up to whole work-groups. */
struct paced_range {
    uint64_t items; /* at most UINT32_MAX, which kernels count to */
    uint32_t vectors;
    bool coarse;  /* few, heavy work-items: work-groups of one in the CPU variant */
    uint32_t run; /* pixels per work-item (FOR_PIXELS in common.clh); 0: one */
};
static inline struct paced_range paced_range_items(uint64_t items) {
    return (struct paced_range){.items = items};
}
static inline struct paced_range paced_range_chunks(uint64_t items) {
    return (struct paced_range){.items = items, .coarse = true};
}
static inline struct paced_range paced_range_pixels(uint64_t pixels, uint32_t vectors) {
    return (struct paced_range){.items = pixels, .vectors = vectors};
}

/* pixels(n, vectors) with heavy work-items, which take runs of pixels on a CPU. range.run is an argument of the
 * kernel. */
struct paced_range paced_range_runs(const struct paced_device *device, uint64_t pixels, uint32_t vectors);

enum paced_err paced_launch(struct paced_device *device, const struct paced_kernel *kernel, struct paced_range range,
                            int vec, int arg_count, const struct paced_arg *args);
#define PACED_LAUNCH(device, kernel, range, vec, ...)                                                           \
    paced_launch(device, kernel, range, vec, (int)PACED_COUNT(((struct paced_arg[]){PACED_ARGS(__VA_ARGS__)})), \
                 (struct paced_arg[]){PACED_ARGS(__VA_ARGS__)})

/* The widest vector for `channels` on this device: the largest of 16, 8, 4, 2, 1 that divides channels and that the
 * device handles well. */
int paced_device_vector(const struct paced_device *device, int channels);

/* ---- tuning -------------------------------------------------------------------------------------------------- */

/* The fastest choices measured on a device: lines `key = value` in three sections, stored as one INI file per device.
 *   [device]       the device, the measured network and the date; for people
 *   [gemm]         setting: a setting of the matrix products (paced_gemm_setting_at)
 *   [convolution]  a layer's shape and direction: an algorithm (ops.h)
 * Keys keep their order. A note is written as a comment at the end of its line and not read back. */
struct paced_tuning *paced_tuning_create(void);
void paced_tuning_destroy(struct paced_tuning *tuning);
const char *paced_tuning_get(const struct paced_tuning *tuning, const char *section, const char *key); /* or NULL */
void paced_tuning_set(struct paced_tuning *tuning, const char *section, const char *key, const char *value,
                      const char *note);

/* Adds a file's lines to the table. PACED_INVALID, naming file, line and key, if it is missing or malformed; nothing is
 * added then. */
enum paced_err paced_tuning_read(struct paced_tuning *tuning, const char *path);
enum paced_err paced_tuning_write(const struct paced_tuning *tuning, const char *path);

/* Reports a value that its user cannot accept, with its file and line; returns PACED_INVALID. */
enum paced_err paced_tuning_refuse(const struct paced_tuning *tuning, const char *section, const char *key,
                                   const char *what);

/* The tuning of the open device, owned by it. */
struct paced_tuning *paced_device_tuning(struct paced_device *device);

/* The path of the device's own file, which "auto" reads; NULL without a cache directory. Release with free(). */
char *paced_device_tuning_path(const struct paced_device *device);

/* Fills [device] with the device's names, today's date and the text `measured`. */
void paced_device_tuning_describe(struct paced_device *device, const char *measured);

/* A hash, sixteen hexadecimal digits, of all choices that affect the device's results: variant, setting of the matrix
 * products (selected now if none was), products of bfloat16 if they are known, algorithms of the convolutions.
 * PACED_STOPPED if the user stopped the program meanwhile. */
enum paced_err paced_device_tuning_hash(struct paced_device *device, char hash[17]);

/* ---- measurements -------------------------------------------------------------------------------------------- */

struct paced_kernel_time {
    const char *name;
    uint64_t calls;
    double ms; /* on the device, sum of all calls */
};

/* Between start and stop the device times every launch. stop returns one row per kernel, slowest first (products of the
 * BLAS library as "gemm"); release with free(). */
enum paced_err paced_device_profile_start(struct paced_device *device);
enum paced_err paced_device_profile_stop(struct paced_device *device, struct paced_kernel_time **times, size_t *count);

/* Measures the device's peak: multiply-adds in registers (two operations each), and bytes read and written by a copy
 * larger than the caches, each in 10^9 per second; the best of a few launches of some milliseconds. Either may be NULL.
 * The copy allocates two buffers of 64 MiB or twice the device's cache, and frees them. Waits. */
enum paced_err paced_device_measure_peak(struct paced_device *device, double *gflops, double *gbytes_per_s);

/* ---- matrix products ----------------------------------------------------------------------------------------- */

/* C[b] = A[b] B[b] + beta C[b] for b < batch; A[b] is [m][k], B[b] [k][n], C[b] [m][n], dense, row-major, float32, all
 * from their buffers' start; m, n and k are multiples of PACED_GEMM_TILE (pad with zeros), else PACED_FAILED. A setting
 * is used only after it passed a self-test against a plain loop on this device. */
#define PACED_GEMM_TILE 16
enum paced_err paced_gemm(struct paced_device *device, int batch, int m, int n, int k, const struct paced_buffer *a,
                          const struct paced_buffer *b, float beta, struct paced_buffer *c);

/* C[b] = A[b] B[b] by blocked summation, with less rounding, in a kernel of this program. On a CPU it is about as
 * fast. */
enum paced_err paced_gemm_blocked(struct paced_device *device, int batch, int m, int n, int k,
                                  const struct paced_buffer *a, const struct paced_buffer *b, struct paced_buffer *c);

/* C[b] = A[b] B[b] + beta C[b] for b < batch, beta 0 or 1, by products of bfloat16 (not PACED_PRODUCTS_FLOAT) with
 * float sums: A[b] is [m][k], B[b] [n / panel][k / 2][panel][2] (pairs of rows in panels of columns), C[b] [m][n]
 * float32. m and n are multiples of 16, k of 32, else PACED_FAILED. panel is n or a multiple of 32, of which the last
 * panel may have less; panels of PACED_PANEL columns are read fastest. */
#define PACED_PANEL 32
enum paced_err paced_multiply_bfloat16(struct paced_device *device, enum paced_products products, int batch, int m,
                                       int n, int k, int panel, const struct paced_buffer *a,
                                       const struct paced_buffer *b, float beta, struct paced_buffer *c);

/* The names of the settings that apply to this device, by number from 0 in the order of trial; NULL beyond the last. */
const char *paced_gemm_setting_at(const struct paced_device *device, size_t i);

/* Selects a GEMM setting if it passes the self-test; *passed receives the outcome. */
enum paced_err paced_gemm_use(struct paced_device *device, const char *setting, bool *passed);

/* The name of the setting in use (selected now if none was); "none" if no product is correct. PACED_STOPPED if the user
 * stopped the program meanwhile. */
enum paced_err paced_gemm_setting(struct paced_device *device, const char **name);

static inline int paced_gemm_pad(int size) {
    return (size + PACED_GEMM_TILE - 1) / PACED_GEMM_TILE * PACED_GEMM_TILE;
}

#endif
