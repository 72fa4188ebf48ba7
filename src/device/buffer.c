/* Buffers: whole allocations and views (sub-buffers) of them. A view's parent may itself be a view; OpenCL has
 * sub-buffers of whole buffers only, so offsets count from the root. */
#include <stdlib.h>
#include <string.h>

#include "src/device/opencl.h"

enum paced_err paced_buffer_create(struct paced_buffer **out, struct paced_device *device, uint64_t bytes) {
    *out = NULL;
    const struct paced_device_info *info = &device->info;
    if (bytes == 0) bytes = info->align_bytes;
    if (bytes > info->max_alloc_bytes || device->allocated_bytes + bytes > info->global_bytes)
        return paced_error(PACED_FAILED,
                           "device %s: %.1f MiB more do not fit (in use %.1f, memory %.1f, one buffer up to %.1f MiB); "
                           "%s",
                           info->name, (double)bytes / 1048576, (double)device->allocated_bytes / 1048576,
                           (double)info->global_bytes / 1048576, (double)info->max_alloc_bytes / 1048576,
                           paced_advice(PACED_CAUSE_MEMORY));
    cl_int status;
    cl_mem memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE, bytes, NULL, &status);
    if (status != CL_SUCCESS) return opencl_error(device, "clCreateBuffer", status);
    struct paced_buffer *buffer = paced_alloc(1, sizeof *buffer);
    *buffer = (struct paced_buffer){device, memory, buffer, 0, bytes, PACED_FLOAT32};
    device->allocated_bytes += bytes;
    *out = buffer;
    return PACED_OK;
}

enum paced_err paced_buffer_view(struct paced_buffer **out, const struct paced_buffer *buffer, uint64_t offset,
                                 uint64_t bytes) {
    return paced_buffer_view_as(out, buffer, offset, bytes, buffer->format);
}

enum paced_err paced_buffer_view_as(struct paced_buffer **out, const struct paced_buffer *buffer, uint64_t offset,
                                    uint64_t bytes, enum paced_format format) {
    *out = NULL;
    cl_buffer_region region = {buffer->offset + offset, bytes};
    cl_int status;
    cl_mem memory =
        clCreateSubBuffer(buffer->root->memory, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &status);
    if (status != CL_SUCCESS) return opencl_error(buffer->device, "clCreateSubBuffer", status);
    struct paced_buffer *view = paced_alloc(1, sizeof *view);
    *view = (struct paced_buffer){buffer->device, memory, buffer->root, region.origin, bytes, format};
    *out = view;
    return PACED_OK;
}

void paced_buffer_destroy(struct paced_buffer *buffer) {
    if (!buffer) return;
    if (buffer->root == buffer) buffer->device->allocated_bytes -= buffer->bytes;
    clReleaseMemObject(buffer->memory);
    free(buffer);
}

uint64_t paced_buffer_bytes(const struct paced_buffer *buffer) {
    return buffer->bytes;
}

enum paced_format paced_buffer_format(const struct paced_buffer *buffer) {
    return buffer->format;
}

unsigned paced_storage_of(const struct paced_buffer *in, const struct paced_buffer *out) {
    unsigned of_in = in && in->format == PACED_BFLOAT16 ? PACED_STORAGE_IN : 0;
    return of_in | (out && out->format == PACED_BFLOAT16 ? PACED_STORAGE_OUT : 0);
}

static enum paced_err write(struct paced_buffer *buffer, const void *host, uint64_t bytes, cl_bool wait) {
    cl_int status = clEnqueueWriteBuffer(buffer->device->queue, buffer->memory, wait, 0, bytes, host, 0, NULL, NULL);
    return status == CL_SUCCESS ? PACED_OK : opencl_error(buffer->device, "clEnqueueWriteBuffer", status);
}

enum paced_err paced_buffer_write(struct paced_buffer *buffer, const void *host, uint64_t bytes) {
    return write(buffer, host, bytes, CL_TRUE);
}

