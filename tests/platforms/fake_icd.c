/* An OpenCL 1.2 implementation that fails on purpose, for tests of how a program treats broken drivers.
 *
 * The ICD loader opens it as an .icd file says. It has one platform with one GPU. The environment variable FAKE_ICD
 * names the failure:
 *
 *   exit, abort, segv   clBuildProgram ends the process: status 9, SIGABRT, SIGSEGV
 *   hang                clBuildProgram does not return
 *   error               clBuildProgram fails
 *   wrong               every call succeeds, but kernels do nothing
 *   zero                the device reports 0 bytes of memory, and no buffer can be created
 *   context             clCreateContext fails
 *   list                clGetDeviceIDs ends the process: SIGABRT
 *
 * Without one of these names there is no platform. Compiler and listing write to stderr before they fail, as real ones
 * do. Nothing is compiled; buffers are host memory, and transfers are done when they are enqueued. Functions that no
 * caller needs (images, samplers, sub-devices, linking) are NULL. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_icd.h"

/* A context, queue, buffer, program, kernel or event. */
struct object {
    const cl_icd_dispatch *dispatch;
    struct object *parent; /* retained until this object ends; NULL: a context */
    cl_uint references;
    size_t bytes;
    char *data; /* [bytes] a buffer's contents, a program's source, a kernel's name; 0 follows a source or name */
    char own[]; /* memory for data; a sub-buffer's data is its parent's */
};

/* ---- objects --------------------------------------------------------------------------------------------------- */

static cl_int retain(void *handle) {
    struct object *object = handle;
    object->references += 1;
    return CL_SUCCESS;
}

static cl_int release(void *handle) {
    struct object *object = handle;
    while (object && --object->references == 0) {
        struct object *parent = object->parent;
        free(object);
        object = parent;
    }
    return CL_SUCCESS;
}

/* A new object with zeroed data of `bytes`, and one zero more. */
static void *create(void *parent, size_t bytes, cl_int *status) {
    struct object *object = calloc(1, sizeof *object + bytes + 1);
    if (status) *status = object ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
    if (!object) return NULL;
    object->dispatch = &fake_dispatch;
    object->parent = parent;
    object->references = 1;
    object->bytes = bytes;
    object->data = object->own;
    if (parent) retain(parent);
    return object;
}

static void *refuse(cl_int *status, cl_int why) {
    if (status) *status = why;
    return NULL;
}

static cl_context context_of(void *handle) {
    struct object *object = handle;
    while (object->parent) object = object->parent;
    return (cl_context)object;
}

#define COUNTED(type, name)                     \
    static cl_int retain_##name(type object) {  \
        return retain(object);                  \
    }                                           \
    static cl_int release_##name(type object) { \
        return release(object);                 \
    }
COUNTED(cl_context, context)
COUNTED(cl_command_queue, queue)
COUNTED(cl_mem, memory)
COUNTED(cl_program, program)
COUNTED(cl_kernel, kernel)
COUNTED(cl_event, event)

static cl_int retain_device(cl_device_id id) {
    return CL_SUCCESS;
}

/* ---- contexts and queues --------------------------------------------------------------------------------------- */

typedef void (*notify_error)(const char *, const void *, size_t, void *);

static cl_context create_context(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                                 notify_error notify, void *data, cl_int *status) {
    return fails_by("context") ? refuse(status, CL_OUT_OF_RESOURCES) : create(NULL, 0, status);
}

static cl_context create_context_from_type(const cl_context_properties *properties, cl_device_type type,
                                           notify_error notify, void *data, cl_int *status) {
    if (!(type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT))) return refuse(status, CL_DEVICE_NOT_FOUND);
    return create_context(properties, 1, (cl_device_id[]){&fake_device}, notify, data, status);
}

