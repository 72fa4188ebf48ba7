/* The machine as `paced doctor` reports it: program, system, libraries, caches, environment. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "paced_build.h"
#include "src/run/doctor/doctor.h"

/* Converts a text to JSON and releases it. */
static json_t *take_text(char *text) {
    if (text) paced_text_clean(text);
    json_t *value = json_string(text ? text : "");
    free(text);
    return value;
}

json_t *doctor_program(void) {
    char *kernel = paced_shipped_path("cl/common.clh");
    json_t *program = json_pack("{s:s, s:o, s:o}", "version", PACED_VERSION, "path", take_text(paced_program_path()),
                                "kernels", take_text(kernel ? paced_path_dir(kernel) : NULL));
    free(kernel);
    return program;
}

json_t *doctor_libraries(void) {
    return json_pack("{s:o, s:o}", "icd_loader", take_text(paced_icd_loader_path()), "clblast",
                     take_text(paced_blas_path()));
}

/* ---- system -------------------------------------------------------------------------------------------------- */

/* The rest of the first line that contains `key`, without blanks and quotes around it; "" if there is none. */
static char *line_of(const char *path, const char *key) {
    char *text;
    if (!paced_path_exists(path) || paced_file_read_text(path, 1 << 20, &text) != PACED_OK) return paced_strdup("");
    const char *value = strstr(text, key);
    if (value) value += strlen(key) + strspn(value + strlen(key), " \t\"");
    char *found = value ? paced_format("%.*s", (int)strcspn(value, "\"\n"), value) : paced_strdup("");
    free(text);
    paced_text_clean(found);
    return found;
}

static json_t *memory_of(const char *key) {
    char *text = line_of("/proc/meminfo", key);
    long long kib = strtoll(text, NULL, 10);
    free(text);
    return kib > 0 ? json_integer((json_int_t)kib * 1024) : json_null();
}

static json_t *limits(void) {
    static const struct {
        const char *name;
        int resource;
    } rows[] = {{"address_space", RLIMIT_AS}, {"file_size", RLIMIT_FSIZE}, {"open_files", RLIMIT_NOFILE},
                {"processes", RLIMIT_NPROC},  {"stack", RLIMIT_STACK},     {"locked_memory", RLIMIT_MEMLOCK}};
    json_t *object = json_object();
    for (size_t i = 0; i < PACED_COUNT(rows); ++i) {
        struct rlimit limit;
        bool bounded = getrlimit((__rlimit_resource_t)rows[i].resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
        json_object_set_new(object, rows[i].name, bounded ? json_integer((json_int_t)limit.rlim_cur) : json_null());
    }
    return object;
}

json_t *doctor_system(void) {
    struct utsname kernel = {0};
    uname(&kernel);
    char *name = line_of("/etc/os-release", "PRETTY_NAME=");
    uint64_t group = paced_group_memory("");
    json_t *system = json_object();
    json_object_set_new(system, "os", take_text(name));
    json_object_set_new(system, "kernel", json_sprintf("%s %s %s", kernel.sysname, kernel.release, kernel.machine));
    json_object_set_new(system, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(system, "memory_bytes", memory_of("MemTotal:"));
    json_object_set_new(system, "available_bytes", memory_of("MemAvailable:"));
    json_object_set_new(system, "cgroup_bytes", group ? json_integer((json_int_t)group) : json_null());
    json_object_set_new(system, "sysfs", json_boolean(paced_path_is_dir("/sys/devices")));
    json_object_set_new(system, "limits", limits());
    return system;
}

/* ---- caches -------------------------------------------------------------------------------------------------- */

/* The nearest folder upwards that exists. */
static char *existing_folder(const char *path) {
    char *folder = paced_strdup(path);
    while (!paced_path_exists(folder) && strcmp(folder, "/") != 0 && strcmp(folder, ".") != 0) {
        char *parent = paced_path_dir(folder);
        free(folder);
        folder = parent;
    }
    return folder;
}

/* Tried, since a user's rights alone do not tell: the file system may refuse. */
static bool can_write(const char *folder) {
    char *trial = paced_format("%s/paced.XXXXXX", folder);
    bool made = mkdtemp(trial) != NULL;
    if (made) rmdir(trial);
    free(trial);
    return made;
}

static json_t *cache_of(const char *name, char *path) {
    json_t *cache = json_object();
    char *folder = path ? existing_folder(path) : NULL;
    struct statvfs disk;
    bool known = folder && statvfs(folder, &disk) == 0;
    json_object_set_new(cache, "name", json_string(name));
    json_object_set_new(cache, "path", path ? json_string(path) : json_null());
    json_object_set_new(cache, "writable", json_boolean(folder && can_write(folder)));
    json_object_set_new(cache, "free_bytes",
                        known ? json_integer((json_int_t)disk.f_bavail * (json_int_t)disk.f_frsize) : json_null());
    free(folder);
    free(path);
    return cache;
}

json_t *doctor_caches(void) {
    return json_pack("[o, o]", cache_of("paced", paced_cache_path("PACED_CACHE_DIR", "paced")),
                     cache_of("PoCL", paced_cache_path("POCL_CACHE_DIR", "pocl/kcache")));
}

/* ---- environment --------------------------------------------------------------------------------------------- */

json_t *doctor_environment(void) {
    static const char *const prefixes[] = {
        "PACED_",       "POCL_",        "OCL_ICD_",    "OPENCL_",     "CL_CONFIG_",  "CLBLAST_",    "RUSTICL_",
        "CUDA_VISIBLE", "ROCR_VISIBLE", "GPU_DEVICE_", "HIP_VISIBLE", "ZE_AFFINITY", "LD_PRELOAD=", "LD_LIBRARY_PATH="};
    extern char **environ;
    json_t *found = json_object();
    for (char **entry = environ; entry && *entry; ++entry)
        for (size_t i = 0; i < PACED_COUNT(prefixes); ++i) {
            const char *value = strchr(*entry, '=');
            if (!value || strncmp(*entry, prefixes[i], strlen(prefixes[i])) != 0) continue;
            char *name = paced_format("%.*s", (int)(value - *entry), *entry);
            json_object_set_new(found, name, take_text(paced_strdup(value + 1)));
            free(name);
        }
    return found;
}
