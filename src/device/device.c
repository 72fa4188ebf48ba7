/* Opening and closing the one device, and what OpenCL's statuses mean to a user. */
#include <stdlib.h>
#include <string.h>

#include "src/device/tuning.h"

const char *opencl_error_name(cl_int status) {
    static const struct {
        cl_int status;
        const char *name;
    } names[] = {
        {CL_DEVICE_NOT_FOUND, "CL_DEVICE_NOT_FOUND"},
        {CL_DEVICE_NOT_AVAILABLE, "CL_DEVICE_NOT_AVAILABLE"},
        {CL_COMPILER_NOT_AVAILABLE, "CL_COMPILER_NOT_AVAILABLE"},
        {CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
        {CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"},
        {CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
        {CL_BUILD_PROGRAM_FAILURE, "CL_BUILD_PROGRAM_FAILURE"},
        {CL_MISALIGNED_SUB_BUFFER_OFFSET, "CL_MISALIGNED_SUB_BUFFER_OFFSET"},
        {CL_INVALID_VALUE, "CL_INVALID_VALUE"},
        {CL_INVALID_DEVICE, "CL_INVALID_DEVICE"},
        {CL_INVALID_CONTEXT, "CL_INVALID_CONTEXT"},
        {CL_INVALID_COMMAND_QUEUE, "CL_INVALID_COMMAND_QUEUE"},
        {CL_INVALID_MEM_OBJECT, "CL_INVALID_MEM_OBJECT"},
        {CL_INVALID_BINARY, "CL_INVALID_BINARY"},
        {CL_INVALID_BUILD_OPTIONS, "CL_INVALID_BUILD_OPTIONS"},
        {CL_INVALID_KERNEL_NAME, "CL_INVALID_KERNEL_NAME"},
        {CL_INVALID_ARG_VALUE, "CL_INVALID_ARG_VALUE"},
        {CL_INVALID_ARG_SIZE, "CL_INVALID_ARG_SIZE"},
        {CL_INVALID_KERNEL_ARGS, "CL_INVALID_KERNEL_ARGS"},
        {CL_INVALID_WORK_GROUP_SIZE, "CL_INVALID_WORK_GROUP_SIZE"},
        {CL_INVALID_GLOBAL_WORK_SIZE, "CL_INVALID_GLOBAL_WORK_SIZE"},
        {CL_INVALID_BUFFER_SIZE, "CL_INVALID_BUFFER_SIZE"},
    };
    for (size_t i = 0; i < PACED_COUNT(names); ++i)
        if (names[i].status == status) return names[i].name;
    return "unknown OpenCL error";
}

enum paced_err opencl_error(const struct paced_device *device, const char *call, cl_int status) {
    bool memory =
        status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_OUT_OF_RESOURCES || status == CL_OUT_OF_HOST_MEMORY;
    return paced_error(PACED_FAILED, "device %s: %s failed: %s (%d); %s", device->info.name, call,
                       opencl_error_name(status), status,
                       memory ? "lower train.batch, data.size or model.width"
                              : "run again with PACED_SYNC=1 to see which launch it was");
}

/* What the libraries below read from the environment; what the user set already stays. All of it is set before the
 * first OpenCL call: from then on threads of the device's driver read the environment, and a write beside them is a
 * race. CLBlast: without this macro (with a blank on either side) it writes vector multiply-adds element by element,
 * and half the speed is lost. The thread count of PoCL (POCL_MAX_PTHREAD_COUNT up to 3.x, POCL_CPU_MAX_CU_COUNT
 * from 4.0) and of Intel's runtime for CPUs. */
static void prepare_environment(int threads) {
    setenv("CLBLAST_BUILD_OPTIONS", " -DUSE_VECTOR_MAD=1 ", 0);
    if (threads <= 0) return;
    char text[16];
    snprintf(text, sizeof text, "%d", threads);
    setenv("POCL_MAX_PTHREAD_COUNT", text, 0);
    setenv("POCL_CPU_MAX_CU_COUNT", text, 0);
    setenv("CL_CONFIG_CPU_TBB_NUM_WORKERS", text, 0);
}

static void limit_memory(struct paced_device_info *info, uint64_t bytes) {
    if (bytes == 0) return;
    if (info->global_bytes > bytes) info->global_bytes = bytes;
    if (info->max_alloc_bytes > bytes) info->max_alloc_bytes = bytes;
}

static enum paced_err choose_variant(enum paced_variant *variant) {
    const char *asked = getenv("PACED_VARIANT");
    if (!asked || !*asked) return PACED_OK;
    if (strcmp(asked, "cpu") != 0 && strcmp(asked, "gpu") != 0)
        return paced_error(PACED_INVALID, "PACED_VARIANT=%s: must be cpu or gpu; unset it for the device's own", asked);
    *variant = strcmp(asked, "cpu") == 0 ? PACED_VARIANT_CPU : PACED_VARIANT_GPU;
    return PACED_OK;
}

static enum paced_err open_candidate(struct paced_device *device, const struct candidate *chosen) {
    cl_int status;
    device->platform = chosen->platform;
    device->id = chosen->id;
    device->info = chosen->info;
    PACED_TRY(choose_variant(&device->info.variant));
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)chosen->platform, 0};
    device->context = clCreateContext(properties, 1, &device->id, NULL, NULL, &status);
    if (status != CL_SUCCESS) return opencl_error(device, "clCreateContext", status);
    device->queue = clCreateCommandQueue(device->context, device->id, 0, &status);
    if (status != CL_SUCCESS) return opencl_error(device, "clCreateCommandQueue", status);
    return PACED_OK;
}

enum paced_err paced_device_open(struct paced_device **out, const struct paced_device_options *options) {
    *out = NULL;
    prepare_environment(options->threads);
    struct candidate *candidates;
    size_t count;
    PACED_TRY(candidates_find(&candidates, &count));
    const char *why, *asked = candidates_asked_for(options->select);
    int chosen = candidates_choose(candidates, count, asked, &why);
    if (chosen < 0) {
        free(candidates);
        return paced_error(PACED_NO_DEVICE,
                           "%s = %s: no usable OpenCL device (%s); `paced devices` lists what there is, and the Debian "
                           "package pocl-opencl-icd makes the CPU one",
                           asked == options->select ? "device.select" : "PACED_DEVICE", asked, why);
    }
    struct paced_device *device = paced_alloc(1, sizeof *device);
    const char *sync = getenv("PACED_SYNC");
    device->sync = sync && strcmp(sync, "1") == 0;
    enum paced_err err = open_candidate(device, &candidates[chosen]);
    limit_memory(&device->info, options->memory_limit_bytes);
    paced_log(PACED_LOG_DEBUG, "device %d:%d %s (%s)", candidates[chosen].platform_index,
              candidates[chosen].device_index, device->info.name, why);
    free(candidates);
    if (!err) err = tuning_load(device, options->tuning ? options->tuning : "off");
    if (err) {
        paced_device_close(device);
        return err;
    }
    *out = device;
    return PACED_OK;
}

void paced_device_close(struct paced_device *device) {
    if (!device) return;
    if (device->queue) clFinish(device->queue);
    profile_release(device);
    programs_release(device);
    gemm_release();
    if (device->queue) clReleaseCommandQueue(device->queue);
    if (device->context) clReleaseContext(device->context);
    paced_tuning_destroy(device->tuning);
    free(device);
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
