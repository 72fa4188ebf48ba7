/* Image files of any format. The first bytes determine the format, not the name. */
#include "src/data/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Formats, one line each; of two files with the same stem, the earlier format is used. */
static const struct format *const formats[] = {&png_format, &jpeg_format};

/* ---- names --------------------------------------------------------------------------------------------------- */

bool paced_image_named(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t f = 0; dot && dot != name && f < PACED_COUNT(formats); ++f)
        for (const char *const *ending = formats[f]->endings; *ending; ++ending)
            if (strcasecmp(dot, *ending) == 0) return true;
    return false;
}

const char *paced_image_ending(const char *stem) {
    for (size_t f = 0; f < PACED_COUNT(formats); ++f)
        for (const char *const *ending = formats[f]->endings; *ending; ++ending) {
            char *path = paced_format("%s%s", stem, *ending);
            bool exists = paced_path_exists(path);
            free(path);
            if (exists) return *ending;
        }
    return NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* The format of a file, to be read as an image or, if `exact`, without any change of its values. */
static enum paced_err find_format(const char *path, const char *context, bool exact, const struct format **found) {
    uint8_t first[FORMAT_FIRST_BYTES];
    if (paced_path_is_dir(path)) return format_refuse(path, context, "is a directory; give a file");
    FILE *file = fopen(path, "rb");
    if (!file) return format_refuse(path, context, "cannot open: %s; check the path", strerror(errno));
    size_t size = fread(first, 1, sizeof first, file);
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (failure) return format_refuse(path, context, "cannot read: %s; check the disk", strerror(failure));
    for (size_t f = 0; f < PACED_COUNT(formats); ++f) {
        *found = formats[f];
        if (!formats[f]->recognise(first, size)) continue;
        if (!exact || formats[f]->read_plane) return PACED_OK;
        return format_refuse(path, context, "is a %s file, whose compression changes values; masks must be PNG",
                             formats[f]->name);
    }
    return format_refuse(path, context, "is not a PNG %sfile; convert it", exact ? "" : "or JPEG ");
}

enum paced_err paced_image_read(const char *path, const char *context, struct paced_image *image) {
    const struct format *format;
    *image = (struct paced_image){0};
    PACED_TRY(find_format(path, context, false, &format));
    return format->read(path, context, image);
}

enum paced_err paced_image_read_exact(const char *path, const char *context, struct paced_image *image) {
    const struct format *format;
    *image = (struct paced_image){0};
    PACED_TRY(find_format(path, context, true, &format));
    return format->read(path, context, image);
}

enum paced_err paced_plane_read(const char *path, const char *context, struct paced_plane *plane) {
    const struct format *format;
    *plane = (struct paced_plane){0};
    PACED_TRY(find_format(path, context, true, &format));
    return format->read_plane(path, context, plane);
}
