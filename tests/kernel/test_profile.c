/* The profile's row of a product covers all kernels that CLBlast launches for it. This program counts them and their
 * times in its own clEnqueueNDRangeKernel, which takes the place of the OpenCL library's. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/opencl.h"
#include "tests/kernel/harness.h"

enum { MAX_KERNELS = 64 };
static cl_event launched[MAX_KERNELS];
static size_t launched_count;
static bool recording;

typedef cl_int enqueue(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,
                       const cl_event *, cl_event *);

CL_API_ENTRY cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                                       const size_t *offset, const size_t *global, const size_t *local,
                                                       cl_uint wait_count, const cl_event *wait, cl_event *event) {
    void *next = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
    enqueue *original;
    memcpy(&original, &next, sizeof original);
    cl_event own = NULL;
    cl_int status = original(queue, kernel, dims, offset, global, local, wait_count, wait, event ? event : &own);
    if (status != CL_SUCCESS) return status;
    if (recording && launched_count < MAX_KERNELS) {
        if (event) clRetainEvent(*event);
        launched[launched_count++] = event ? *event : own;
    } else if (own) {
        clReleaseEvent(own);
    }
    return status;
}

static double ms_of_kernels(void) {
    double sum = 0;
    for (size_t i = 0; i < launched_count; ++i) {
        cl_ulong start, end;
        assert_int_equal(clGetEventProfilingInfo(launched[i], CL_PROFILING_COMMAND_START, sizeof start, &start, NULL),
                         CL_SUCCESS);
        assert_int_equal(clGetEventProfilingInfo(launched[i], CL_PROFILING_COMMAND_END, sizeof end, &end, NULL),
                         CL_SUCCESS);
        sum += (double)(end - start) / 1e6;
        clReleaseEvent(launched[i]);
    }
    return sum;
}

static void profile_product(const char *setting, bool copies) {
    enum { M = 48, N = 80, K = 112 }; /* parts of the tiles of 64, so that operands are padded */
    bool passed;
    assert_ok(paced_gemm_use(harness_device, setting, &passed));
    if (!passed) skip();
    struct paced_buffer *a, *b, *c;
    assert_ok(paced_buffer_create(&a, harness_device, M * K * sizeof(float)));
    assert_ok(paced_buffer_create(&b, harness_device, K * N * sizeof(float)));
    assert_ok(paced_buffer_create(&c, harness_device, M * N * sizeof(float)));
    assert_ok(paced_buffer_zero(a, M * K * sizeof(float)));
    assert_ok(paced_buffer_zero(b, K * N * sizeof(float)));
    assert_ok(paced_device_profile_start(harness_device));
    launched_count = 0;
    recording = true;
    assert_ok(paced_gemm(harness_device, 1, M, N, K, a, b, 0, c));
    recording = false;
    struct paced_kernel_time *times;
    size_t count;
    assert_ok(paced_device_finish(harness_device));
    assert_ok(paced_device_profile_stop(harness_device, &times, &count));
    assert_int_equal(count, 1);
    assert_string_equal(times[0].name, "gemm");
    assert_int_equal(times[0].calls, 1);
    if (copies)
        assert_true(launched_count > 1);
    else
        assert_int_equal(launched_count, 1);
    assert_true(times[0].ms >= ms_of_kernels() * (1 - 1e-9)); /* a sum in another order */
    free(times);
    paced_buffer_destroy(a);
    paced_buffer_destroy(b);
    paced_buffer_destroy(c);
}

static void test_product(void **state) {
    (void)state;
    bool gpu = paced_device_info(harness_device)->variant == PACED_VARIANT_GPU;
    profile_product(gpu ? "local 64x64, groups of 8x8" : "tile 8x8, vectors of 4", gpu);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_product),
};
HARNESS_MAIN(tests)
