/* shipped: files that are shipped with the program: kernels, tunings.
 *
 * Their paths are relative ("cl/relu.cl", "data/tuning/...") to the first of these directories that has the file:
 *   1. <prefix>/<datadir>/paced, if the running code (program or shared library) is in <prefix>/<bindir> or
 *      <prefix>/<libdir>. An installation can thus be moved or copied, and never uses the files of another;
 *   2. the source directory, for a program in its build directory. Packages disable it (meson option source_lookup),
 *      because a path of the build machine has no meaning elsewhere;
 *   3. the configured prefix, for a program that was copied out of it. */
#define _GNU_SOURCE /* dladdr1 */
#include "paced/base.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"

/* The file that contains this code: the shared library or the program. */
static char *own_file(void) {
    static const char here;
    Dl_info info;
    void *map = NULL;
    bool found = dladdr1(&here, &info, &map, RTLD_DL_LINKMAP) != 0;
    const char *name = found ? ((const struct link_map *)map)->l_name : "";
    return realpath(*name ? name : "/proc/self/exe", NULL); /* the program's own link map has no name */
}

/* The installation prefix of the running code, or NULL. */
static char *moved_prefix(void) {
    static const char *const tails[] = {"/" PACED_BINDIR, "/" PACED_LIBDIR};
    char *file = own_file(), *prefix = NULL;
    char *dir = file ? paced_path_dir(file) : paced_strdup("");
    size_t length = strlen(dir);
    for (size_t i = 0; i < PACED_COUNT(tails) && !prefix; ++i) {
        size_t tail = strlen(tails[i]);
        if (length > tail && strcmp(dir + length - tail, tails[i]) == 0)
            prefix = paced_format("%.*s", (int)(length - tail), dir);
    }
    free(dir);
    free(file);
    return prefix;
}

/* The path of `name` in the first of three folders that has it, or NULL. A folder may be NULL or empty. */
static char *find_in(const char *const folders[3], const char *name) {
    for (int i = 0; i < 3; ++i) {
        if (!folders[i] || !*folders[i]) continue;
        char *path = paced_path_join(folders[i], name);
        if (paced_path_exists(path)) return path;
        free(path);
    }
    return NULL;
}

char *paced_shipped_path(const char *name) {
    char *prefix = moved_prefix(), *moved = prefix ? paced_path_join(prefix, PACED_DATADIR "/paced") : NULL;
    const char *const folders[] = {moved, PACED_SOURCE_ROOT, PACED_INSTALLED_ROOT};
    char *path = find_in(folders, name);
    free(moved);
    free(prefix);
    return path;
}

static bool is_program;

void paced_program_begin(void) {
    is_program = true;
}

char *paced_program_path(void) {
    char *self = realpath("/proc/self/exe", NULL);
    if (self && is_program) return self;
    free(self);
    char *prefix = moved_prefix(), *moved = prefix ? paced_path_join(prefix, PACED_BINDIR) : NULL;
    const char *const folders[] = {moved, PACED_BUILD_ROOT, PACED_INSTALLED_BINDIR};
    char *path = find_in(folders, "paced");
    free(moved);
    free(prefix);
    return path;
}
