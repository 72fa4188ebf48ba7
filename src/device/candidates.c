/* The devices of the machine, as OpenCL lists them.
 *
 * Listing loads every installed implementation, and a broken one may end the process meanwhile (PoCL 6 does without
 * /sys). So the first listing of a set of implementations is a trial. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/trial.h"

static void text_of(cl_device_id id, cl_device_info what, char *out, size_t size) {
    char buffer[1024] = "";
    clGetDeviceInfo(id, what, sizeof buffer - 1, buffer, NULL);
    const char *start = buffer;
    while (isspace((unsigned char)*start)) ++start;
    snprintf(out, size, "%.*s", (int)size - 1, start);
    paced_text_clean(out);
}

/* The memory of a CPU is the host's. Half of what the process may use is left to the rest of it: images, compilers. */
static void limit_to_process(struct paced_device_info *info) {
    uint64_t group = paced_group_memory(""), space = paced_address_space();
    uint64_t limit = group && (!space || group < space) ? group : space, half = limit / 2;
    if (info->kind != PACED_CPU || !limit || half >= info->global_bytes) return;
    info->process_bytes = limit;
    info->global_bytes = half;
    if (info->max_alloc_bytes > half) info->max_alloc_bytes = half;
}

static void describe(cl_platform_id platform, cl_device_id id, struct paced_device_info *info) {
    memset(info, 0, sizeof *info);
    char buffer[1024] = "";
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof buffer - 1, buffer, NULL);
    snprintf(info->platform, sizeof info->platform, "%.*s", (int)sizeof info->platform - 1, buffer);
    paced_text_clean(info->platform);
    text_of(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    text_of(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    text_of(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    text_of(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    cl_device_type type = 0;
    cl_uint align_bits = 0;
    size_t sides[8] = {0}; /* maximum work-items of a group along each dimension */
    info->max_work_group = 1;
#define GET(what, out) clGetDeviceInfo(id, CL_DEVICE_##what, sizeof(out), &(out), NULL)
    GET(TYPE, type);
    GET(MAX_COMPUTE_UNITS, info->compute_units);
    GET(MAX_CLOCK_FREQUENCY, info->clock_mhz);
    GET(NATIVE_VECTOR_WIDTH_FLOAT, info->float_width);
    GET(MEM_BASE_ADDR_ALIGN, align_bits);
    GET(GLOBAL_MEM_SIZE, info->global_bytes);
    GET(MAX_MEM_ALLOC_SIZE, info->max_alloc_bytes);
    GET(LOCAL_MEM_SIZE, info->local_bytes);
    GET(MAX_WORK_GROUP_SIZE, info->max_work_group);
    GET(MAX_WORK_ITEM_SIZES, sides);
#undef GET
    for (int i = 0; i < 2; ++i)
        if (sides[i] > 0 && sides[i] < info->max_work_group) info->max_work_group = sides[i];
    info->kind = type & CL_DEVICE_TYPE_GPU ? PACED_GPU : type & CL_DEVICE_TYPE_CPU ? PACED_CPU : PACED_ACCELERATOR;
    info->variant = info->kind == PACED_CPU ? PACED_VARIANT_CPU : PACED_VARIANT_GPU;
    info->align_bytes = align_bits / 8 > 128 ? align_bits / 8 : 128;
    /* Some drivers report no memory at all. */
    if (!info->global_bytes) info->global_bytes = PACED_MEMORY_UNKNOWN;
    if (!info->max_alloc_bytes) info->max_alloc_bytes = PACED_MEMORY_UNKNOWN;
    limit_to_process(info);
}

/* A fault that the driver itself reports, or NULL. */
static const char *reported_fault(cl_device_id id) {
    static const struct {
        cl_device_info what;
        const char *fault;
    } needs[] = {{CL_DEVICE_AVAILABLE, "its driver reports it as unavailable"},
                 {CL_DEVICE_COMPILER_AVAILABLE, "it has no compiler"},
                 {CL_DEVICE_ENDIAN_LITTLE, "it is big-endian"}};
    for (size_t i = 0; i < PACED_COUNT(needs); ++i) {
        cl_bool answer = CL_FALSE;
        clGetDeviceInfo(id, needs[i].what, sizeof answer, &answer, NULL);
        if (!answer) return needs[i].fault;
    }
    return NULL;
}

/* ---- listing ------------------------------------------------------------------------------------------------- */

/* The dependencies of a listing (the installed implementations, and /sys), as a device under which to cache verdicts.
 */
static struct paced_device_info installation(void) {
    struct paced_device_info info = {.name = "all devices"};
    struct paced_icd_files files;
    paced_icd_files_find(&files);
    uint64_t hash = paced_path_is_dir("/sys/devices") ? PACED_HASH_START : 0;
    for (size_t i = 0; i < files.count; ++i) {
        hash = paced_hash(hash, files.items[i].path, strlen(files.items[i].path) + 1);
        hash = paced_hash(hash, files.items[i].driver, strlen(files.items[i].driver) + 1);
    }
    snprintf(info.driver, sizeof info.driver, "%016llx", (unsigned long long)hash);
    paced_icd_files_finish(&files);
    return info;
}

static enum paced_err check_listing(void) {
    struct paced_device_info info = installation();
    char *verdict;
    PACED_TRY(trial_verdict(&info, TRIAL_LISTING, &verdict));
    bool passed = !verdict || strcmp(verdict, VERDICT_PASSED) == 0;
    enum paced_err err = PACED_OK;
    if (!passed)
        err = paced_error(PACED_NO_DEVICE,
                          "the devices of this machine cannot be listed: an OpenCL implementation fails (%s); `paced "
                          "doctor` shows which one",
                          verdict);
    free(verdict);
    return err;
}

/* ---- finding ------------------------------------------------------------------------------------------------- */

static void add(struct candidates *found, cl_platform_id platform, cl_device_id id, unsigned p, unsigned d) {
    found->items = paced_grow(found->items, found->count + 1, sizeof *found->items);
    struct candidate *c = &found->items[found->count++];
    *c = (struct candidate){.platform = platform, .id = id};
    c->fault = paced_strdup(reported_fault(id));
    describe(platform, id, &c->info);
    snprintf(c->info.id, sizeof c->info.id, "%u:%u", p, d);
}

static void find(struct candidates *found) {
    cl_uint platform_count = 0;
    /* Without an implementation the ICD loader returns an error, not zero; both mean none. */
    if (clGetPlatformIDs(0, NULL, &platform_count) != CL_SUCCESS || platform_count == 0) return;
    cl_platform_id *platforms = paced_alloc(platform_count, sizeof *platforms);
    clGetPlatformIDs(platform_count, platforms, NULL);
    for (cl_uint p = 0; p < platform_count; ++p) {
        cl_uint device_count = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 0, NULL, &device_count) != CL_SUCCESS) continue;
        cl_device_id *ids = paced_alloc(device_count, sizeof *ids);
        clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, device_count, ids, NULL);
        for (cl_uint d = 0; d < device_count; ++d) add(found, platforms[p], ids[d], p, d);
        free(ids);
    }
    free(platforms);
}

