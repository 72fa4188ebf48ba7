/* limits: memory that the system grants to this process. A control group's limit ends the process without a message
 * when it is exceeded; a limit of the address space makes allocations fail, which few drivers expect. */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Kernels express "no limit" by "max" (version 2) or by nearly 2^63 (version 1). */
#define NO_LIMIT (UINT64_C(1) << 50)

/* The number in a file of one line; 0: there is none, or no limit. */
static uint64_t read_limit(const char *path) {
    char line[64] = "";
    FILE *file = fopen(path, "r");
    if (file && !fgets(line, sizeof line, file)) line[0] = '\0';
    if (file) fclose(file);
    uint64_t limit = strtoull(line, NULL, 10);
    return limit < NO_LIMIT ? limit : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a && (!b || a < b) ? a : b;
}

/* The smallest limit of the group and its parents up to the root of the hierarchy. A container may see its own group as
 * the root, while `group` has the path outside; the folders that are not there have no limit. */
static uint64_t smallest_limit(const char *hierarchy, const char *group, const char *file) {
    char *path = paced_format("%s%s", hierarchy, group), *end = path + strlen(path);
    uint64_t least = 0;
    for (;;) {
        char *name = paced_format("%s/%s", path, file);
        least = smaller(least, read_limit(name));
        free(name);
        if (end == path + strlen(hierarchy)) break;
        while (*--end != '/') {
        }
        *end = '\0';
    }
    free(path);
    return least;
}

/* True if `controllers`, "a,b,memory", has the controller of memory. */
static bool has_memory(const char *controllers) {
    for (const char *at = controllers; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == strlen("memory") && strncmp(at, "memory", strlen("memory")) == 0) return true;
    return false;
}

/* Limit of the group in a line "ID:CONTROLLERS:GROUP" of /proc/self/cgroup. Version 2 has no controllers there. */
static uint64_t limit_of_line(const char *root, char *line) {
    static const struct {
        const char *folder, *file;
        bool version_2;
    } hierarchies[] = {{"/sys/fs/cgroup", "memory.max", true},
                       {"/sys/fs/cgroup/unified", "memory.max", true},
                       {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", false}};
    uint64_t least = 0;
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(++controllers, ':') : NULL;
    if (!group || group[1] != '/') return 0;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    for (size_t i = 0; i < PACED_COUNT(hierarchies); ++i) {
        if (hierarchies[i].version_2 ? *controllers != '\0' : !has_memory(controllers)) continue;
        char *folder = paced_format("%s%s", root, hierarchies[i].folder);
        least = smaller(least, smallest_limit(folder, group, hierarchies[i].file));
        free(folder);
    }
    return least;
}

uint64_t paced_group_memory(const char *root) {
    char *path = paced_format("%s/proc/self/cgroup", root), *line = NULL;
    FILE *file = fopen(path, "r");
    size_t room = 0;
    uint64_t least = 0;
    while (file && getline(&line, &room, file) > 0) least = smaller(least, limit_of_line(root, line));
    if (file) fclose(file);
    free(line);
    free(path);
    return least;
}

uint64_t paced_address_space(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : 0;
}

bool paced_file_size_is_limited(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}
