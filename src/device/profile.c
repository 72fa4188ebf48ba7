/* The profile of a device: times of all launches, summed by kernel.
 *
 * Timing needs a queue with profiling and an event per launch, so it is off by default; timed launches run in the same
 * order and give the same results. */
#include <stdlib.h>
#include <string.h>

#include "src/device/opencl.h"

enum { MAX_PENDING = 4096 };

struct pending {
    const char *name;
    cl_event before, event; /* before: a marker, whose end is the start; NULL: the event's own start */
};

struct profile {
    struct pending pending[MAX_PENDING];
    size_t pending_count;
    struct paced_kernel_time *times;
    size_t time_count;
};

static struct paced_kernel_time *time_of(struct profile *p, const char *name) {
    for (size_t i = 0; i < p->time_count; ++i)
        if (strcmp(p->times[i].name, name) == 0) return &p->times[i];
    p->times = paced_grow(p->times, p->time_count + 1, sizeof *p->times);
    p->times[p->time_count] = (struct paced_kernel_time){.name = name};
    return &p->times[p->time_count++];
}

static double ms_of(const struct pending *launch) {
    cl_ulong start = 0, end = 0;
    if (clWaitForEvents(1, &launch->event) != CL_SUCCESS) return 0;
    clGetEventProfilingInfo(launch->event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
    if (!launch->before ||
        clGetEventProfilingInfo(launch->before, CL_PROFILING_COMMAND_END, sizeof start, &start, NULL))
        clGetEventProfilingInfo(launch->event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL);
    return (double)(end - start) / 1e6;
}

static void collect(struct profile *p) {
    for (size_t i = 0; i < p->pending_count; ++i) {
        struct pending *launch = &p->pending[i];
        struct paced_kernel_time *t = time_of(p, launch->name);
        t->calls += 1;
        t->ms += ms_of(launch);
        if (launch->before) clReleaseEvent(launch->before);
        clReleaseEvent(launch->event);
    }
    p->pending_count = 0;
}

cl_event *profile_event(struct paced_device *device, const char *name, bool several) {
    struct profile *p = device->profile;
    if (!p) return NULL;
    if (p->pending_count == MAX_PENDING) collect(p);
    struct pending *launch = &p->pending[p->pending_count++];
    *launch = (struct pending){.name = name};
    if (several && clEnqueueMarkerWithWaitList(device->queue, 0, NULL, &launch->before)) launch->before = NULL;
    return &launch->event;
}

static enum paced_err replace_queue(struct paced_device *device, cl_command_queue_properties properties) {
    PACED_TRY(paced_device_finish(device));
    cl_int status;
    cl_command_queue queue = clCreateCommandQueue(device->context, device->id, properties, &status);
    if (status != CL_SUCCESS) return opencl_error(device, "clCreateCommandQueue", status);
    clReleaseCommandQueue(device->queue);
    device->queue = queue;
    return PACED_OK;
}

void profile_release(struct paced_device *device) {
    if (!device->profile) return;
    collect(device->profile);
    free(device->profile->times);
    free(device->profile);
    device->profile = NULL;
}

enum paced_err paced_device_profile_start(struct paced_device *device) {
    PACED_TRY(replace_queue(device, CL_QUEUE_PROFILING_ENABLE));
    device->profile = paced_alloc(1, sizeof *device->profile);
    return PACED_OK;
}

static int slower_first(const void *a, const void *b) {
    double x = ((const struct paced_kernel_time *)a)->ms, y = ((const struct paced_kernel_time *)b)->ms;
    return (x < y) - (x > y);
}

enum paced_err paced_device_profile_stop(struct paced_device *device, struct paced_kernel_time **times, size_t *count) {
    collect(device->profile);
    *times = device->profile->times;
    *count = device->profile->time_count;
    device->profile->times = NULL;
    qsort(*times, *count, sizeof **times, slower_first);
    profile_release(device);
    return replace_queue(device, 0);
}
