/* PNG files in and out, through libpng.
 *
 * Reading has two faces: paced_png_read gives what a viewer would show, without alpha, as 8-bit RGB;
 * paced_png_read_plane gives the stored sample values, which in masks are class numbers. Both decode the whole file, up
 * to its IEND chunk, so that a cut-off file is always an error and never a half-grey picture.
 *
 * libpng reports errors by longjmp. Law: after a jump no local variable of the function that called setjmp is read;
 * what must survive lives in a struct of the caller, so nothing is indeterminate and one place releases it. */
#include "paced/data.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 65535, MAX_PIXELS = 1 << 28, HEADER_BYTES = 24 };

struct reader {
    const char *path, *context;
    bool raw; /* stored samples instead of 8-bit RGB */
    FILE *file;
    png_structp png;
    png_infop info;
    size_t row_bytes;
    int width, height, channels, sample_bytes; /* of the decoded rows */
    png_bytep pixels, *rows;
};

/* Reports "<context>: <path>: <what>". */
static enum paced_err refuse(const struct reader *r, const char *what) {
    bool named = r->context != NULL && r->context[0] != '\0';
    return paced_error(PACED_INVALID, "%s%s%s: %s", named ? r->context : "", named ? ": " : "", r->path, what);
}

static void on_read_error(png_structp png, png_const_charp message) {
    const struct reader *r = png_get_error_ptr(png);
    char *what = paced_format("damaged PNG file (%s); replace it", message);
    refuse(r, what);
    free(what);
    png_longjmp(png, 1);
}

static void on_read_warning(png_structp png, png_const_charp message) {
    const struct reader *r = png_get_error_ptr(png);
    paced_log(PACED_LOG_DEBUG, "%s: %s", r->path, message);
}

static void read_bytes(png_structp png, png_bytep data, size_t size) {
    FILE *file = png_get_io_ptr(png);
    if (fread(data, 1, size, file) != size) png_error(png, ferror(file) ? strerror(errno) : "the file ends early");
}

static uint32_t big_endian(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Signature and size before libpng sees the file: clearer messages, and nothing is allocated for an absurd claim. */
static enum paced_err check_header(struct reader *r) {
    uint8_t header[HEADER_BYTES];
    size_t got = fread(header, 1, sizeof header, r->file);
    if (ferror(r->file)) {
        char *what = paced_format("cannot read: %s", strerror(errno));
        enum paced_err err = refuse(r, what);
        free(what);
        return err;
    }
    if (png_sig_cmp(header, 0, got < 8 ? got : 8) != 0 || got == 0) return refuse(r, "is no PNG file; convert it");
    if (got < sizeof header) return refuse(r, "damaged PNG file (the file ends early); replace it");
    uint32_t width = big_endian(header + 16), height = big_endian(header + 20);
    if (width > MAX_SIDE || height > MAX_SIDE || (uint64_t)width * height > MAX_PIXELS) {
        char *what = paced_format("claims %u x %u pixels, above the limit of %d on a side and %d in all; scale it down",
                                  width, height, MAX_SIDE, MAX_PIXELS);
        enum paced_err err = refuse(r, what);
        free(what);
        return err;
    }
    rewind(r->file);
    return PACED_OK;
}

static enum paced_err open_reader(struct reader *r) {
    r->file = fopen(r->path, "rb");
    if (r->file == NULL) {
        char *what = paced_format("cannot open: %s", strerror(errno));
        enum paced_err err = refuse(r, what);
        free(what);
        return err;
    }
    PACED_TRY(check_header(r));
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_read_error, on_read_warning);
    if (r->png != NULL) r->info = png_create_info_struct(r->png);
    if (r->info == NULL) return paced_error(PACED_FAILED, "%s: libpng cannot start; out of memory?", r->path);
    return PACED_OK;
}

/* Asks libpng for 8-bit RGB, or for one unscaled sample per byte (or byte pair). */
static void set_transforms(struct reader *r) {
    png_set_strip_alpha(r->png);
    if (r->raw) {
        png_set_packing(r->png);
        return;
    }
    png_set_strip_16(r->png); /* the high byte, without rounding */
    png_set_palette_to_rgb(r->png);
    if (!(png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_COLOR)) {
        png_set_expand_gray_1_2_4_to_8(r->png);
        png_set_gray_to_rgb(r->png);
    }
}

static enum paced_err decode(struct reader *r) {
    if (setjmp(png_jmpbuf(r->png))) return PACED_INVALID;
    png_set_read_fn(r->png, r->file, read_bytes);
    png_set_user_limits(r->png, MAX_SIDE, MAX_SIDE);
    png_read_info(r->png, r->info);
    set_transforms(r);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);

    r->width = (int)png_get_image_width(r->png, r->info);
    r->height = (int)png_get_image_height(r->png, r->info);
    r->channels = png_get_channels(r->png, r->info);
    r->sample_bytes = png_get_bit_depth(r->png, r->info) / 8;
    r->row_bytes = png_get_rowbytes(r->png, r->info);
    r->pixels = paced_alloc((size_t)r->height, r->row_bytes);
    r->rows = paced_alloc((size_t)r->height, sizeof *r->rows);
    for (int y = 0; y < r->height; y++) r->rows[y] = r->pixels + (size_t)y * r->row_bytes;

    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
    return PACED_OK;
}