static cl_int get_context_info(cl_context of, cl_context_info what, size_t room, void *out, size_t *needed) {
    switch (what) {
    case CL_CONTEXT_REFERENCE_COUNT:
        return ANSWER(cl_uint, ((struct object *)of)->references);
    case CL_CONTEXT_NUM_DEVICES:
        return ANSWER(cl_uint, 1);
    case CL_CONTEXT_DEVICES:
        return ANSWER(cl_device_id, &fake_device);
    case CL_CONTEXT_PROPERTIES:
        return answer(NULL, 0, 0, NULL, needed);
    }
    return CL_INVALID_VALUE;
}

static cl_command_queue create_queue(cl_context context, cl_device_id id, cl_command_queue_properties properties,
                                     cl_int *status) {
    return create(context, 0, status);
}

static cl_int get_queue_info(cl_command_queue of, cl_command_queue_info what, size_t room, void *out, size_t *needed) {
    switch (what) {
    case CL_QUEUE_CONTEXT:
        return ANSWER(cl_context, context_of(of));
    case CL_QUEUE_DEVICE:
        return ANSWER(cl_device_id, &fake_device);
    case CL_QUEUE_REFERENCE_COUNT:
        return ANSWER(cl_uint, ((struct object *)of)->references);
    case CL_QUEUE_PROPERTIES:
        return ANSWER(cl_command_queue_properties, 0);
    }
    return CL_INVALID_VALUE;
}

static cl_int finish(cl_command_queue queue) {
    return CL_SUCCESS;
}

/* ---- programs and kernels -------------------------------------------------------------------------------------- */

static cl_program create_program(cl_context context, cl_uint count, const char **parts, const size_t *lengths,
                                 cl_int *status) {
    size_t bytes = 0;
    for (cl_uint i = 0; i < count; ++i) bytes += lengths && lengths[i] ? lengths[i] : strlen(parts[i]);
    struct object *program = create(context, bytes, status);
    if (!program) return NULL;
    char *end = program->data;
    for (cl_uint i = 0; i < count; ++i) {
        size_t length = lengths && lengths[i] ? lengths[i] : strlen(parts[i]);
        memcpy(end, parts[i], length);
        end += length;
    }
    return (cl_program)program;
}

/* A binary is the source. */
static cl_program create_program_with_binary(cl_context context, cl_uint count, const cl_device_id *devices,
                                             const size_t *lengths, const unsigned char **binaries, cl_int *loaded,
                                             cl_int *status) {
    if (loaded) *loaded = CL_SUCCESS;
    return create_program(context, 1, (const char **)binaries, lengths, status);
}

static cl_int build_program(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                            void (*notify)(cl_program, void *), void *data) {
    if (!fails_by("wrong") && !fails_by("zero"))
        fputs("fake compiler: raw line 1\nfake compiler: raw line 2\nfake compiler: raw line 3\n", stderr);
    if (fails_by("exit")) _exit(9);
    if (fails_by("success")) _exit(0);
    for (int i = 0; fails_by("noise") && i < 4000; ++i) fprintf(stderr, "fake compiler: noise \xE9 %d\n", i);
    if (fails_by("noise")) return CL_BUILD_PROGRAM_FAILURE;
    if (fails_by("abort")) abort();
    if (fails_by("segv")) *(volatile int *)NULL = 0;
    while (fails_by("hang")) pause();
    if (notify) notify(program, data);
    return fails_by("error") ? CL_BUILD_PROGRAM_FAILURE : CL_SUCCESS;
}

