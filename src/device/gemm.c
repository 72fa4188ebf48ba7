/* Matrix products with a setting that is chosen for this device and passed its self-test. */
#include "src/device/gemm.h"

/* Selects the setting if it passes the self-test. */
static enum paced_err take(struct paced_device *device, const struct gemm_setting *setting) {
    bool passed;
    PACED_TRY(gemm_check(device, setting, &passed));
    if (passed) device->gemm = setting;
    return PACED_OK;
}

enum paced_err gemm_tuned(const struct paced_device *device, const struct gemm_setting **setting) {
    const char *name = paced_tuning_get(device->tuning, "gemm", "setting");
    *setting = name ? gemm_setting_named(name) : NULL;
    if (!name || (*setting && gemm_setting_applies(*setting, &device->info))) return PACED_OK;
    return paced_tuning_refuse(device->tuning, "gemm", "setting",
                               *setting ? "is for the other variant of the kernels; see PACED_VARIANT"
                                        : "no such setting; create the file again with `paced tune`");
}

static void report_choice(const struct paced_device *device, const struct gemm_setting *tuned) {
    const char *name = device->info.name;
    if (device->gemm->path == GEMM_PLAIN)
        paced_log(
            PACED_LOG_WARN,
            "device %s: CLBlast computes no matrix product here; a plain loop replaces it, at about a tenth of the "
            "speed; `paced doctor` shows the cause; %s",
            name, paced_advice(PACED_CAUSE_NO_PRODUCTS));
    else if (tuned && device->gemm != tuned)
        paced_log(PACED_LOG_WARN, "device %s: the tuned matrix product, %s, fails its self-test; %s is used instead",
                  name, tuned->name, device->gemm->name);
    paced_log(PACED_LOG_DEBUG, "device %s: matrix products by %s", name, device->gemm->name);
}

static enum paced_err choose(struct paced_device *device) {
    const struct gemm_setting *tuned;
    PACED_TRY(gemm_tuned(device, &tuned));
    if (tuned) PACED_TRY(take(device, tuned));
    for (size_t i = 0; i < gemm_setting_count && !device->gemm; ++i) {
        const struct gemm_setting *setting = &gemm_settings[i];
        if (gemm_setting_applies(setting, &device->info) && device->info.float_width >= setting->float_width)
            PACED_TRY(take(device, setting));
    }
    if (!device->gemm)
        return paced_error(PACED_FAILED, "device %s: no matrix product is correct, not even a plain loop's; %s",
                           device->info.name, paced_advice(PACED_CAUSE_NO_PRODUCTS));
    report_choice(device, tuned);
    return PACED_OK;
}

static enum paced_err check_sizes(int batch, int m, int n, int k) {
    if (m % PACED_GEMM_TILE == 0 && n % PACED_GEMM_TILE == 0 && k % PACED_GEMM_TILE == 0) return PACED_OK;
    return paced_error(PACED_FAILED, "matrix product %d x (%d, %d, %d): sizes must be multiples of %d", batch, m, n, k,
                       PACED_GEMM_TILE);
}

enum paced_err paced_gemm(struct paced_device *device, int batch, int m, int n, int k, const struct paced_buffer *a,
                          const struct paced_buffer *b, float beta, struct paced_buffer *c) {
    PACED_TRY(check_sizes(batch, m, n, k));
    if (!device->gemm) PACED_TRY(choose(device));
    struct product product = {batch, m, n, k, a, b, beta, c};
    PACED_TRY(gemm_multiply(device, device->gemm, &product));
    return device->sync ? paced_device_finish(device) : PACED_OK;
}

enum paced_err paced_gemm_blocked(struct paced_device *device, int batch, int m, int n, int k,
                                  const struct paced_buffer *a, const struct paced_buffer *b, struct paced_buffer *c) {
    enum { ROWS_OF_ITEM = 8 };
    PACED_TRY(check_sizes(batch, m, n, k));
    int vec = paced_device_vector(device, n), vectors = n / vec;
    uint64_t items = (uint64_t)batch * (uint64_t)(m / ROWS_OF_ITEM) * (uint64_t)vectors;
    return PACED_LAUNCH(device, PACED_KERNEL(gemm, gemm_blocked), paced_range_chunks(items), vec, batch, m, vectors, k,
                        a, b, c);
}

const char *paced_gemm_setting_at(const struct paced_device *device, size_t i) {
    for (size_t s = 0; s < gemm_setting_count; ++s)
        if (gemm_settings[s].path != GEMM_PLAIN && gemm_setting_applies(&gemm_settings[s], &device->info) && i-- == 0)
            return gemm_settings[s].name;
    return NULL;
}

enum paced_err paced_gemm_use(struct paced_device *device, const char *name, bool *passed) {
    const struct gemm_setting *setting = gemm_setting_named(name);
    *passed = false;
    if (!setting || !gemm_setting_applies(setting, &device->info))
        return paced_error(PACED_FAILED, "matrix products: %s is not a setting for device %s", name, device->info.name);
    device->gemm = NULL;
    PACED_TRY(take(device, setting));
    *passed = device->gemm == setting;
    return PACED_OK;
}

enum paced_err paced_gemm_setting(struct paced_device *device, const char **name) {
    enum paced_err err = device->gemm ? PACED_OK : choose(device);
    *name = err ? "none" : device->gemm->name;
    return err == PACED_STOPPED ? err : PACED_OK;
}