static enum paced_err read_pixels(struct reader *r) {
    PACED_TRY(open_reader(r));
    return decode(r);
}

static void close_reader(struct reader *r) {
    png_destroy_read_struct(&r->png, &r->info, NULL);
    if (r->file != NULL) fclose(r->file);
    free(r->rows);
    free(r->pixels);
}

enum paced_err paced_png_read(const char *path, const char *context, struct paced_image *image) {
    struct reader r = {.path = path, .context = context};
    *image = (struct paced_image){0};
    enum paced_err err = read_pixels(&r);
    if (err == PACED_OK) {
        *image = (struct paced_image){r.width, r.height, r.pixels};
        r.pixels = NULL; /* handed over */
    }
    close_reader(&r);
    return err;
}

enum paced_err paced_png_read_plane(const char *path, const char *context, struct paced_plane *plane) {
    struct reader r = {.path = path, .context = context, .raw = true};
    *plane = (struct paced_plane){0};
    enum paced_err err = read_pixels(&r);
    if (err != PACED_OK) goto out;
    size_t count = (size_t)r.width * (size_t)r.height, stride = (size_t)(r.channels * r.sample_bytes);
    *plane = (struct paced_plane){r.width, r.height, paced_alloc(count, sizeof *plane->value)};
    for (size_t i = 0; i < count; i++) {
        const uint8_t *sample = r.pixels + i * stride;
        plane->value[i] = (uint16_t)(r.sample_bytes == 2 ? sample[0] << 8 | sample[1] : sample[0]);
    }
out:
    close_reader(&r);
    return err;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

struct writer {
    const char *name; /* for messages */
    FILE *stream;
    png_structp png;
    png_infop info;
};

static void on_write_error(png_structp png, png_const_charp message) {
    const struct writer *w = png_get_error_ptr(png);
    paced_error(PACED_FAILED, "%s: cannot write (%s); is the disk full?", w->name, message);
    png_longjmp(png, 1);
}

static void on_write_warning(png_structp png, png_const_charp message) {
    const struct writer *w = png_get_error_ptr(png);
    paced_log(PACED_LOG_DEBUG, "%s: %s", w->name, message);
}

static enum paced_err write_rows(struct writer *w, int width, int height, int channels, const uint8_t *pixels) {
    if (setjmp(png_jmpbuf(w->png))) return PACED_FAILED;
    png_init_io(w->png, w->stream);
    png_set_IHDR(w->png, w->info, (png_uint_32)width, (png_uint_32)height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(w->png, w->info);
    for (size_t y = 0; y < (size_t)height; y++) png_write_row(w->png, pixels + y * (size_t)width * (size_t)channels);
    png_write_end(w->png, NULL);
    return PACED_OK;
}

/* Onto a stream that is open. */
static enum paced_err encode(const char *name, FILE *stream, int width, int height, int channels,
                             const uint8_t *pixels) {
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || (channels != 1 && channels != 3))
        return paced_error(PACED_FAILED,
                           "%s: cannot write a PNG of %d x %d x %d; 1 or 3 channels and up to %d on a side", name,
                           width, height, channels, MAX_SIDE);
    struct writer w = {.name = name, .stream = stream};
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, on_write_error, on_write_warning);
    if (w.png != NULL) w.info = png_create_info_struct(w.png);
    enum paced_err err = w.info ? write_rows(&w, width, height, channels, pixels)
                                : paced_error(PACED_FAILED, "%s: libpng cannot start; out of memory?", name);
    png_destroy_write_struct(&w.png, &w.info);
    return err;
}

enum paced_err paced_png_write(const char *path, int width, int height, int channels, const uint8_t *pixels) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    enum paced_err err = encode(path, file.stream, width, height, channels, pixels);
    if (!err) return paced_atomic_commit(&file);
    paced_atomic_abort(&file);
    return err;
}

enum paced_err paced_png_encode(uint8_t **data, size_t *size, int width, int height, int channels,
                                const uint8_t *pixels) {
    char *bytes = NULL;
    *data = NULL;
    FILE *stream = open_memstream(&bytes, size);
    if (!stream) return paced_error(PACED_FAILED, "a picture of %d x %d: out of memory", width, height);
    enum paced_err err = encode("a picture in memory", stream, width, height, channels, pixels);
    if (fclose(stream) != 0 && !err)
        err = paced_error(PACED_FAILED, "a picture of %d x %d: out of memory", width, height);
    if (err)
        free(bytes);
    else
        *data = (uint8_t *)bytes;
    return err;
}
