/* Private to the device module: OpenCL objects and their error messages. */
#ifndef PACED_DEVICE_OPENCL_H
#define PACED_DEVICE_OPENCL_H

#ifndef CL_TARGET_OPENCL_VERSION /* CLBlast's header sets its own */
#define CL_TARGET_OPENCL_VERSION 120
#endif
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include "paced/device.h"

struct gemm_setting; /* gemm.h */
struct program;      /* program.c */
struct profile;      /* profile.c */

struct paced_device {
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    struct paced_device_info info;
    uint64_t allocated_bytes;        /* of existing buffers, without views */
    bool sync;                       /* PACED_SYNC=1: waits for every launch, so that an error names its kernel */
    bool check_arguments;            /* PACED_CHECK_ARGUMENTS=1: compares arguments with the kernel's declaration, and
                                        insists on builtins.clh where it is used */
    struct program *programs;        /* built so far */
    struct profile *profile;         /* NULL unless launches are being timed */
    struct paced_tuning *tuning;     /* never NULL once the device is open */
    bool untried;                    /* paced_device_options */
    int blas_status;                 /* CLBlast's, of the last product that failed */
    const struct gemm_setting *gemm; /* NULL: not chosen yet */
    enum paced_products products;    /* of bfloat16, if they are known */
    bool products_known;
    bool gemm_hangs; /* a compiler did not answer: CLBlast is not tried again */
    int gemm_level;  /* first level of unused kernels that may build (gemm.h) */
};

struct paced_buffer {
    struct paced_device *device;
    cl_mem memory;
    const struct paced_buffer *root; /* the buffer that owns the memory: itself unless a view */
    uint64_t offset, bytes;          /* offset from the root's start */
    enum paced_format format;
};

const char *opencl_error_name(cl_int status);

/* Reports a failed call: "device NAME: CALL failed: CL_...; hint". For out-of-memory statuses the hint names keys. */
enum paced_err opencl_error(const struct paced_device *device, const char *call, cl_int status);

/* Asks the system for the tile registers of x86 processors (AMX). Call it before the first OpenCL call. */
void products_allow_tiles(void);

bool device_is_pocl(const struct paced_device_info *info);

/* Sets environment variables of the libraries unless the user has set them. This must precede the first OpenCL call:
 * from then on the driver's threads read the environment, and writing it is a race. CLBlast: without this macro (with a
 * blank on either side) it writes vector multiply-adds element by element, at half the speed. PoCL: its thread count,
 * POCL_MAX_PTHREAD_COUNT up to 3.x, POCL_CPU_MAX_CU_COUNT from 4.0. Intel's runtime for CPUs: its thread count. */
void opencl_prepare_environment(int threads);

/* The remedy for a driver that ends a process: a limit of the process, else the folder of the driver's cache,
 * if it is known. Release with free(). */
char *opencl_crash_advice(const struct paced_device_info *info);

/* True for a signal that a fault of the driver raises. Others come from the user, the system or the machine's memory.
 */
bool crash_is_fault(int signal_number);

/* From now on until crash_unwatch, a crash is reported as the device's, if paced_device_report_crashes was called. */
void crash_watch(const struct paced_device_info *info);
/* Repeats it, because LLVM within a driver installs handlers of its own when it compiles for the first time. */
void crash_watch_again(void);
void crash_unwatch(void);

/* Text that changes when CLBlast does: path, size and time of change. Release with free(). */
char *library_blas_fingerprint(void);

/* The text of paced_log_activity while a compiler works. */
#define COMPILING "compiling"

/* A kernel, built for the device. */
struct built_kernel {
    const char *name;
    cl_kernel kernel;
    cl_uint args;
    size_t max_group; /* maximum work-items of a group; its registers may reduce it below the device's maximum */
    bool launched;    /* once at least; PoCL compiles at the first launch */
};

/* The built kernel, from the caches or from source. Owned by the device. PACED_STOPPED, without building, once
 * paced_stop_asked(). */
enum paced_err program_kernel(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                              struct built_kernel **out);
void programs_release(struct paced_device *device);

bool program_has_source(const char *file);

/* A hash of a program's source. Files that are not found do not contribute. */
uint64_t program_source_hash(const char *file);

/* Releases CLBlast's programs, which it would keep until the process ends and the driver may be unloaded already. */
void gemm_release(void);

/* The place for the event of a timed launch; NULL if launches are not timed. `several`: the event is the last of
 * several kernels, which all count. */
cl_event *profile_event(struct paced_device *device, const char *name, bool several);
void profile_release(struct paced_device *device);

/* Fills device->tuning. `choice`: auto (the device's own file in the user's cache directory, else a matching file that
 * is shipped, else none), off, or a file, which must exist and be valid. */
enum paced_err tuning_load(struct paced_device *device, const char *choice);

/* A hash of the convolutions' algorithms, continued from `hash`. */
uint64_t tuning_hash(const struct paced_tuning *tuning, uint64_t hash);

/* One device of the machine. */
struct candidate {
    cl_platform_id platform;
    cl_device_id id;
    struct paced_device_info info;
    char *fault;  /* the reason why it is unusable; NULL: none known */
    bool skipped; /* its trial failed now; to be reported */
};
struct candidates {
    struct candidate *items;
    size_t count;
    char *why; /* the reason for the last choice, or the faults that prevent one */
};

/* Lists all devices; threads and untried as in paced_device_options. PACED_NO_DEVICE if an implementation would end the
 * process; PACED_INVALID for a wrong PACED_VARIANT. */
enum paced_err candidates_find(struct candidates *found, int threads, bool untried);
void candidates_finish(struct candidates *candidates);

/* `select`, or its value from the environment. */
const char *candidates_asked_for(const char *select);

/* Finds the first candidate that `select` allows and that passes its first trial (none is made if `untried`), and warns
 * about those that were skipped. *chosen is -1 if there is none; all->why has the reason. */
enum paced_err candidates_take(struct candidates *all, const char *select, bool untried, int *chosen);

#endif
