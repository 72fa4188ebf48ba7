/* The child's side of a trial: runs the step of a subject. */
#include <stdlib.h>
#include <string.h>

#include "src/device/gemm.h"
#include "src/device/trial.h"

/* Steps that run one small kernel. */
static const struct {
    const char *step;
    struct paced_kernel kernel;
} kernel_steps[] = {
    {TRIAL_KERNELS, {"trial.cl", "trial"}},
    {"half storage", {"trial_half.cl", "trial"}},
    {"half arithmetic", {"trial_half_arithmetic.cl", "trial"}},
    {TRIAL_BFLOAT16, {"trial_bfloat16.cl", "trial"}},
    {TRIAL_PAIRS, {"trial_products.cl", "trial", .products = PACED_PRODUCTS_PAIRS}},
    {TRIAL_TILES, {"trial_products.cl", "trial", .products = PACED_PRODUCTS_TILES}},
};

/* Integers whose results are exact in every format. */
enum { COUNT = 1 << 12, LARGEST = 40 };

static enum paced_err run_kernel(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                                 const float *values, float *results) {
    struct paced_buffer *x = NULL, *y = NULL;
    uint64_t bytes = COUNT * sizeof(float);
    enum paced_err err = paced_buffer_create(&x, device, bytes);
    if (!err) err = paced_buffer_create(&y, device, bytes);
    if (!err) err = paced_buffer_write(x, values, bytes);
    if (!err)
        err = PACED_LAUNCH(device, kernel, paced_range_items((uint64_t)(COUNT / vec)), vec, (unsigned)(COUNT / vec), x,
                           y);
    if (!err) err = paced_buffer_read(y, results, bytes);
    paced_buffer_destroy(y);
    paced_buffer_destroy(x);
    return err;
}

static int try_kernel(struct paced_device *device, const struct paced_kernel *kernel) {
    const int vec = paced_device_vector(device, 16);
    struct built_kernel *built;
    float values[COUNT], results[COUNT];
    for (int i = 0; i < COUNT; ++i) values[i] = (float)(i % (2 * LARGEST + 1) - LARGEST);
    if (program_kernel(device, kernel, vec, &built))
        return program_has_source(kernel->file) ? TRIAL_BUILD_FAILED : PACED_FAILED;
    enum paced_err err = run_kernel(device, kernel, vec, values, results);
    for (int i = 0; i < COUNT && !err; ++i)
        if (results[i] != (values[i] < 0 ? 0.0f : 3 * values[i] + 1)) return PACED_TRIAL_WRONG;
    return (int)err;
}

static int answer(struct paced_device *device, const char *step) {
    for (size_t i = 0; i < PACED_COUNT(kernel_steps); ++i)
        if (strcmp(step, kernel_steps[i].step) == 0) return try_kernel(device, &kernel_steps[i].kernel);
    return gemm_answer(device, step);
}

int paced_trial_answer(const char *subject, const char *step) {
    if (strcmp(step, "implementation") == 0) return icd_answer(subject);
    if (strcmp(step, TRIAL_LISTING) == 0) return list_answer();
    struct paced_device *device;
    const struct paced_device_options options = {.select = subject, .untried = true};
    enum paced_err err = paced_device_open(&device, &options);
    if (err) return (int)err;
    int status = answer(device, step);
    paced_device_close(device);
    return status;
}
