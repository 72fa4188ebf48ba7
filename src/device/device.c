/* Opening and closing the device. */
#include <stdlib.h>
#include <string.h>

#include "src/device/opencl.h"

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

static bool is_on(const char *variable) {
    const char *value = getenv(variable);
    return value && strcmp(value, "1") == 0;
}

/* Opens the candidate's device; *out is NULL on failure. */
static enum paced_err open_chosen(struct paced_device **out, const struct candidate *chosen,
                                  const struct paced_device_options *options) {
    struct paced_device *device = paced_alloc(1, sizeof *device);
    device->sync = is_on("PACED_SYNC");
    device->check_arguments = is_on("PACED_CHECK_ARGUMENTS");
    device->untried = options->untried;
    enum paced_err err = open_candidate(device, chosen);
    limit_memory(&device->info, options->memory_limit_bytes);
    if (!err) err = tuning_load(device, options->tuning ? options->tuning : "off");
    if (err) {
        paced_device_close(device);
        device = NULL;
    }
    if (device) crash_watch(&device->info);
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
    crash_unwatch();
    paced_tuning_destroy(device->tuning);
    free(device);
}
