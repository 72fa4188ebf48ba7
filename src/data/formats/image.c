/* Image files of any format. The first bytes determine the format, not the name. */
#include "src/data/formats/format.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Formats, one line each; of two files with the same stem, the earlier format is used. */
static const struct format *const formats[] = {&png_format, &jpeg_format, &dicom_format, &nifti_format, &tiff_format};

/* ---- names --------------------------------------------------------------------------------------------------- */

size_t paced_image_file_length(const char *path) {
    enum { MAX_DIGITS = 6 };
    const char *mark = strrchr(path, '#');
    size_t digits = mark ? strspn(mark + 1, "0123456789") : 0;
    return digits > 0 && digits <= MAX_DIGITS && !mark[1 + digits] ? (size_t)(mark - path) : strlen(path);
}

/* The longest ending of these formats that `name` has before the number of a slice, or NULL. */
static const char *ending_of(const char *name) {
    const char *longest = NULL;
    size_t length = paced_image_file_length(name);
    for (size_t f = 0; f < PACED_COUNT(formats); ++f)
        for (const char *const *ending = formats[f]->endings; *ending; ++ending) {
            size_t n = strlen(*ending);
            if (n < length && strncasecmp(name + length - n, *ending, n) == 0 && (!longest || n > strlen(longest)))
                longest = *ending;
        }
    return longest;
}

bool paced_image_named(const char *name) {
    const char *slash = strrchr(name, '/');
    return ending_of(slash ? slash + 1 : name) != NULL;
}

size_t paced_image_stem_length(const char *name) {
    const char *ending = ending_of(name), *dot = strrchr(name, '.'), *slash = strrchr(name, '/');
    if (ending) return paced_image_file_length(name) - strlen(ending);
    return dot && (!slash || dot > slash + 1) ? (size_t)(dot - name) : strlen(name);
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

/* A file, one of its slices and its format. */
struct source {
    char *file;
    int slice;
    const struct format *format;
};

/* Separates "file#slice", unless a file of that name exists. */
static void split_path(const char *path, struct source *source) {
    size_t length = paced_path_exists(path) ? strlen(path) : paced_image_file_length(path);
    *source = (struct source){.file = paced_format("%.*s", (int)length, path)};
    if (path[length]) source->slice = atoi(path + length + 1);
}

char *image_file(const char *path) {
    struct source source;
    split_path(path, &source);
    return source.file;
}

static enum paced_err find_format(struct source *source, const char *context) {
    uint8_t first[FORMAT_FIRST_BYTES];
    const char *path = source->file;
    const char *unreadable = paced_path_unreadable(path);
    if (unreadable) return format_refuse(path, context, "%s", unreadable);
    FILE *file = fopen(path, "rb");
    if (!file) return format_refuse(path, context, "cannot open: %s; check the path", strerror(errno));
    size_t size = fread(first, 1, sizeof first, file);
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (failure) return format_refuse(path, context, "cannot read: %s; check the disk", strerror(failure));
    for (size_t f = 0; f < PACED_COUNT(formats) && !source->format; ++f)
        if (formats[f]->recognise(first, size)) source->format = formats[f];
    if (source->format) return PACED_OK;
    struct paced_text names = {0};
    for (size_t f = 0; f < PACED_COUNT(formats); ++f)
        paced_text_add(&names, "%s%s", !f ? "" : f + 1 < PACED_COUNT(formats) ? ", " : " or ", formats[f]->name);
    enum paced_err err = format_refuse(path, context, "is not a %s file; convert it", names.data);
    free(names.data);
    return err;
}

static enum paced_err describe(const struct source *source, const char *context, struct paced_image_info *info) {
    *info = (struct paced_image_info){.channels = 1, .slices = 1, .bits = 8};
    PACED_TRY(source->format->describe(source->file, context, info));
    if (source->slice < info->slices) return PACED_OK;
    return format_refuse(source->file, context, "has %d %s, so slice %d is missing; they are counted from 0",
                         info->slices, paced_plural((uint64_t)info->slices, "slice", "slices"), source->slice);
}

enum paced_err paced_image_describe(const char *path, const char *context, struct paced_image_info *info) {
    struct source source;
    split_path(path, &source);
    enum paced_err err = find_format(&source, context);
    if (!err) err = describe(&source, context, info);
    free(source.file);
    return err;
}

int paced_image_slices(const char *path) {
    struct paced_failures failures = {0}, *before = paced_errors_collect(&failures);
    struct source source;
    struct paced_image_info info = {.slices = 1};
    split_path(path, &source);
    enum paced_err err = find_format(&source, NULL);
    if (!err && source.format->sliced && strcmp(source.file, path) == 0) err = describe(&source, NULL, &info);
    free(source.file);
    paced_errors_collect(before);
    paced_failures_finish(&failures);
    return err ? 0 : info.slices;
}

static enum paced_err read_raster(const struct source *source, const char *context, enum paced_samples samples,
                                  struct paced_raster *raster) {
    const struct format *format = source->format;
    if (samples != PACED_SHOWN && format->lossy) return format_refuse_lossy(source->file, context, format->name);
    if (format->sliced || source->slice > 0) PACED_TRY(describe(source, context, &raster->info));
    return format->read(source->file, context, source->slice, samples, raster);
}

enum paced_err paced_raster_read(const char *path, const char *context, enum paced_samples samples,
                                 struct paced_raster *raster) {
    struct source source;
    *raster = (struct paced_raster){0};
    split_path(path, &source);
    enum paced_err err = find_format(&source, context);
    if (!err) err = read_raster(&source, context, samples, raster);
    free(source.file);
    return err;
}
