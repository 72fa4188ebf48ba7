/* Image files. The first bytes determine the format, not the name. */
#include "src/data/image.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum paced_err image_refuse(const char *path, const char *context, const char *fmt, ...) {
    va_list args;
    struct paced_text text = {0};
    char part[512];
    va_start(args, fmt);
    vsnprintf(part, sizeof part, fmt, args);
    va_end(args);
    if (context && context[0] != '\0') paced_text_add(&text, "%s: ", context);
    paced_text_add(&text, "%s: %s", path, part);
    enum paced_err err = paced_error(PACED_INVALID, "%s", text.data);
    free(text.data);
    return err;
}

enum paced_err image_check_size(const char *path, const char *context, uint32_t width, uint32_t height) {
    if (width <= IMAGE_MAX_SIDE && height <= IMAGE_MAX_SIDE && (uint64_t)width * height <= IMAGE_MAX_PIXELS)
        return PACED_OK;
    return image_refuse(path, context,
                        "declares %u x %u pixels, above the limit of %d on a side and %d in total; scale it down",
                        width, height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
}

/* Endings of image file names. */
static const char *const endings[] = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"};

bool paced_image_named(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < PACED_COUNT(endings); ++i)
        if (dot && dot != name && strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

const char *paced_image_ending(const char *stem) {
    for (size_t i = 0; i < PACED_COUNT(endings); ++i) {
        char *path = paced_format("%s%s", stem, endings[i]);
        const bool found = paced_path_exists(path);
        free(path);
        if (found) return endings[i];
    }
    return NULL;
}

typedef enum paced_err reader(const char *path, const char *context, struct paced_image *image);

static enum paced_err refuse_format(const char *path, const char *context, struct paced_image *image) {
    *image = (struct paced_image){0};
    return image_refuse(path, context, "is not a PNG or JPEG file; convert it");
}

/* Selects the reader by the first bytes. A file that cannot be read goes to the PNG reader, which reports the cause. */
static reader *reader_of(const char *path) {
    static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uint8_t first[sizeof png_signature];
    FILE *file = fopen(path, "rb");
    const size_t got = file ? fread(first, 1, sizeof first, file) : 0;
    const bool failed = !file || ferror(file);
    if (file) fclose(file);
    if (failed || (got > 0 && memcmp(first, png_signature, got) == 0)) return paced_png_read;
    const bool jpeg = got >= sizeof jpeg_signature && memcmp(first, jpeg_signature, sizeof jpeg_signature) == 0;
    return jpeg ? jpeg_read : refuse_format;
}

enum paced_err paced_image_read(const char *path, const char *context, struct paced_image *image) {
    return reader_of(path)(path, context, image);
}
