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
    const struct gemm_setting *gemm; /* of the matrix products; NULL: not chosen yet */
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

/* Lets go of CLBlast's programs, which it would keep until the process ends, when a driver may be gone already. */
void gemm_release(void);

/* Where the event of a launch that is to be timed goes; NULL where none is wanted. */
cl_event *profile_event(struct paced_device *device, const char *name);
void profile_release(struct paced_device *device);

bool device_is_pocl(const struct paced_device_info *info);

/* One candidate of the machine, numbered as PLATFORM:DEVICE. */
struct candidate {
    cl_platform_id platform;
    cl_device_id id;
    int platform_index, device_index;
    struct paced_device_info info;
    bool usable;
};
enum paced_err candidates_find(struct candidate **found, size_t *count);

/* `select`, or what the environment has in its place. */
const char *candidates_asked_for(const char *select);

/* Index of the candidate that `select` takes, or -1; *why (static text) says why. */
int candidates_choose(const struct candidate *candidates, size_t count, const char *select, const char **why);

#endif
