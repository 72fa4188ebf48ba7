/* format: errors and limits that all image readers share. */
#include "src/data/formats/format.h"

#include <stdlib.h>

enum paced_err format_refuse(const char *path, const char *context, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    bool placed = context && *context;
    return placed ? paced_error_at(PACED_INVALID, context, "%s: %s", path, text)
                  : paced_error_at(PACED_INVALID, path, "%s", text);
}

enum paced_err format_refuse_lossy(const char *path, const char *context, const char *name) {
    return format_refuse(path, context,
                         "is a %s file, whose compression changes values; masks must be PNG or another lossless format",
                         name);
}

enum paced_err format_check_size(const char *path, const char *context, uint64_t width, uint64_t height) {
    if (width <= IMAGE_MAX_SIDE && height <= IMAGE_MAX_SIDE && width * height <= IMAGE_MAX_PIXELS) return PACED_OK;
    return format_refuse(path, context,
                         "declares %llu x %llu pixels, above the limit of %d on a side and %d in total; scale it down",
                         (unsigned long long)width, (unsigned long long)height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
}
