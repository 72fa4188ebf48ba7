/* Opening and closing the device, and error messages for OpenCL's statuses. */
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
    return paced_error(
        PACED_FAILED, "device %s: %s failed: %s (%d); %s", device->info.name, call, opencl_error_name(status), status,
        memory ? paced_advice(PACED_CAUSE_MEMORY) : "run again with PACED_SYNC=1 to find the launch that failed");
}

static void limit_memory(struct paced_device_info *info, uint64_t bytes) {
    if (bytes == 0) return;
    if (info->global_bytes > bytes) info->global_bytes = bytes;
    if (info->max_alloc_bytes > bytes) info->max_alloc_bytes = bytes;
}

static enum paced_err open_candidate(struct paced_device *device, const struct candidate *chosen) {
    cl_int status;
    device->platform = chosen->platform;
    device->id = chosen->id;
    device->info = chosen->info;
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)chosen->platform, 0};
    device->context = clCreateContext(properties, 1, &device->id, NULL, NULL, &status);
    if (status != CL_SUCCESS) return opencl_error(device, "clCreateContext", status);
    device->queue = clCreateCommandQueue(device->context, device->id, 0, &status);
    if (status != CL_SUCCESS) return opencl_error(device, "clCreateCommandQueue", status);
    return PACED_OK;
}

/* Opens the candidate's device; *out is NULL on failure. */
static enum paced_err open_chosen(struct paced_device **out, const struct candidate *chosen,
                                  const struct paced_device_options *options) {
    struct paced_device *device = paced_alloc(1, sizeof *device);
    const char *sync = getenv("PACED_SYNC");
    device->sync = sync && strcmp(sync, "1") == 0;
    device->untried = options->untried;
    enum paced_err err = open_candidate(device, chosen);
    limit_memory(&device->info, options->memory_limit_bytes);
    if (!err) err = tuning_load(device, options->tuning ? options->tuning : "off");
    if (err) {
        paced_device_close(device);
        device = NULL;
    }
    *out = device;
    return err;
}

enum paced_err paced_device_open(struct paced_device **out, const struct paced_device_options *options) {
    *out = NULL;
    struct candidates all;
    const char *asked = candidates_asked_for(options->select);
    int chosen;
    PACED_TRY(candidates_find(&all, options->threads, options->untried));
    enum paced_err err = candidates_take(&all, asked, options->untried, &chosen);
    if (!err && chosen < 0)
        err = paced_error_at(PACED_NO_DEVICE, asked,
                             "no usable OpenCL device (%s); `paced devices` lists what there is, and `paced "
                             "doctor` shows what to do",
                             all.why);
    if (!err) {
        paced_log(PACED_LOG_DEBUG, "device %s %s (%s)", all.items[chosen].info.id, all.items[chosen].info.name,
                  all.why);
        err = open_chosen(out, &all.items[chosen], options);
    }
    candidates_finish(&all);
    return err;
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
