/* Private to the device room: the OpenCL objects behind the door, and their error messages. */
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
    uint64_t allocated_bytes;        /* of buffers (not views) alive now */
    bool sync;                       /* PACED_SYNC=1: every launch finishes, so that a fault shows where it happens */
    struct program *programs;        /* built so far */
    struct profile *profile;         /* NULL unless launches are being timed */
    struct paced_tuning *tuning;     /* never NULL once the device is open */
    bool untried;                    /* paced_device_options */
    const struct gemm_setting *gemm; /* of the matrix products; NULL: not chosen yet */
    int gemm_level;                  /* first level of unused kernels that may build (gemm.h) */
};

struct paced_buffer {
    struct paced_device *device;
    cl_mem memory;
    const struct paced_buffer *root; /* the buffer that owns the memory: itself unless a view */
    uint64_t offset, bytes;          /* offset from the root's start */
};

const char *opencl_error_name(cl_int status);

/* Reports a failed call: "device NAME: CALL failed: CL_...; hint". Out-of-memory statuses name the keys that help. */
enum paced_err opencl_error(const struct paced_device *device, const char *call, cl_int status);

/* A kernel as the device has it. */
struct built_kernel {
    const char *name;
    cl_kernel kernel;
    cl_uint args;
    size_t max_group; /* work-items of a group, at most: with its registers there may be fewer than the device takes */
};

/* The built kernel, from the caches or from source. Owned by the device. */
enum paced_err program_kernel(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                              const struct built_kernel **out);
void programs_release(struct paced_device *device);

/* A hash of the source of a program, of nothing where the file is not found. */
uint64_t program_source_hash(const char *file);

/* Lets go of CLBlast's programs, which it would keep until the process ends, when a driver may be gone already. */
void gemm_release(void);

/* Where the event of a launch that is to be timed goes; NULL where none is wanted. */
cl_event *profile_event(struct paced_device *device, const char *name);
void profile_release(struct paced_device *device);

bool device_is_pocl(const struct paced_device_info *info);

/* One device of the machine. */
struct candidate {
    cl_platform_id platform;
    cl_device_id id;
    struct paced_device_info info;
    char *fault;  /* cause for which it cannot be used; NULL: none is known */
    bool skipped; /* its trial failed now, which the user is to be told */
};
struct candidates {
    struct candidate *items;
    size_t count;
    char *why; /* the reason for the last choice, or the faults for which there is none */
};
/* Sets the variables that the libraries below read; those that the user set stay. It is done before the first OpenCL
 * call: from then on threads of the device's driver read the environment, and a write beside them is a race. CLBlast:
 * without this macro (with a blank on either side) it writes vector multiply-adds element by element, and half the
 * speed is lost. PoCL: its thread count, POCL_MAX_PTHREAD_COUNT up to 3.x, POCL_CPU_MAX_CU_COUNT from 4.0.
 */
void candidates_prepare_environment(int threads);

/* Lists all devices; threads and untried are those of paced_device_options. PACED_NO_DEVICE where an implementation
 * would end the process; PACED_INVALID for a wrong PACED_VARIANT. */
enum paced_err candidates_find(struct candidates *found, int threads, bool untried);
void candidates_finish(struct candidates *candidates);

/* `select`, or the value that the environment has in its place. */
const char *candidates_asked_for(const char *select);

/* Finds the candidate that `select` takes and that passes its first trial (none is made if `untried`), and warns about
 * those that were skipped for it. *chosen is -1 where there is none; all->why says why. */
enum paced_err candidates_take(struct candidates *all, const char *select, bool untried, int *chosen);

#endif
