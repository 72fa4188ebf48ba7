/* A driver that reports 0 bytes of memory, preloaded in front of the ICD loader (LD_PRELOAD). NO_MEMORY=global or
 * NO_MEMORY=buffer hides only the memory of the device or the size of its buffers. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

typedef cl_int get_info(cl_device_id, cl_device_info, size_t, void *, size_t *);

static bool is_hidden(cl_device_info what) {
    const char *only = getenv("NO_MEMORY");
    if (what == CL_DEVICE_GLOBAL_MEM_SIZE) return !only || strcmp(only, "buffer") != 0;
    return what == CL_DEVICE_MAX_MEM_ALLOC_SIZE && (!only || strcmp(only, "global") != 0);
}

__attribute__((visibility("default"))) cl_int clGetDeviceInfo(cl_device_id of, cl_device_info what, size_t room,
                                                              void *out, size_t *needed) {
    get_info *next;
    *(void **)&next = dlsym(RTLD_NEXT, "clGetDeviceInfo");
    cl_int status = next(of, what, room, out, needed);
    if (status == CL_SUCCESS && out && is_hidden(what)) memset(out, 0, room);
    return status;
}
