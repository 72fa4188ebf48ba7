/* The libraries in use, located by one of their functions. */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "src/device/libraries.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "paced/device.h"

/* Path of the loaded library that has the function. Symbolic links are resolved, so that the path ends with the
 * library's version on most systems. */
static char *library_path(const char *function) {
    Dl_info info;
    void *at = dlsym(RTLD_DEFAULT, function);
    char *path = at && dladdr(at, &info) && info.dli_fname ? realpath(info.dli_fname, NULL) : NULL;
    return path ? path : paced_strdup("");
}

char *paced_icd_loader_path(void) {
    return library_path("clGetPlatformIDs");
}

char *paced_blas_path(void) {
    return library_path("CLBlastClearCache");
}

char *library_blas_fingerprint(void) {
    char *path = paced_blas_path();
    struct stat file = {0};
    stat(path, &file);
    char *text = paced_format("%s %lld %lld", path, (long long)file.st_size, (long long)file.st_mtime);
    free(path);
    return text;
}
