/* path: paths as text, and the file system's directories.
 *
 * Paths are not normalised: "a/../b" stays, because with symbolic links it may differ from "b". The caller frees every
 * returned string. */
#include "paced/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool paced_path_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool paced_path_is_dir(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *paced_path_join(const char *dir, const char *name) {
    if (*name == '/' || !dir || !*dir) return paced_strdup(name);
    bool has_slash = dir[strlen(dir) - 1] == '/';
    return paced_format("%s%s%s", dir, has_slash ? "" : "/", name);
}

char *paced_path_absolute(const char *path) {
    while (path[0] == '.' && path[1] == '/') path += 1 + strspn(path + 1, "/");
    if (*path == '/') return paced_strdup(path);
    char *here = NULL, *found;
    size_t size = 256;
    do {
        size *= 2;
        here = paced_grow(here, size, 1);
        found = getcwd(here, size);
    } while (!found && errno == ERANGE);
    bool is_here = !*path || strcmp(path, ".") == 0;
    /* A deleted current directory has no name; the path then stays relative. */
    char *absolute = !found ? paced_strdup(path) : is_here ? paced_strdup(here) : paced_path_join(here, path);
    free(here);
    return absolute;
}

/* The start of the last component, and its length without trailing slashes. */
static const char *last_component(const char *path, size_t *length) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') --end;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') --begin;
    *length = end - begin;
    return path + begin;
}

/* Path of a missing file: the real path of its directory, and its name. */
static char *real_missing(const char *path) {
    size_t length;
    const char *name = last_component(path, &length);
    char *parent = paced_path_dir(path), *dir = paced_path_real(parent), *real;
    if (length == 1 && *name == '.')
        real = paced_strdup(dir);
    else if (length == 2 && strncmp(name, "..", 2) == 0)
        real = paced_path_dir(dir);
    else
        real = paced_format("%s%s%.*s", dir, strcmp(dir, "/") == 0 ? "" : "/", (int)length, name);
    free(dir);
    free(parent);
    return real;
}

char *paced_path_real(const char *path) {
    char *real = realpath(path, NULL);
    if (real || strcmp(path, ".") == 0 || strcmp(path, "/") == 0) return real ? real : paced_strdup(path);
    return real_missing(path);
}

bool paced_path_same(const char *a, const char *b) {
    struct stat one, other;
    bool there = stat(a, &one) == 0, too = stat(b, &other) == 0;
    if (there != too) return false;
    if (there) return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    char *first = paced_path_real(a), *second = paced_path_real(b);
    bool same = strcmp(first, second) == 0;
    free(second);
    free(first);
    return same;
}

char *paced_path_dir(const char *path) {
    size_t length;
    size_t end = (size_t)(last_component(path, &length) - path);
    if (end == 0) return paced_strdup(".");
    while (end > 1 && path[end - 1] == '/') --end;
    return paced_format("%.*s", (int)end, path);
}

char *paced_path_stem(const char *path) {
    size_t length;
    const char *name = last_component(path, &length);
    size_t stem = length;
    while (stem > 0 && name[stem - 1] != '.') --stem;
    /* Without a dot, or with only the leading dot of a hidden file, the whole name is the stem. */
    return paced_format("%.*s", (int)(stem > 1 ? stem - 1 : length), name);
}

/* Creates the directory. Returns 0 or an errno. */
static int make_dir(const char *path) {
    if (mkdir(path, 0777) == 0) return 0;
    int failure = errno; /* the next call may change it */
    if (paced_path_is_dir(path)) return 0;
    return failure == EEXIST ? ENOTDIR : failure;
}

/* Creates the directory and its parents. Returns 0 or an errno. */
static int make_dirs(const char *path) {
    char *copy = paced_strdup(path);
    int failure = 0;
    for (char *end = copy; *end && !failure;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char cut = *end;
        *end = '\0';
        failure = make_dir(copy);
        *end = cut;
    }
    free(copy);
    return failure;
}

/* True if the path itself is wrong; false if the system refuses it. */
static bool is_wrong_path(int failure) {
    return failure == ENOTDIR || failure == ENOENT || failure == ENAMETOOLONG || failure == ELOOP;
}

/* Reports `failure`, an errno. PACED_OK if it is 0. */
static enum paced_err report(const char *path, const char *what, int failure) {
    if (!failure) return PACED_OK;
    return paced_error(is_wrong_path(failure) ? PACED_INVALID : PACED_FAILED,
                       "%s: %s: %s; choose another place, or check its permissions", path, what, strerror(failure));
}

enum paced_err paced_make_dirs(const char *path) {
    return report(path, "cannot create the directory", make_dirs(path));
}

/* Returns 0 if files can be created in `dir`, else an errno. */
static int find_obstacle(const char *dir) {
    struct stat info;
    if (stat(dir, &info) != 0) return errno;
    if (!S_ISDIR(info.st_mode)) return ENOTDIR;
    return access(dir, W_OK | X_OK) == 0 ? 0 : errno;
}

enum paced_err paced_dir_check(const char *path) {
    char *nearest = paced_strdup(path);
    struct stat info;
    while (lstat(nearest, &info) != 0 && errno == ENOENT) {
        char *parent = paced_path_dir(nearest);
        free(nearest);
        nearest = parent;
    }
    int failure = find_obstacle(nearest);
    free(nearest);
    return report(path, "cannot be written into", failure);
}

char *paced_cache_path(const char *variable, const char *name) {
    const char *own = getenv(variable), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own) return paced_path_absolute(own);
    if (xdg && *xdg == '/') return paced_path_join(xdg, name);
    return home && *home == '/' ? paced_format("%s/.cache/%s", home, name) : NULL;
}

char *paced_cache_dir(void) {
    char *path = paced_cache_path("PACED_CACHE_DIR", "paced");
    if (path && make_dirs(path) == 0 && access(path, R_OK | W_OK | X_OK) == 0) return path;
    free(path);
    return NULL;
}
