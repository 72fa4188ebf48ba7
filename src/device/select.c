/* Which devices there are, and which one to take. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "src/device/opencl.h"

static void text_of(cl_device_id id, cl_device_info what, char *out, size_t size) {
    char buffer[1024] = "";
    clGetDeviceInfo(id, what, sizeof buffer - 1, buffer, NULL);
    const char *start = buffer;
    while (isspace((unsigned char)*start)) ++start;
    snprintf(out, size, "%.*s", (int)size - 1, start);
}

static void describe(cl_platform_id platform, cl_device_id id, struct paced_device_info *info) {
    memset(info, 0, sizeof *info);
    char buffer[1024] = "";
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof buffer - 1, buffer, NULL);
    snprintf(info->platform, sizeof info->platform, "%.*s", (int)sizeof info->platform - 1, buffer);
    text_of(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    text_of(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    text_of(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    text_of(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    cl_device_type type = 0;
    cl_uint units = 0, clock = 0, width = 0, align_bits = 0;
    cl_ulong global = 0, alloc = 0, local = 0;
    size_t group = 1, sides[8] = {0}; /* of a group: in all, and along each dimension */
    clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, sizeof clock, &clock, NULL);
    clGetDeviceInfo(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align_bits, &align_bits, NULL);
    clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof global, &global, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof alloc, &alloc, NULL);
    clGetDeviceInfo(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof group, &group, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sides, sides, NULL);
    for (int i = 0; i < 2; ++i)
        if (sides[i] > 0 && sides[i] < group) group = sides[i];
    info->kind = type & CL_DEVICE_TYPE_GPU ? PACED_GPU : type & CL_DEVICE_TYPE_CPU ? PACED_CPU : PACED_ACCELERATOR;
    info->variant = info->kind == PACED_CPU ? PACED_VARIANT_CPU : PACED_VARIANT_GPU;
    info->compute_units = units;
    info->clock_mhz = clock;
    info->float_width = width;
    info->align_bytes = align_bits / 8 > 128 ? align_bits / 8 : 128;
    info->global_bytes = global;
    info->max_alloc_bytes = alloc;
    info->local_bytes = local;
    info->max_work_group = group;
}

bool device_is_pocl(const struct paced_device_info *info) {
    return strstr(info->platform, "Portable Computing Language") != NULL;
}

static bool is_usable(cl_device_id id) {
    cl_bool available = CL_FALSE, compiler = CL_FALSE, little = CL_FALSE;
    clGetDeviceInfo(id, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL);
    clGetDeviceInfo(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler, NULL);
    clGetDeviceInfo(id, CL_DEVICE_ENDIAN_LITTLE, sizeof little, &little, NULL);
    return available && compiler && little;
}

enum paced_err candidates_find(struct candidate **found, size_t *count) {
    *found = NULL;
    *count = 0;
    cl_uint platform_count = 0;
    /* The ICD loader answers with an error, not with zero, where no implementation is installed: both mean none. */
    if (clGetPlatformIDs(0, NULL, &platform_count) != CL_SUCCESS || platform_count == 0) return PACED_OK;
    cl_platform_id *platforms = paced_alloc(platform_count, sizeof *platforms);
    clGetPlatformIDs(platform_count, platforms, NULL);
    for (cl_uint p = 0; p < platform_count; ++p) {
        cl_uint device_count = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 0, NULL, &device_count) != CL_SUCCESS) continue;
        cl_device_id *ids = paced_alloc(device_count, sizeof *ids);
        clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, device_count, ids, NULL);
        for (cl_uint d = 0; d < device_count; ++d) {
            *found = paced_grow(*found, *count + 1, sizeof **found);
            struct candidate *c = &(*found)[(*count)++];
            *c = (struct candidate){.platform = platforms[p],
                                    .id = ids[d],
                                    .platform_index = (int)p,
                                    .device_index = (int)d,
                                    .usable = is_usable(ids[d])};
            describe(platforms[p], ids[d], &c->info);
        }
        free(ids);
    }
    free(platforms);
    return PACED_OK;
}

static bool contains(const char *text, const char *part) {
    size_t n = strlen(part);
    for (; *text; ++text)
        if (strncasecmp(text, part, n) == 0) return true;
    return n == 0;
}

static int first_of_kind(const struct candidate *candidates, size_t count, enum paced_device_kind kind) {
    for (size_t i = 0; i < count; ++i)
        if (candidates[i].usable && candidates[i].info.kind == kind) return (int)i;
    return -1;
}

static int choose_auto(const struct candidate *candidates, size_t count, const char **why) {
    static const struct {
        enum paced_device_kind kind;
        const char *why;
    } order[] = {{PACED_GPU, "auto takes the first usable GPU"},
                 {PACED_ACCELERATOR, "auto: no usable GPU, so the first accelerator"},
                 {PACED_CPU, "auto: no usable GPU or accelerator, so the CPU"}};
    for (size_t k = 0; k < PACED_COUNT(order); ++k) {
        int found = first_of_kind(candidates, count, order[k].kind);
        *why = order[k].why;
        if (found >= 0) return found;
    }
    *why = count ? "none is usable" : "no OpenCL platform is installed, or PoCL cannot write its cache, POCL_CACHE_DIR";
    return -1;
}

static int choose_by_number(const struct candidate *candidates, size_t count, int platform, int device,
                            const char **why) {
    for (size_t i = 0; i < count; ++i) {
        if (candidates[i].platform_index != platform || candidates[i].device_index != device) continue;
        *why = candidates[i].usable ? "named by number" : "that device is not usable";
        return candidates[i].usable ? (int)i : -1;
    }
    *why = "there is no device of that number";
    return -1;
}