static cl_int get_program_info(cl_program of, cl_program_info what, size_t room, void *out, size_t *needed) {
    struct object *program = (struct object *)of;
    switch (what) {
    case CL_PROGRAM_REFERENCE_COUNT:
        return ANSWER(cl_uint, program->references);
    case CL_PROGRAM_CONTEXT:
        return ANSWER(cl_context, context_of(of));
    case CL_PROGRAM_NUM_DEVICES:
        return ANSWER(cl_uint, 1);
    case CL_PROGRAM_DEVICES:
        return ANSWER(cl_device_id, &fake_device);
    case CL_PROGRAM_SOURCE:
        return answer(program->data, program->bytes + 1, room, out, needed);
    case CL_PROGRAM_BINARY_SIZES:
        return ANSWER(size_t, program->bytes);
    case CL_PROGRAM_BINARIES: /* out: an array of one pointer */
        if (needed) *needed = sizeof(char *);
        if (out && *(char **)out) memcpy(*(char **)out, program->data, program->bytes);
        return CL_SUCCESS;
    }
    return CL_INVALID_VALUE;
}

static cl_int get_build_info(cl_program of, cl_device_id id, cl_program_build_info what, size_t room, void *out,
                             size_t *needed) {
    switch (what) {
    case CL_PROGRAM_BUILD_STATUS:
        return ANSWER(cl_build_status, fails_by("error") ? CL_BUILD_ERROR : CL_BUILD_SUCCESS);
    case CL_PROGRAM_BUILD_OPTIONS:
        return ANSWER_TEXT("");
    case CL_PROGRAM_BUILD_LOG:
        return ANSWER_TEXT(fails_by("error") ? "fake compiler: log line 1\nfake compiler: log line 2\n" : "");
    }
    return CL_INVALID_VALUE;
}

static cl_kernel create_kernel(cl_program program, const char *name, cl_int *status) {
    struct object *kernel = create(program, strlen(name), status);
    if (kernel) memcpy(kernel->data, name, kernel->bytes);
    return (cl_kernel)kernel;
}

/* Parameters between the parentheses after "void NAME"; macros are not expanded. */
static cl_uint count_parameters(const struct object *kernel) {
    char declared[128];
    int length = snprintf(declared, sizeof declared, "void %s(", kernel->data);
    const char *at = strstr(kernel->parent->data, declared);
    if (!at || at[length] == ')') return 0;
    cl_uint count = 1;
    for (at += length; *at && *at != ')'; ++at) count += *at == ',';
    return count;
}

static cl_int get_arg_info(cl_kernel of, cl_uint arg, cl_kernel_arg_info what, size_t room, void *out, size_t *needed) {
    return CL_KERNEL_ARG_INFO_NOT_AVAILABLE;
}

static cl_int get_kernel_info(cl_kernel of, cl_kernel_info what, size_t room, void *out, size_t *needed) {
    struct object *kernel = (struct object *)of;
    switch (what) {
    case CL_KERNEL_FUNCTION_NAME:
        return ANSWER_TEXT(kernel->data);
    case CL_KERNEL_NUM_ARGS:
        return ANSWER(cl_uint, count_parameters(kernel));
    case CL_KERNEL_REFERENCE_COUNT:
        return ANSWER(cl_uint, kernel->references);
    case CL_KERNEL_CONTEXT:
        return ANSWER(cl_context, context_of(of));
    case CL_KERNEL_PROGRAM:
        return ANSWER(cl_program, (cl_program)kernel->parent);
    }
    return CL_INVALID_VALUE;
}

static cl_int get_work_group_info(cl_kernel of, cl_device_id id, cl_kernel_work_group_info what, size_t room, void *out,
                                  size_t *needed) {
    switch (what) {
    case CL_KERNEL_WORK_GROUP_SIZE:
        return ANSWER(size_t, 256);
    case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
        return ANSWER(size_t, 32);
    case CL_KERNEL_COMPILE_WORK_GROUP_SIZE:
        return answer((size_t[]){0, 0, 0}, 3 * sizeof(size_t), room, out, needed);
    case CL_KERNEL_LOCAL_MEM_SIZE:
    case CL_KERNEL_PRIVATE_MEM_SIZE:
        return ANSWER(cl_ulong, 0);
    }
    return CL_INVALID_VALUE;
}

static cl_int set_kernel_arg(cl_kernel kernel, cl_uint index, size_t bytes, const void *value) {
    return CL_SUCCESS;
}

