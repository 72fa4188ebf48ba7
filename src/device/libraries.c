/* The libraries in use, found by a function of theirs. */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "src/device/libraries.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "paced/device.h"

char *library_path(const char *function) {
    Dl_info info;
    void *at = dlsym(RTLD_DEFAULT, function);
    char *path = at && dladdr(at, &info) && info.dli_fname ? realpath(info.dli_fname, NULL) : NULL;
    return path ? path : paced_strdup("");
}

char *library_blas_fingerprint(void) {
    char *path = library_path("CLBlastClearCache");
    struct stat file = {0};
    stat(path, &file);
    char *text = paced_format("%s %lld %lld", path, (long long)file.st_size, (long long)file.st_mtime);
    free(path);
    return text;
}
