/* Launching a kernel: checks the number of arguments, and derives sizes from the device's limits. */
#include <string.h>

#include "src/device/opencl.h"

/* Work-items of one group. A CPU runs a group in one thread: enough items to amortise the start of a group, few enough
 * to balance the load. There are only these fixed sizes, because PoCL compiles a kernel for each size. */
enum { CPU_GROUP = 64, GPU_GROUP = 128 };

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

struct layout {
    cl_uint dims;
    size_t global[2], local[2];
};

/* Kernels with products of bfloat16 have inline assembly. In groups of more than two work-items PoCL 6.0 takes it for a
 * request for local memory and ends the process.
 * max_group: work-items that a group of the kernel may have; 0 would be a driver's mistake. */
static struct layout lay_out(const struct paced_device *device, const struct paced_kernel *kernel,
                             struct paced_range range, size_t max_group) {
    bool cpu = device->info.variant == PACED_VARIANT_CPU, single = range.coarse || kernel->products;
    size_t group = cpu ? single ? 1 : CPU_GROUP : GPU_GROUP;
    if (max_group > device->info.max_work_group) max_group = device->info.max_work_group;
    while (group > max_group && group > 1) group /= 2;
    size_t items = cpu && range.run > 1 ? (range.items + range.run - 1) / range.run : range.items;
    if (cpu || range.vectors == 0) return (struct layout){1, {round_up(items, group), 1}, {group, 1}};
    size_t across = 1;
    while (across < range.vectors && across < group) across *= 2;
    return (struct layout){
        2, {round_up(range.vectors, across), round_up(range.items, group / across)}, {across, group / across}};
}

struct paced_range paced_range_runs(const struct paced_device *device, uint64_t pixels, uint32_t vectors) {
    /* Vectors per work-item and work-items per core: enough to amortise the start of one and to keep all cores busy. */
    enum { VECTORS = 16, ITEMS = 4 };
    uint64_t run = VECTORS / (vectors ? vectors : 1), most = pixels / (ITEMS * device->info.compute_units);
    run = run < most ? run : most;
    struct paced_range range = paced_range_pixels(pixels, vectors);
    range.coarse = true;
    range.run = run > 1 ? (uint32_t)run : 1;
    return range;
}

static cl_int set_arg(cl_kernel kernel, cl_uint index, const struct paced_arg *arg) {
    switch (arg->kind) {
    case PACED_ARG_BUFFER:
        return clSetKernelArg(kernel, index, sizeof(cl_mem), arg->buffer ? &arg->buffer->memory : NULL);
    case PACED_ARG_INT:
        return clSetKernelArg(kernel, index, sizeof(cl_int), &arg->i);
    case PACED_ARG_UINT:
        return clSetKernelArg(kernel, index, sizeof(cl_uint), &arg->u);
    case PACED_ARG_FLOAT:
        return clSetKernelArg(kernel, index, sizeof(cl_float), &arg->f);
    case PACED_ARG_LOCAL:
        return clSetKernelArg(kernel, index, arg->local_bytes, NULL);
    case PACED_ARG_STRUCT:
        return clSetKernelArg(kernel, index, arg->structure.size, arg->structure.value);
    }
    return CL_INVALID_VALUE;
}

/* True, too, if the driver does not tell. */
static bool is_of_kind(cl_kernel kernel, cl_uint index, const struct paced_arg *arg) {
    static const char *const names[] = {
        [PACED_ARG_INT] = "int", [PACED_ARG_UINT] = "uint", [PACED_ARG_FLOAT] = "float"};
    cl_kernel_arg_address_qualifier space = 0;
    char type[64] = "";
    if (clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof space, &space, NULL) ||
        clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_TYPE_NAME, sizeof type, type, NULL))
        return true;
    if (arg->kind == PACED_ARG_LOCAL) return space == CL_KERNEL_ARG_ADDRESS_LOCAL;
    if (arg->kind == PACED_ARG_BUFFER)
        return space == CL_KERNEL_ARG_ADDRESS_GLOBAL &&
               (!arg->buffer || (arg->buffer->format == PACED_BFLOAT16) == (strcmp(type, "ushort*") == 0));
    const char *name = arg->kind == PACED_ARG_STRUCT ? arg->structure.type : names[arg->kind];
    const char *bare = strncmp(type, "struct ", 7) == 0 ? type + 7 : type;
    return space == CL_KERNEL_ARG_ADDRESS_PRIVATE && strcmp(bare, name) == 0;
}

static enum paced_err check_kinds(const struct paced_kernel *kernel, cl_kernel built, int count,
                                  const struct paced_arg *args) {
    for (int i = 0; i < count; ++i) {
        char name[64] = "", type[64] = "";
        if (is_of_kind(built, (cl_uint)i, &args[i])) continue;
        clGetKernelArgInfo(built, (cl_uint)i, CL_KERNEL_ARG_NAME, sizeof name, name, NULL);
        clGetKernelArgInfo(built, (cl_uint)i, CL_KERNEL_ARG_TYPE_NAME, sizeof type, type, NULL);
        return paced_error_at(PACED_FAILED, kernel->file,
                              "kernel %s: argument %d (%s %s) is given a value of another kind or format", kernel->name,
                              i, type, name);
    }
    return PACED_OK;
}

static enum paced_err launch_error(const struct paced_device *device, const struct paced_kernel *kernel,
                                   struct paced_range range, const char *what, cl_int status) {
    return paced_error_at(
        PACED_FAILED, kernel->file, "kernel %s: %s on device %s with %llu items of %u vectors: %s (%d)", kernel->name,
        what, device->info.name, (unsigned long long)range.items, range.vectors, opencl_error_name(status), status);
}

enum paced_err paced_launch(struct paced_device *device, const struct paced_kernel *kernel, struct paced_range range,
                            int vec, int arg_count, const struct paced_arg *args) {
    if (range.items == 0) return PACED_OK;
    if (range.items > UINT32_MAX)
        return launch_error(device, kernel, range, "too much work", CL_INVALID_GLOBAL_WORK_SIZE);
    struct built_kernel *built;
    PACED_TRY(program_kernel(device, kernel, vec, &built));
    if (built->args != (cl_uint)arg_count)
        return paced_error_at(PACED_FAILED, kernel->file, "kernel %s: takes %u arguments, launched with %d",
                              kernel->name, built->args, arg_count);
    if (device->check_arguments) PACED_TRY(check_kinds(kernel, built->kernel, arg_count, args));
    for (int i = 0; i < arg_count; ++i) {
        cl_int status = set_arg(built->kernel, (cl_uint)i, &args[i]);
        if (status != CL_SUCCESS) {
            char what[32];
            snprintf(what, sizeof what, "argument %d was refused", i);
            return launch_error(device, kernel, range, what, status);
        }
    }
    struct layout l = lay_out(device, kernel, range, built->max_group);
    if (!built->launched) {
        paced_log_activity(COMPILING);
        crash_watch_again();
    }
    cl_int status = clEnqueueNDRangeKernel(device->queue, built->kernel, l.dims, NULL, l.global, l.local, 0, NULL,
                                           profile_event(device, kernel->name, false));
    if (!built->launched) paced_log_activity(NULL);
    built->launched = true;
    if (status == CL_SUCCESS && device->sync) status = clFinish(device->queue);
    return status == CL_SUCCESS ? PACED_OK : launch_error(device, kernel, range, "the launch failed", status);
}
