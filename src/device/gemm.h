/* Private to the matrix products: the settings that CLBlast may be given, and whether they compute rightly here. */
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

/* Makes CLBlast use it from now on. */
enum paced_err gemm_setting_apply(struct paced_device *device, const struct gemm_setting *setting);

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

/* Applies the setting, and tells whether its products are those of a plain loop: by trying, or, where that was done
 * before on this device and driver, from the user's cache directory. */
enum paced_err gemm_check(struct paced_device *device, const struct gemm_setting *setting, bool *right);

#endif
