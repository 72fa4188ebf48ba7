/* Programs: kernels are built from source files at first use, with two caches, in memory and on disk.
 *
 * A program is the files below and one .cl file, concatenated here with #line marks (no include path, so no trouble
 * with blanks in paths), built for one vector width and storage. Binaries are cached in the user's cache directory
 * under a hash of source, options, device and driver; a binary that the driver refuses is rebuilt from source. */
#include <stdlib.h>
#include <string.h>

#include "src/device/opencl.h"

#define MAX_KERNELS 16
#define PREPENDED "parameters.h", "builtins.clh", "common.clh"

struct program {
    struct program *next;
    const char *file;
    const struct paced_define *defines;
    int vec;
    unsigned storage;
    enum paced_products products;
    cl_program built;
    struct built_kernel kernels[MAX_KERNELS];
    size_t kernel_count;
};

static char *find_source(const char *file) {
    const char *first = getenv("PACED_CL_DIR");
    char *path = first && *first ? paced_path_join(first, file) : NULL;
    if (path && paced_path_exists(path)) return path;
    free(path);
    char *name = paced_format("cl/%s", file);
    path = paced_shipped_path(name);
    free(name);
    return path;
}

static enum paced_err add_source(struct paced_text *text, const char *file);

/* Adds a file's lines. A line #include "FILE" adds that file instead. */
static enum paced_err add_lines(struct paced_text *text, const char *file, const char *line) {
    static const char include[] = "#include \"";
    paced_text_add(text, "#line 1 \"%s\"\n", file);
    for (int number = 1; *line; ++number) {
        size_t length = strcspn(line, "\n"), start = sizeof include - 1;
        if (length > start && strncmp(line, include, start) == 0) {
            char *name = paced_format("%.*s", (int)strcspn(line + start, "\""), line + start);
            enum paced_err err = add_source(text, name);
            free(name);
            if (err) return err;
            paced_text_add(text, "#line %d \"%s\"\n", number + 1, file);
        } else {
            paced_text_add(text, "%.*s\n", (int)length, line);
        }
        line += length + (line[length] != '\0');
    }
    return PACED_OK;
}

static enum paced_err add_source(struct paced_text *text, const char *file) {
    char *path = find_source(file);
    if (!path)
        return paced_error(PACED_FAILED, "kernel source %s: not found; set PACED_CL_DIR to paced's folder cl/", file);
    char *source;
    enum paced_err err = paced_file_read_text(path, 0, &source);
    if (!err) err = add_lines(text, file, source);
    free(source);
    free(path);
    return err;
}

bool program_has_source(const char *file) {
    char *path = find_source(file);
    free(path);
    return path != NULL;
}

uint64_t program_source_hash(const char *file) {
    const char *const files[] = {PREPENDED, file};
    uint64_t hash = PACED_HASH_START;
    for (size_t i = 0; i < PACED_COUNT(files); ++i) {
        char *path = find_source(files[i]), *text = NULL;
        if (path && paced_file_read_text(path, 0, &text) == PACED_OK) hash = paced_hash(hash, text, strlen(text) + 1);
        free(text);
        free(path);
    }
    return hash;
}

static void report_build_log(struct paced_device *device, cl_program program) {
    size_t size = 0;
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *log = paced_alloc(size + 1, 1);
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
    paced_log(PACED_LOG_DEBUG, "the compiler's log:\n%s", log);
    free(log);
}

/* ---- binaries on disk ---------------------------------------------------------------------------------------- */

static char *binary_path(const struct paced_device *device, const char *source, const char *options) {
    /* PoCL has its own cache of compiled work-groups, which is faster. */
    if (device_is_pocl(&device->info)) return NULL;
    char *dir = paced_cache_dir();
    if (!dir) return NULL;
    const struct paced_device_info *info = &device->info;
    const char *parts[] = {source, options, info->name, info->platform, info->version, info->driver};
    uint64_t hash = PACED_HASH_START;
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) hash = paced_hash(hash, parts[i], strlen(parts[i]) + 1);
    char *path = paced_format("%s/programs/%016llx.bin", dir, (unsigned long long)hash);
    free(dir);
    return path;
}

