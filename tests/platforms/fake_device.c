/* The fake platform and its device: their lists and properties. */
#include <stdio.h>
#include <stdlib.h>

#include "fake_icd.h"

static struct _cl_platform_id platform = {&fake_dispatch};
struct _cl_device_id fake_device = {&fake_dispatch};

bool fails_by(const char *failure) {
    const char *chosen = getenv("FAKE_ICD");
    return chosen && strcmp(chosen, failure) == 0;
}

cl_int answer(const void *value, size_t bytes, size_t room, void *out, size_t *needed) {
    if (needed) *needed = bytes;
    if (!out) return CL_SUCCESS;
    if (room < bytes) return CL_INVALID_VALUE;
    memcpy(out, value, bytes);
    return CL_SUCCESS;
}

cl_int get_platform_info(cl_platform_id of, cl_platform_info what, size_t room, void *out, size_t *needed) {
    switch (what) {
    case CL_PLATFORM_PROFILE:
        return ANSWER_TEXT("FULL_PROFILE");
    case CL_PLATFORM_VERSION:
        return ANSWER_TEXT("OpenCL 1.2 fake");
    case CL_PLATFORM_NAME:
        return ANSWER_TEXT("Fake OpenCL");
    case CL_PLATFORM_VENDOR:
        return ANSWER_TEXT("Fake vendor");
    case CL_PLATFORM_EXTENSIONS:
        return ANSWER_TEXT("cl_khr_icd");
    case CL_PLATFORM_ICD_SUFFIX_KHR:
        return ANSWER_TEXT("FAKE");
    }
    return CL_INVALID_VALUE;
}

cl_int get_platform_ids(cl_uint room, cl_platform_id *out, cl_uint *count) {
    static const char *const failures[] = {"exit",  "success", "noise", "abort",   "segv", "hang",
                                           "error", "wrong",   "zero",  "context", "list"};
    bool known = false;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; ++i) known |= fails_by(failures[i]);
    if (count) *count = known;
    if (!known) return CL_PLATFORM_NOT_FOUND_KHR;
    if (out && room > 0) out[0] = &platform;
    return CL_SUCCESS;
}

cl_int get_device_ids(cl_platform_id of, cl_device_type type, cl_uint room, cl_device_id *out, cl_uint *count) {
    if (fails_by("list")) {
        fputs("fake driver: raw line\n", stderr);
        abort();
    }
    bool found = type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT);
    if (count) *count = found;
    if (!found) return CL_DEVICE_NOT_FOUND;
    if (out && room > 0) out[0] = &fake_device;
    return CL_SUCCESS;
}