void candidates_finish(struct candidates *candidates) {
    for (size_t i = 0; i < candidates->count; ++i) free(candidates->items[i].fault);
    free(candidates->items);
    free(candidates->why);
    *candidates = (struct candidates){0};
}

/* Gives all devices the variant of the kernels that PACED_VARIANT names. */
static enum paced_err choose_variant(struct candidates *found) {
    const char *asked = getenv("PACED_VARIANT");
    if (!asked || !*asked) return PACED_OK;
    if (strcmp(asked, "cpu") != 0 && strcmp(asked, "gpu") != 0)
        return paced_error(PACED_INVALID, "PACED_VARIANT=%s: must be cpu or gpu; unset it for the device's own", asked);
    for (size_t i = 0; i < found->count; ++i)
        found->items[i].info.variant = strcmp(asked, "cpu") == 0 ? PACED_VARIANT_CPU : PACED_VARIANT_GPU;
    return PACED_OK;
}

enum paced_err candidates_find(struct candidates *found, int threads, bool untried) {
    *found = (struct candidates){0};
    opencl_prepare_environment(threads);
    products_allow_tiles();
    if (!untried) PACED_TRY(check_listing());
    find(found);
    enum paced_err err = choose_variant(found);
    if (err) candidates_finish(found);
    return err;
}
