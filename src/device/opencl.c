/* An open device, the names of OpenCL's errors, and the libraries in use. */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "src/device/opencl.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* clang-format off */
#define STATUSES \
    STATUS(CL_DEVICE_NOT_FOUND) STATUS(CL_DEVICE_NOT_AVAILABLE) STATUS(CL_COMPILER_NOT_AVAILABLE) \
    STATUS(CL_MEM_OBJECT_ALLOCATION_FAILURE) STATUS(CL_OUT_OF_RESOURCES) STATUS(CL_OUT_OF_HOST_MEMORY) \
    STATUS(CL_BUILD_PROGRAM_FAILURE) STATUS(CL_MISALIGNED_SUB_BUFFER_OFFSET) STATUS(CL_INVALID_VALUE) \
    STATUS(CL_INVALID_DEVICE) STATUS(CL_INVALID_CONTEXT) STATUS(CL_INVALID_COMMAND_QUEUE) \
    STATUS(CL_INVALID_MEM_OBJECT) STATUS(CL_INVALID_BINARY) STATUS(CL_INVALID_BUILD_OPTIONS) \
    STATUS(CL_INVALID_KERNEL_NAME) STATUS(CL_INVALID_ARG_VALUE) STATUS(CL_INVALID_ARG_SIZE) \
    STATUS(CL_INVALID_KERNEL_ARGS) STATUS(CL_INVALID_WORK_GROUP_SIZE) STATUS(CL_INVALID_GLOBAL_WORK_SIZE) \
    STATUS(CL_INVALID_BUFFER_SIZE)
/* clang-format on */

const char *opencl_error_name(cl_int status) {
#define STATUS(status) {status, #status},
    static const struct {
        cl_int status;
        const char *name;
    } names[] = {STATUSES};
#undef STATUS
    for (size_t i = 0; i < PACED_COUNT(names); ++i)
        if (names[i].status == status) return names[i].name;
    return "unknown OpenCL error";
}

enum paced_err opencl_error(const struct paced_device *device, const char *call, cl_int status) {
    bool memory =
        status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_OUT_OF_RESOURCES || status == CL_OUT_OF_HOST_MEMORY;
    return paced_error(
        PACED_FAILED, "device %s: %s failed: %s (%d); %s", device->info.name, call, opencl_error_name(status), status,
        memory ? paced_advice(PACED_CAUSE_MEMORY) : "run again with PACED_SYNC=1 to find the launch that failed");
}

const struct paced_device_info *paced_device_info(const struct paced_device *device) {
    return &device->info;
}

enum paced_err paced_device_finish(struct paced_device *device) {
    cl_int status = clFinish(device->queue);
    return status == CL_SUCCESS ? PACED_OK : opencl_error(device, "clFinish", status);
}

int paced_device_vector(const struct paced_device *device, int channels) {
    int widest = device->info.variant == PACED_VARIANT_CPU ? 16 : 4;
    while (channels % widest != 0) widest /= 2;
    return widest;
}

uint64_t paced_device_allocated(const struct paced_device *device) {
    return device->allocated_bytes;
}

struct paced_tuning *paced_device_tuning(struct paced_device *device) {
    return device->tuning;
}

bool device_is_pocl(const struct paced_device_info *info) {
    return strstr(info->platform, "Portable Computing Language") != NULL;
}

char *opencl_crash_advice(const struct paced_device_info *info) {
    uint64_t space = paced_address_space();
    if (space)
        return paced_format(
            "the address space is limited to %llu MiB (ulimit -v), which drivers may exceed: lift the limit",
            (unsigned long long)space >> 20);
    if (paced_file_size_is_limited())
        return paced_strdup(
            "the size of files is limited (ulimit -f), which compiled kernels may exceed: lift the limit");
    char *cache = device_is_pocl(info) ? paced_cache_path("POCL_CACHE_DIR", "pocl/kcache") : NULL;
    if (!cache) return paced_strdup("update the driver, or choose another device");
    char *advice =
        paced_format("its cache of compiled kernels, %s, may be damaged, read-only or on a full disk: remove "
                     "it, make room, or set POCL_CACHE_DIR to another folder",
                     cache);
    free(cache);
    return advice;
}

/* ---- libraries ----------------------------------------------------------------------------------------------- */

void opencl_prepare_environment(int threads) {
    setenv("CLBLAST_BUILD_OPTIONS", " -DUSE_VECTOR_MAD=1 ", 0);
    const char *pocl_cache = getenv("POCL_CACHE_DIR");
    if (pocl_cache && !*pocl_cache) unsetenv("POCL_CACHE_DIR"); /* PoCL aborts */
    if (threads <= 0) return;
    char text[16];
    snprintf(text, sizeof text, "%d", threads);
    setenv("POCL_MAX_PTHREAD_COUNT", text, 0);
    setenv("POCL_CPU_MAX_CU_COUNT", text, 0);
    setenv("CL_CONFIG_CPU_TBB_NUM_WORKERS", text, 0);
}

/* Path of the loaded library that has the function. Symbolic links are resolved, so that the path ends with the
 * library's version on most systems. */
static char *library_path(const char *function) {
    Dl_info info;
    void *at = dlsym(RTLD_DEFAULT, function);
    char *path = at && dladdr(at, &info) && info.dli_fname ? realpath(info.dli_fname, NULL) : NULL;
    return path ? path : paced_strdup("");
}

char *paced_icd_loader_path(void) {
    return library_path("clGetPlatformIDs");
}

char *paced_blas_path(void) {
    return library_path("CLBlastClearCache");
}

char *library_blas_fingerprint(void) {
    char *path = paced_blas_path();
    struct stat file = {0};
    stat(path, &file);
    char *text = paced_format("%s %lld %lld", path, (long long)file.st_size, (long long)file.st_mtime);
    free(path);
    return text;
}
