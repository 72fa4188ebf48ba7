/* Private to the matrix products: the settings that CLBlast may be given, and their self-test on this device. */
#ifndef PACED_DEVICE_GEMM_H
#define PACED_DEVICE_GEMM_H

#include "src/device/opencl.h"

/* Which kernel a setting's products go through: one only, so that a few small products show whether it is right. */
enum gemm_path {
    GEMM_TILED,  /* CLBlast's "Xgemm" with the tile below */
    GEMM_DIRECT, /* CLBlast's "XgemmDirect" as the library's database has it */
    GEMM_PLAIN,  /* a plain loop of our own */
};

enum { GEMM_PARAMETERS = 16 };

struct gemm_setting {
    const char *name;
    enum gemm_path path;
    enum paced_variant variant;   /* of the devices that it is made for (a plain loop: for all) */
    unsigned float_width;         /* native vector width from which on it is a good choice */
    size_t tile[GEMM_PARAMETERS]; /* of GEMM_TILED: "Xgemm"'s parameters in alphabetical order */
};

/* In the order in which they are tried where nothing was measured. */
extern const struct gemm_setting gemm_settings[];
extern const size_t gemm_setting_count;

/* Can the device be given it at all? */
bool gemm_setting_applies(const struct gemm_setting *setting, const struct paced_device_info *info);

/* CLBlast's program for a product holds kernels that no product here reaches. They are made smaller, to compile faster,
 * by as much as the compiler at hand accepts: by the first level that works, GEMM_LEVELS - 1 being the library's sizes.
 */
enum { GEMM_LEVELS = 3 };

/* Makes CLBlast use the setting from now on, with unused kernels of that level. */
enum paced_err gemm_setting_apply(struct paced_device *device, const struct gemm_setting *setting, int level);

/* The setting of that name, or NULL. */
const struct gemm_setting *gemm_setting_named(const char *name);

/* The setting that the device's tuning names; NULL where it names none. PACED_INVALID where it cannot be given. */
enum paced_err gemm_tuned(const struct paced_device *device, const struct gemm_setting **setting);

struct product {
    int batch, m, n, k;
    const struct paced_buffer *a, *b;
    float beta;
    struct paced_buffer *c;
};
enum paced_err gemm_multiply(struct paced_device *device, const struct gemm_setting *setting,
                             const struct product *product);

/* Applies the setting if its products equal a plain loop's on this device; *passed receives the outcome. It is found by
 * a trial (trial.h), or, within a trial and where none can be made, in this process. */
enum paced_err gemm_check(struct paced_device *device, const struct gemm_setting *setting, bool *passed);

/* The child's side of that trial: its exit status. */
int gemm_answer(struct paced_device *device, const char *step);

#endif
