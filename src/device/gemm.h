/* Private to the matrix products: the settings for CLBlast, and their self-test on this device. */
#ifndef PACED_DEVICE_GEMM_H
#define PACED_DEVICE_GEMM_H

#include "src/device/opencl.h"

/* The kernel that computes a setting's products: a single one, so that a few small products are a sufficient test. */
enum gemm_path {
    GEMM_TILED,  /* CLBlast's "Xgemm" with the tile below */
    GEMM_DIRECT, /* CLBlast's "XgemmDirect" with the parameters of the library's database */
    GEMM_PLAIN,  /* the plain loop of gemm.cl */
};

enum { GEMM_PARAMETERS = 16 };

struct gemm_setting {
    const char *name;
    enum gemm_path path;
    enum paced_variant variant;   /* of the devices that it applies to (plain loop: to all) */
    unsigned float_width;         /* minimum native vector width for an untuned choice */
    size_t tile[GEMM_PARAMETERS]; /* GEMM_TILED: "Xgemm"'s parameters in alphabetical order */
};

/* In the order of trial on an untuned device. */
extern const struct gemm_setting gemm_settings[];
extern const size_t gemm_setting_count;

/* True if the setting may be used on the device. */
bool gemm_setting_applies(const struct gemm_setting *setting, const struct paced_device_info *info);

/* CLBlast's program for a product contains kernels that no product here uses. Levels reduce their size, so that they
 * compile faster; some compilers reject the smallest. The first level that works is used; the last one, GEMM_LEVELS -
 * 1, keeps the library's sizes. */
enum { GEMM_LEVELS = 3 };

/* Makes CLBlast use the setting from now on, with unused kernels of that level. */
enum paced_err gemm_setting_apply(struct paced_device *device, const struct gemm_setting *setting, int level);

/* The setting of that name, or NULL. */
const struct gemm_setting *gemm_setting_named(const char *name);

/* The setting that the device's tuning names; NULL if it names none. PACED_INVALID if the setting does not apply. */
enum paced_err gemm_tuned(const struct paced_device *device, const struct gemm_setting **setting);

struct product {
    int batch, m, n, k;
    const struct paced_buffer *a, *b;
    float beta;
    struct paced_buffer *c;
};
enum paced_err gemm_multiply(struct paced_device *device, const struct gemm_setting *setting,
                             const struct product *product);

/* True while CLBlast works on a device that compiles all kernels of a program for its binary (binaries.c). */
extern bool gemm_withholds_binaries;

/* Applies the setting if its products equal a plain loop's on this device; *passed receives the outcome. The test is a
 * trial (trial.h), or runs in this process within a trial or if none can be made. */
enum paced_err gemm_check(struct paced_device *device, const struct gemm_setting *setting, bool *passed);

/* The child's side of that trial: its exit status. */
int gemm_answer(struct paced_device *device, const char *step);

#endif