enum paced_err paced_buffer_write_later(struct paced_buffer *buffer, const void *host, uint64_t bytes) {
    return write(buffer, host, bytes, CL_FALSE);
}

enum paced_err paced_buffer_read(const struct paced_buffer *buffer, void *host, uint64_t bytes) {
    cl_int status = clEnqueueReadBuffer(buffer->device->queue, buffer->memory, CL_TRUE, 0, bytes, host, 0, NULL, NULL);
    return status == CL_SUCCESS ? PACED_OK : opencl_error(buffer->device, "clEnqueueReadBuffer", status);
}

enum paced_err paced_buffer_read_later(const struct paced_buffer *buffer, void *host, uint64_t bytes,
                                       struct paced_ticket *ticket) {
    cl_event event;
    cl_int status =
        clEnqueueReadBuffer(buffer->device->queue, buffer->memory, CL_FALSE, 0, bytes, host, 0, NULL, &event);
    if (status != CL_SUCCESS) return opencl_error(buffer->device, "clEnqueueReadBuffer", status);
    ticket->event = event;
    clFlush(buffer->device->queue);
    return PACED_OK;
}

enum paced_err paced_ticket_wait(struct paced_ticket *ticket) {
    if (!ticket->event) return PACED_OK;
    cl_event event = ticket->event;
    ticket->event = NULL;
    cl_int status = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    if (status == CL_SUCCESS) return PACED_OK;
    return paced_error(PACED_FAILED, "waiting for a result of the device failed: %s (%d); run again with PACED_SYNC=1",
                       opencl_error_name(status), status);
}

enum paced_err paced_buffer_copy(struct paced_buffer *to, const struct paced_buffer *from, uint64_t bytes) {
    cl_int status = clEnqueueCopyBuffer(to->device->queue, from->memory, to->memory, 0, 0, bytes, 0, NULL, NULL);
    return status == CL_SUCCESS ? PACED_OK : opencl_error(to->device, "clEnqueueCopyBuffer", status);
}

enum paced_err paced_buffer_zero(struct paced_buffer *buffer, uint64_t bytes) {
    const cl_uchar zero = 0;
    cl_int status = clEnqueueFillBuffer(buffer->device->queue, buffer->memory, &zero, 1, 0, bytes, 0, NULL, NULL);
    return status == CL_SUCCESS ? PACED_OK : opencl_error(buffer->device, "clEnqueueFillBuffer", status);
}

/* ---- floats on the host -------------------------------------------------------------------------------------- */

/* As the macros of common.clh. */
static uint16_t to_bfloat16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    return (uint16_t)((value != value ? bits | bits >> 1 : rounded) >> 16);
}

static float from_bfloat16(uint16_t stored) {
    uint32_t bits = (uint32_t)stored << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum paced_err paced_buffer_write_floats(struct paced_buffer *buffer, const float *host, uint64_t count) {
    if (buffer->format == PACED_FLOAT32) return paced_buffer_write(buffer, host, count * sizeof *host);
    uint16_t *stored = paced_alloc(count, sizeof *stored);
    for (uint64_t i = 0; i < count; ++i) stored[i] = to_bfloat16(host[i]);
    enum paced_err err = paced_buffer_write(buffer, stored, count * sizeof *stored);
    free(stored);
    return err;
}

enum paced_err paced_buffer_read_floats(const struct paced_buffer *buffer, float *host, uint64_t count) {
    if (buffer->format == PACED_FLOAT32) return paced_buffer_read(buffer, host, count * sizeof *host);
    uint16_t *stored = paced_alloc(count, sizeof *stored);
    enum paced_err err = paced_buffer_read(buffer, stored, count * sizeof *stored);
    for (uint64_t i = 0; i < count && !err; ++i) host[i] = from_bfloat16(stored[i]);
    free(stored);
    return err;
}