static int choose_by_name(const struct candidate *candidates, size_t count, const char *part, const char **why) {
    for (size_t i = 0; i < count; ++i) {
        const struct paced_device_info *info = &candidates[i].info;
        if (!candidates[i].usable || !(contains(info->name, part) || contains(info->platform, part))) continue;
        *why = "named by a part of its name";
        return (int)i;
    }
    *why = "no usable device's or platform's name contains that";
    return -1;
}

const char *candidates_asked_for(const char *select) {
    const char *environment = getenv("PACED_DEVICE");
    return strcmp(select, "auto") == 0 && environment && *environment ? environment : select;
}

int candidates_choose(const struct candidate *candidates, size_t count, const char *select, const char **why) {
    if (strcmp(select, "auto") == 0) return choose_auto(candidates, count, why);
    if (strcmp(select, "cpu") == 0 || strcmp(select, "gpu") == 0) {
        *why = strcmp(select, "cpu") == 0 ? "the first CPU" : "the first GPU";
        int found = first_of_kind(candidates, count, strcmp(select, "cpu") == 0 ? PACED_CPU : PACED_GPU);
        if (found < 0) *why = strcmp(select, "cpu") == 0 ? "no CPU device" : "no GPU device";
        return found;
    }
    int platform, device, end = 0;
    if (sscanf(select, "%d:%d%n", &platform, &device, &end) == 2 && select[end] == '\0')
        return choose_by_number(candidates, count, platform, device, why);
    return choose_by_name(candidates, count, select, why);
}

/* ---- paced devices ------------------------------------------------------------------------------------------- */

static const char *kind_name(enum paced_device_kind kind) {
    return kind == PACED_GPU ? "gpu" : kind == PACED_CPU ? "cpu" : "accelerator";
}

static void list_text(FILE *out, const struct candidate *candidates, size_t count, int chosen, const char *why) {
    for (size_t i = 0; i < count; ++i) {
        const struct candidate *c = &candidates[i];
        const struct paced_device_info *info = &c->info;
        fprintf(out, "%c %d:%d  %s  [%s]%s\n", (int)i == chosen ? '*' : ' ', c->platform_index, c->device_index,
                info->name, kind_name(info->kind),
                c->usable ? "" : "  not usable (unavailable, or without a compiler)");
        fprintf(out, "       platform %s, %s, driver %s\n", info->platform, info->version, info->driver);
        fprintf(out, "       %u compute %s at %u MHz, float vectors of %u, work-groups up to %zu\n",
                info->compute_units, paced_plural(info->compute_units, "unit", "units"), info->clock_mhz,
                info->float_width, info->max_work_group);
        fprintf(out,
                "       memory %.0f MiB, one buffer up to %.0f MiB, local %.0f KiB, sub-buffers aligned to %zu bytes\n",
                (double)info->global_bytes / 1048576, (double)info->max_alloc_bytes / 1048576,
                (double)info->local_bytes / 1024, info->align_bytes);
    }
    if (chosen >= 0) fprintf(out, "* is taken: %s.\n", why);
}

static json_t *json_of(const struct candidate *c, bool chosen, const char *why) {
    const struct paced_device_info *info = &c->info;
    json_t *device = json_object();
    json_object_set_new(device, "id", json_sprintf("%d:%d", c->platform_index, c->device_index));
    json_object_set_new(device, "name", json_string(info->name));
    json_object_set_new(device, "platform", json_string(info->platform));
    json_object_set_new(device, "vendor", json_string(info->vendor));
    json_object_set_new(device, "kind", json_string(kind_name(info->kind)));
    json_object_set_new(device, "version", json_string(info->version));
    json_object_set_new(device, "driver", json_string(info->driver));
    json_object_set_new(device, "compute_units", json_integer(info->compute_units));
    json_object_set_new(device, "clock_mhz", json_integer(info->clock_mhz));
    json_object_set_new(device, "float_width", json_integer(info->float_width));
    json_object_set_new(device, "max_work_group", json_integer((json_int_t)info->max_work_group));
    json_object_set_new(device, "global_bytes", json_integer((json_int_t)info->global_bytes));
    json_object_set_new(device, "max_alloc_bytes", json_integer((json_int_t)info->max_alloc_bytes));
    json_object_set_new(device, "local_bytes", json_integer((json_int_t)info->local_bytes));
    json_object_set_new(device, "align_bytes", json_integer((json_int_t)info->align_bytes));
    json_object_set_new(device, "usable", json_boolean(c->usable));
    json_object_set_new(device, "selected", json_boolean(chosen));
    if (chosen) json_object_set_new(device, "why", json_string(why));
    return device;
}

enum paced_err paced_device_list(FILE *out, const char *select, bool json) {
    struct candidate *candidates;
    size_t count;
    PACED_TRY(candidates_find(&candidates, &count));
    const char *why;
    int chosen = candidates_choose(candidates, count, candidates_asked_for(select), &why);
    if (json) {
        json_t *array = json_array();
        for (size_t i = 0; i < count; ++i) json_array_append_new(array, json_of(&candidates[i], (int)i == chosen, why));
        json_dumpf(array, out, JSON_INDENT(2));
        fputc('\n', out);
        json_decref(array);
    } else {
        list_text(out, candidates, count, chosen, why);
    }
    free(candidates);
    if (chosen >= 0) return PACED_OK;
    return paced_error(PACED_NO_DEVICE,
                       "no usable OpenCL device (%s); the Debian package pocl-opencl-icd makes the CPU one", why);
}