/* ---- buffers --------------------------------------------------------------------------------------------------- */

static cl_mem create_buffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host, cl_int *status) {
    if (fails_by("zero")) return refuse(status, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    struct object *buffer = create(context, bytes, status);
    if (buffer && host) memcpy(buffer->data, host, bytes);
    return (cl_mem)buffer;
}

/* The bytes at `offset`, or NULL if they exceed the buffer. */
static char *bytes_of(cl_mem memory, size_t offset, size_t bytes) {
    struct object *buffer = (struct object *)memory;
    return offset <= buffer->bytes && bytes <= buffer->bytes - offset ? buffer->data + offset : NULL;
}

static cl_mem create_sub_buffer(cl_mem parent, cl_mem_flags flags, cl_buffer_create_type type, const void *info,
                                cl_int *status) {
    const cl_buffer_region *region = info;
    char *data = bytes_of(parent, region->origin, region->size);
    if (!data) return refuse(status, CL_INVALID_VALUE);
    struct object *view = create(parent, 0, status);
    if (!view) return NULL;
    view->data = data;
    view->bytes = region->size;
    return (cl_mem)view;
}

static cl_int get_memory_info(cl_mem of, cl_mem_info what, size_t room, void *out, size_t *needed) {
    struct object *buffer = (struct object *)of;
    switch (what) {
    case CL_MEM_TYPE:
        return ANSWER(cl_mem_object_type, CL_MEM_OBJECT_BUFFER);
    case CL_MEM_FLAGS:
        return ANSWER(cl_mem_flags, CL_MEM_READ_WRITE);
    case CL_MEM_SIZE:
        return ANSWER(size_t, buffer->bytes);
    case CL_MEM_REFERENCE_COUNT:
        return ANSWER(cl_uint, buffer->references);
    case CL_MEM_CONTEXT:
        return ANSWER(cl_context, context_of(of));
    }
    return CL_INVALID_VALUE;
}

/* ---- commands: each is complete when its function returns ------------------------------------------------------- */

static cl_int complete(cl_command_queue queue, cl_event *event) {
    cl_int status = CL_SUCCESS;
    if (event) *event = create(queue, 0, &status);
    return status;
}

static cl_int copy(cl_command_queue queue, void *to, const void *from, size_t bytes, cl_event *event) {
    if (!to || !from) return CL_INVALID_VALUE;
    memmove(to, from, bytes);
    return complete(queue, event);
}

static cl_int enqueue_read(cl_command_queue queue, cl_mem from, cl_bool wait, size_t offset, size_t bytes, void *to,
                           cl_uint count, const cl_event *after, cl_event *event) {
    return copy(queue, to, bytes_of(from, offset, bytes), bytes, event);
}

static cl_int enqueue_write(cl_command_queue queue, cl_mem to, cl_bool wait, size_t offset, size_t bytes,
                            const void *from, cl_uint count, const cl_event *after, cl_event *event) {
    return copy(queue, bytes_of(to, offset, bytes), from, bytes, event);
}

static cl_int enqueue_copy(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset,
                           size_t bytes, cl_uint count, const cl_event *after, cl_event *event) {
    return copy(queue, bytes_of(to, to_offset, bytes), bytes_of(from, from_offset, bytes), bytes, event);
}

static cl_int enqueue_fill(cl_command_queue queue, cl_mem to, const void *pattern, size_t size, size_t offset,
                           size_t bytes, cl_uint count, const cl_event *after, cl_event *event) {
    char *data = bytes_of(to, offset, bytes);
    if (!data || size == 0 || bytes % size != 0) return CL_INVALID_VALUE;
    for (size_t i = 0; i < bytes; i += size) memcpy(data + i, pattern, size);
    return complete(queue, event);
}

static cl_int enqueue_kernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                             const size_t *global, const size_t *local, cl_uint count, const cl_event *after,
                             cl_event *event) {
    return complete(queue, event);
}