static cl_program load_binary(struct paced_device *device, const char *path, const char *options) {
    uint8_t *data;
    size_t size;
    if (!path || !paced_path_exists(path) || paced_file_read(path, 0, &data, &size) != PACED_OK) return NULL;
    const unsigned char *binary = data;
    cl_int status, loaded;
    cl_program program = clCreateProgramWithBinary(device->context, 1, &device->id, &size, &binary, &loaded, &status);
    free(data);
    if (status == CL_SUCCESS && clBuildProgram(program, 1, &device->id, options, NULL, NULL) == CL_SUCCESS)
        return program;
    if (program) clReleaseProgram(program);
    return NULL;
}

static void store_binary(cl_program program, const char *path) {
    size_t size = 0;
    if (!path || clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS || !size)
        return;
    unsigned char *binary = paced_alloc(size, 1);
    char *dir = paced_path_dir(path);
    /* A cache that cannot be written is reported and does not stop the run. */
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS &&
        paced_make_dirs(dir) == PACED_OK)
        paced_file_write(path, binary, size);
    free(dir);
    free(binary);
}

/* ---- building ------------------------------------------------------------------------------------------------ */

static cl_int try_source(struct paced_device *device, const char *source, const char *options, cl_program *out) {
    cl_int status;
    *out = clCreateProgramWithSource(device->context, 1, &source, NULL, &status);
    return status == CL_SUCCESS ? clBuildProgram(*out, 1, &device->id, options, NULL, NULL) : status;
}

/* Replaces the header of PoCL's compiler by builtins.clh. Where that fails, the header is read after all, except in
 * tests, which check arguments. */
static cl_int try_without_header(struct paced_device *device, const char *source, const char *options,
                                 cl_program *out) {
    char *more = paced_format("%s -D_OPENCL_H_ -DPACED_BUILTINS=1", options);
    cl_int status = try_source(device, source, more, out);
    free(more);
    if (status != CL_BUILD_PROGRAM_FAILURE || device->check_arguments) return status;
    report_build_log(device, *out);
    clReleaseProgram(*out);
    return try_source(device, source, options, out);
}

static enum paced_err build_source(struct paced_device *device, const char *file, const char *source,
                                   const char *options, cl_program *out) {
    cl_int status = device_is_pocl(&device->info) ? try_without_header(device, source, options, out)
                                                  : try_source(device, source, options, out);
    if (!*out) return opencl_error(device, "clCreateProgramWithSource", status);
    if (status == CL_SUCCESS) return PACED_OK;
    char *advice = opencl_crash_advice(&device->info);
    paced_error_at(PACED_FAILED, file,
                   "does not build on device %s: %s (%d); log.level = debug shows the compiler's log; %s",
                   device->info.name, opencl_error_name(status), status, advice);
    free(advice);
    report_build_log(device, *out);
    clReleaseProgram(*out);
    *out = NULL;
    return PACED_FAILED;
}

static enum paced_err build(struct paced_device *device, struct program *program) {
    struct paced_text source = {0};
    bool gpu = device->info.variant == PACED_VARIANT_GPU;
    struct paced_text options = {0};
    paced_text_add(&options, "-cl-std=CL1.2 -DVEC=%d%s%s%s%s", program->vec, gpu ? " -DPACED_GPU=1" : "",
                   device->check_arguments ? " -cl-kernel-arg-info" : "",
                   program->storage & PACED_STORAGE_IN ? " -DPACED_BFLOAT16_IN=1" : "",
                   program->storage & PACED_STORAGE_OUT ? " -DPACED_BFLOAT16_OUT=1" : "");
    if (program->products) paced_text_add(&options, " -DPACED_PRODUCTS=%d", program->products);
    for (const struct paced_define *d = program->defines; d && d->name; ++d)
        paced_text_add(&options, " -D%s=%d", d->name, d->value);
    char *path = NULL;
    const char *const files[] = {PREPENDED, program->file};
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < PACED_COUNT(files) && !err; ++i) err = add_source(&source, files[i]);
    if (err) goto out;
    path = binary_path(device, source.data, options.data);
    program->built = load_binary(device, path, options.data);
    if (program->built) goto out;
    if ((err = build_source(device, program->file, source.data, options.data, &program->built))) goto out;
    store_binary(program->built, path);
