/* The tuning of a device, and the hash of what a run depends on. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "paced_build.h"
#include "src/device/gemm.h"

static const char *variant_name(const struct paced_device_info *info) {
    return info->variant == PACED_VARIANT_CPU ? "cpu" : "gpu";
}

char *paced_device_tuning_path(const struct paced_device *device) {
    char *dir = paced_cache_dir();
    if (!dir) return NULL;
    const struct paced_device_info *info = &device->info;
    const char *parts[] = {info->platform, info->version, info->driver, variant_name(info), PACED_VERSION};
    uint64_t hash = paced_hash(PACED_HASH_START, info->name, strlen(info->name) + 1);
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) hash = paced_hash(hash, parts[i], strlen(parts[i]) + 1);
    char *name = paced_strdup(info->name);
    for (char *c = name; *c; ++c)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", *c)) *c = '_';
    char *path = paced_format("%s/tuning-%s-%08x.ini", dir, name, (unsigned)(hash ^ hash >> 32));
    free(name);
    free(dir);
    return path;
}

/* Platforms with shipped tunings: a part of the name, and the first word of the file names. */
static const struct {
    const char *platform, *files;
} shipped[] = {{"Portable Computing Language", "pocl"}, {"Intel(R) OpenCL", "intel"}};

/* Measurements of one CPU serve others with the same vector width and compiler. */
static char *shipped_path(const struct paced_device_info *info) {
    const char *files = NULL;
    for (size_t i = 0; i < PACED_COUNT(shipped); ++i)
        if (strstr(info->platform, shipped[i].platform)) files = shipped[i].files;
    if (!files || info->variant != PACED_VARIANT_CPU) return NULL;
    char *name = paced_format("data/tuning/%s-cpu-%u.ini", files, info->float_width), *path = paced_shipped_path(name);
    free(name);
    return path;
}

/* Reads a file that the user did not name, whose errors must not end a run; false if it cannot be used. */
static bool read_if_there(struct paced_device *device, char *path) {
    bool used = path && paced_path_exists(path);
    if (used && paced_tuning_read(device->tuning, path) != PACED_OK) {
        paced_log(PACED_LOG_WARN, "tuning %s is ignored; `paced tune` creates it again", path);
        used = false;
    }
    if (used) paced_log(PACED_LOG_DEBUG, "device %s: tuning %s", device->info.name, path);
    free(path);
    return used;
}

static enum paced_err read_named(struct paced_device *device, const char *choice) {
    PACED_TRY(paced_tuning_read(device->tuning, choice));
    const char *name = paced_tuning_get(device->tuning, "device", "name");
    if (name && strcmp(name, device->info.name) != 0)
        paced_log(PACED_LOG_WARN, "%s: was measured on %s, but this device is %s", choice, name, device->info.name);
    return PACED_OK;
}

enum paced_err tuning_load(struct paced_device *device, const char *choice) {
    const struct gemm_setting *setting;
    device->tuning = paced_tuning_create();
    if (strcmp(choice, "off") == 0) return PACED_OK;
    if (strcmp(choice, "auto") != 0)
        PACED_TRY(read_named(device, choice));
    else if (!read_if_there(device, paced_device_tuning_path(device)))
        read_if_there(device, shipped_path(&device->info));
    return gemm_tuned(device, &setting); /* reports a wrong setting now, not during a run */
}

void paced_device_tuning_describe(struct paced_device *device, const char *measured) {
    static const char *const kinds[] = {[PACED_CPU] = "cpu", [PACED_GPU] = "gpu", [PACED_ACCELERATOR] = "accelerator"};
    const struct paced_device_info *info = &device->info;
    char width[16], date[16];
    time_t now = time(NULL);
    struct tm today;
    snprintf(width, sizeof width, "%u", info->float_width);
    strftime(date, sizeof date, "%Y-%m-%d", localtime_r(&now, &today));
    const struct {
        const char *key, *value;
    } rows[] = {{"name", info->name},
                {"platform", info->platform},
                {"driver", info->driver},
                {"kind", kinds[info->kind]},
                {"variant", variant_name(info)},
                {"float_width", width},
                {"date", date},
                {"measured", measured}};
    for (size_t i = 0; i < PACED_COUNT(rows); ++i)
        paced_tuning_set(device->tuning, "device", rows[i].key, rows[i].value, NULL);
}

enum paced_err paced_device_tuning_hash(struct paced_device *device, char hash[17]) {
    const char *parts[] = {variant_name(&device->info), NULL};
    PACED_TRY(paced_gemm_setting(device, &parts[1]));
    uint64_t sum = PACED_HASH_START;
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) sum = paced_hash(sum, parts[i], strlen(parts[i]) + 1);
    if (device->products) sum = paced_hash(sum, &device->products, sizeof device->products);
    snprintf(hash, 17, "%016llx", (unsigned long long)tuning_hash(device->tuning, sum));
    return PACED_OK;
}