static const struct limit {
    cl_device_info what;
    size_t bytes; /* of the type: 4 or 8 */
    cl_ulong value;
} limits[] = {
    {CL_DEVICE_TYPE, sizeof(cl_device_type), CL_DEVICE_TYPE_GPU},
    {CL_DEVICE_VENDOR_ID, sizeof(cl_uint), 0},
    {CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), 4},
    {CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, sizeof(cl_uint), 3},
    {CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t), 256},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_CHAR, sizeof(cl_uint), 1},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_SHORT, sizeof(cl_uint), 1},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_INT, sizeof(cl_uint), 1},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_LONG, sizeof(cl_uint), 1},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, sizeof(cl_uint), 1},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE, sizeof(cl_uint), 0},
    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF, sizeof(cl_uint), 0},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_CHAR, sizeof(cl_uint), 1},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_SHORT, sizeof(cl_uint), 1},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_INT, sizeof(cl_uint), 1},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_LONG, sizeof(cl_uint), 1},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(cl_uint), 1},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE, sizeof(cl_uint), 0},
    {CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF, sizeof(cl_uint), 0},
    {CL_DEVICE_MAX_CLOCK_FREQUENCY, sizeof(cl_uint), 1000},
    {CL_DEVICE_ADDRESS_BITS, sizeof(cl_uint), 64},
    {CL_DEVICE_IMAGE_SUPPORT, sizeof(cl_bool), CL_FALSE},
    {CL_DEVICE_MAX_PARAMETER_SIZE, sizeof(size_t), 4096},
    {CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof(cl_uint), 1024},
    {CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE, sizeof(cl_uint), 128},
    {CL_DEVICE_SINGLE_FP_CONFIG, sizeof(cl_device_fp_config), CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN | CL_FP_FMA},
    {CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(cl_device_fp_config), 0},
    {CL_DEVICE_GLOBAL_MEM_CACHE_TYPE, sizeof(cl_device_mem_cache_type), CL_READ_WRITE_CACHE},
    {CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, sizeof(cl_uint), 64},
    {CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof(cl_ulong), 1 << 20},
    {CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong), 4ull << 30},
    {CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(cl_ulong), 1ull << 30},
    {CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, sizeof(cl_ulong), 65536},
    {CL_DEVICE_MAX_CONSTANT_ARGS, sizeof(cl_uint), 8},
    {CL_DEVICE_LOCAL_MEM_TYPE, sizeof(cl_device_local_mem_type), CL_LOCAL},
    {CL_DEVICE_LOCAL_MEM_SIZE, sizeof(cl_ulong), 65536},
    {CL_DEVICE_ERROR_CORRECTION_SUPPORT, sizeof(cl_bool), CL_FALSE},
    {CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof(cl_bool), CL_TRUE},
    {CL_DEVICE_PROFILING_TIMER_RESOLUTION, sizeof(size_t), 1},
    {CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool), CL_TRUE},
    {CL_DEVICE_AVAILABLE, sizeof(cl_bool), CL_TRUE},
    {CL_DEVICE_COMPILER_AVAILABLE, sizeof(cl_bool), CL_TRUE},
    {CL_DEVICE_LINKER_AVAILABLE, sizeof(cl_bool), CL_FALSE},
    {CL_DEVICE_EXECUTION_CAPABILITIES, sizeof(cl_device_exec_capabilities), CL_EXEC_KERNEL},
    {CL_DEVICE_QUEUE_PROPERTIES, sizeof(cl_command_queue_properties), CL_QUEUE_PROFILING_ENABLE},
    {CL_DEVICE_PARTITION_MAX_SUB_DEVICES, sizeof(cl_uint), 1},
    {CL_DEVICE_PARTITION_AFFINITY_DOMAIN, sizeof(cl_device_affinity_domain), 0},
    {CL_DEVICE_REFERENCE_COUNT, sizeof(cl_uint), 1},
    {CL_DEVICE_PREFERRED_INTEROP_USER_SYNC, sizeof(cl_bool), CL_TRUE},
    {CL_DEVICE_PRINTF_BUFFER_SIZE, sizeof(size_t), 1 << 20},
};

static cl_int get_device_limit(cl_device_info what, size_t room, void *out, size_t *needed) {
    bool memory = what == CL_DEVICE_GLOBAL_MEM_SIZE || what == CL_DEVICE_MAX_MEM_ALLOC_SIZE;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
        if (limits[i].what != what) continue;
        cl_ulong value = memory && fails_by("zero") ? 0 : limits[i].value;
        return limits[i].bytes == sizeof(cl_uint) ? ANSWER(cl_uint, (cl_uint)value) : ANSWER(cl_ulong, value);
    }
    return CL_INVALID_VALUE;
}

cl_int get_device_info(cl_device_id of, cl_device_info what, size_t room, void *out, size_t *needed) {
    char driver[32];
    switch (what) {
    case CL_DEVICE_NAME:
        return ANSWER_TEXT("fake GPU");
    case CL_DEVICE_VENDOR:
        return ANSWER_TEXT("Fake vendor");
    case CL_DEVICE_VERSION:
        return ANSWER_TEXT("OpenCL 1.2 fake");
    case CL_DEVICE_OPENCL_C_VERSION:
        return ANSWER_TEXT("OpenCL C 1.2 fake");
    case CL_DRIVER_VERSION: /* verdicts on the failures differ, so the drivers must */
        snprintf(driver, sizeof driver, "fake-%s", getenv("FAKE_ICD"));
        return ANSWER_TEXT(driver);
    case CL_DEVICE_PROFILE:
        return ANSWER_TEXT("FULL_PROFILE");
    case CL_DEVICE_EXTENSIONS:
    case CL_DEVICE_BUILT_IN_KERNELS:
        return ANSWER_TEXT("");
    case CL_DEVICE_PLATFORM:
        return ANSWER(cl_platform_id, &platform);
    case CL_DEVICE_PARENT_DEVICE:
        return ANSWER(cl_device_id, NULL);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        return answer((size_t[]){256, 256, 256}, 3 * sizeof(size_t), room, out, needed);
    case CL_DEVICE_PARTITION_PROPERTIES:
    case CL_DEVICE_PARTITION_TYPE:
        return ANSWER(cl_device_partition_property, 0);
    }
    return get_device_limit(what, room, out, needed);
}