out:
    free(path);
    free(options.data);
    free(source.data);
    return err;
}

/* The program that is built already, or NULL. */
static struct program *find_program(const struct paced_device *device, const struct paced_kernel *kernel, int vec) {
    for (struct program *p = device->programs; p; p = p->next)
        if (p->vec == vec && p->storage == kernel->storage && p->products == kernel->products &&
            strcmp(p->file, kernel->file) == 0)
            return p;
    return NULL;
}

static enum paced_err add_program(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                                  struct program **out) {
    struct program *program = paced_alloc(1, sizeof *program);
    program->file = kernel->file;
    program->defines = kernel->defines;
    program->vec = vec;
    program->storage = kernel->storage;
    program->products = kernel->products;
    enum paced_err err = build(device, program);
    if (err) {
        free(program);
        return err;
    }
    program->next = device->programs;
    device->programs = program;
    *out = program;
    return PACED_OK;
}

static enum paced_err create_kernel(struct paced_device *device, const struct program *program, const char *name,
                                    struct built_kernel *out) {
    cl_int status;
    cl_kernel created = clCreateKernel(program->built, name, &status);
    if (status != CL_SUCCESS)
        return paced_error_at(PACED_FAILED, program->file, "kernel %s: clCreateKernel failed on device %s: %s", name,
                              device->info.name, opencl_error_name(status));
    *out = (struct built_kernel){.name = name, .kernel = created, .max_group = device->info.max_work_group};
    clGetKernelInfo(created, CL_KERNEL_NUM_ARGS, sizeof out->args, &out->args, NULL);
    clGetKernelWorkGroupInfo(created, device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof out->max_group, &out->max_group,
                             NULL);
    return PACED_OK;
}

static enum paced_err add_kernel(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                                 struct built_kernel **out) {
    struct program *program = find_program(device, kernel, vec);
    if (!program) PACED_TRY(add_program(device, kernel, vec, &program));
    if (program->kernel_count == MAX_KERNELS)
        return paced_error_at(PACED_FAILED, kernel->file, "more than %d kernels in one file; raise MAX_KERNELS",
                              MAX_KERNELS);
    struct built_kernel *built = &program->kernels[program->kernel_count];
    PACED_TRY(create_kernel(device, program, kernel->name, built));
    program->kernel_count += 1;
    *out = built;
    return PACED_OK;
}

enum paced_err program_kernel(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                              struct built_kernel **out) {
    struct program *program = find_program(device, kernel, vec);
    for (size_t i = 0; program && i < program->kernel_count; ++i)
        if (strcmp(program->kernels[i].name, kernel->name) == 0) {
            *out = &program->kernels[i];
            return PACED_OK;
        }
    if (paced_stop_asked()) return PACED_STOPPED;
    paced_log_activity(COMPILING);
    enum paced_err err = add_kernel(device, kernel, vec, out);
    paced_log_activity(NULL);
    return err;
}

void programs_release(struct paced_device *device) {
    while (device->programs) {
        struct program *program = device->programs;
        device->programs = program->next;
        for (size_t i = 0; i < program->kernel_count; ++i) clReleaseKernel(program->kernels[i].kernel);
        clReleaseProgram(program->built);
        free(program);
    }
}