static cl_int wait_for_events(cl_uint count, const cl_event *events) {
    return CL_SUCCESS;
}

static cl_int get_event_info(cl_event of, cl_event_info what, size_t room, void *out, size_t *needed) {
    switch (what) {
    case CL_EVENT_COMMAND_EXECUTION_STATUS:
        return ANSWER(cl_int, CL_COMPLETE);
    case CL_EVENT_REFERENCE_COUNT:
        return ANSWER(cl_uint, ((struct object *)of)->references);
    }
    return CL_INVALID_VALUE;
}

static cl_int get_profiling_info(cl_event of, cl_profiling_info what, size_t room, void *out, size_t *needed) {
    return ANSWER(cl_ulong, 0);
}

/* ---- the loader's interface (cl_khr_icd) ------------------------------------------------------------------------ */

#define EXPORTED __attribute__((visibility("default")))

const cl_icd_dispatch fake_dispatch = {
    .clGetPlatformIDs = get_platform_ids,
    .clGetPlatformInfo = get_platform_info,
    .clGetDeviceIDs = get_device_ids,
    .clGetDeviceInfo = get_device_info,
    .clRetainDevice = retain_device,
    .clReleaseDevice = retain_device,
    .clCreateContext = create_context,
    .clCreateContextFromType = create_context_from_type,
    .clRetainContext = retain_context,
    .clReleaseContext = release_context,
    .clGetContextInfo = get_context_info,
    .clCreateCommandQueue = create_queue,
    .clRetainCommandQueue = retain_queue,
    .clReleaseCommandQueue = release_queue,
    .clGetCommandQueueInfo = get_queue_info,
    .clFlush = finish,
    .clFinish = finish,
    .clCreateProgramWithSource = create_program,
    .clCreateProgramWithBinary = create_program_with_binary,
    .clRetainProgram = retain_program,
    .clReleaseProgram = release_program,
    .clBuildProgram = build_program,
    .clGetProgramInfo = get_program_info,
    .clGetProgramBuildInfo = get_build_info,
    .clCreateKernel = create_kernel,
    .clRetainKernel = retain_kernel,
    .clReleaseKernel = release_kernel,
    .clGetKernelArgInfo = get_arg_info,
    .clGetKernelInfo = get_kernel_info,
    .clGetKernelWorkGroupInfo = get_work_group_info,
    .clSetKernelArg = set_kernel_arg,
    .clCreateBuffer = create_buffer,
    .clCreateSubBuffer = create_sub_buffer,
    .clRetainMemObject = retain_memory,
    .clReleaseMemObject = release_memory,
    .clGetMemObjectInfo = get_memory_info,
    .clEnqueueReadBuffer = enqueue_read,
    .clEnqueueWriteBuffer = enqueue_write,
    .clEnqueueCopyBuffer = enqueue_copy,
    .clEnqueueFillBuffer = enqueue_fill,
    .clEnqueueNDRangeKernel = enqueue_kernel,
    .clWaitForEvents = wait_for_events,
    .clRetainEvent = retain_event,
    .clReleaseEvent = release_event,
    .clGetEventInfo = get_event_info,
    .clGetEventProfilingInfo = get_profiling_info,
};

EXPORTED cl_int clIcdGetPlatformIDsKHR(cl_uint room, cl_platform_id *out, cl_uint *count) {
    return get_platform_ids(room, out, count);
}

EXPORTED void *clGetExtensionFunctionAddress(const char *name) {
    union {
        cl_int (*get_ids)(cl_uint, cl_platform_id *, cl_uint *);
        cl_int (*get_info)(cl_platform_id, cl_platform_info, size_t, void *, size_t *);
        void *address;
    } function = {.address = NULL};
    if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0) function.get_ids = get_platform_ids;
    if (strcmp(name, "clGetPlatformInfo") == 0) function.get_info = get_platform_info;
    return function.address;
}
