/* PNG reader and writer, through libpng.
 *
 * The displayed image is grey or RGB of 8 or 16 bits; the stored values are palette indices or samples of any depth.
 * Both need the whole file, up to its IEND chunk, so that a truncated file is always an error.
 *
 * libpng reports errors by longjmp, so every function that calls it calls setjmp itself. Invariant: after a jump, no
 * local variable of the function that called setjmp is read. State lives in a struct of the caller, so that nothing is
 * indeterminate and one function releases it. */
#include "src/data/formats/format.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 26 };

struct reader {
    const char *path, *context;
    bool raw; /* stored samples instead of displayed ones */
    FILE *file;
    png_structp png;
    png_infop info;
    size_t row_bytes;
    struct paced_image_info declared;          /* by the header */
    int width, height, channels, sample_bytes; /* format of the decoded rows */
    png_bytep pixels, *rows;
};

static void on_read_error(png_structp png, png_const_charp message) {
    const struct reader *r = png_get_error_ptr(png);
    format_refuse(r->path, r->context, "damaged PNG file (%s); replace it", message);
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

/* Reads the size before libpng reads the file, for a clear message and no allocation for a false size. */
static enum paced_err read_header(struct reader *r) {
    uint8_t header[HEADER_BYTES];
    r->file = fopen(r->path, "rb");
    if (!r->file) return format_refuse(r->path, r->context, "cannot open: %s; check the path", strerror(errno));
    if (fread(header, 1, sizeof header, r->file) < sizeof header)
        return format_refuse(r->path, r->context, "damaged PNG file (the file ends early); replace it");
    rewind(r->file);
    uint32_t width = big_endian(header + 16), height = big_endian(header + 20);
    PACED_TRY(format_check_size(r->path, r->context, width, height));
    bool coloured = header[25] == PNG_COLOR_TYPE_RGB || header[25] == PNG_COLOR_TYPE_RGB_ALPHA;
    r->declared = (struct paced_image_info){
        .width = (int)width, .height = (int)height, .channels = coloured ? 3 : 1, .slices = 1, .bits = header[24]};
    return PACED_OK;
}

static enum paced_err open_reader(struct reader *r) {
    PACED_TRY(read_header(r));
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_read_error, on_read_warning);
    if (r->png) r->info = png_create_info_struct(r->png);
    if (!r->info) return paced_error_at(PACED_FAILED, r->path, "libpng cannot start; out of memory?");
    return PACED_OK;
}

/* Requests grey or RGB from libpng, or unscaled samples, in bytes or byte pairs. */
static void set_transforms(struct reader *r) {
    png_set_strip_alpha(r->png);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(r->png);
    if (r->raw) {
        png_set_packing(r->png);
        return;
    }
    png_set_palette_to_rgb(r->png);
    if (!(png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_COLOR)) png_set_expand_gray_1_2_4_to_8(r->png);
}

static enum paced_err decode(struct reader *r) {
    if (setjmp(png_jmpbuf(r->png))) return PACED_INVALID;
    png_set_read_fn(r->png, r->file, read_bytes);
    png_set_user_limits(r->png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
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
    for (int y = 0; y < r->height; ++y) r->rows[y] = r->pixels + (size_t)y * r->row_bytes;

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
    if (r->file) fclose(r->file);
    free(r->rows);
    free(r->pixels);
}

static enum paced_err read_samples(const char *path, const char *context, int slice, enum paced_samples samples,
                                   struct paced_raster *raster) {
    struct reader r = {.path = path, .context = context, .raw = samples == PACED_VALUES};
    enum paced_err err = read_pixels(&r);
    if (!err) {
        *raster = (struct paced_raster){r.declared, r.sample_bytes == 2 ? PACED_WORDS : PACED_BYTES, r.pixels};
        raster->info.channels = r.channels;
        r.pixels = NULL; /* handed over */
    }
    close_reader(&r);
    return err;
}

static enum paced_err describe(const char *path, const char *context, struct paced_image_info *info) {
    struct reader r = {.path = path, .context = context};
    enum paced_err err = read_header(&r);
    *info = r.declared;
    close_reader(&r);
    return err;
}

static bool recognise(const uint8_t *first, size_t size) {
    return size > 0 && png_sig_cmp(first, 0, size < 8 ? size : 8) == 0;
}

const struct format png_format = {.name = "PNG",
                                  .endings = (const char *const[]){".png", ".PNG", NULL},
                                  .recognise = recognise,
                                  .describe = describe,
                                  .read = read_samples};

/* ---- writing ------------------------------------------------------------------------------------------------- */

struct paced_png {
    struct paced_atomic file; /* only its stream is set when writing to memory */
    const char *path;         /* for messages */
    png_structp png;
    png_infop info;
    png_color palette[256];
    int colours; /* in the palette; 0: none */
};

static void on_write_error(png_structp png, png_const_charp message) {
    const struct paced_png *w = png_get_error_ptr(png);
    paced_error_at(PACED_FAILED, w->path, "cannot write: %s; is the disk full?",
                   ferror(w->file.stream) ? strerror(errno) : message);
    png_longjmp(png, 1);
}

static void on_write_warning(png_structp png, png_const_charp message) {
    const struct paced_png *w = png_get_error_ptr(png);
    paced_log(PACED_LOG_DEBUG, "%s: %s", w->path, message);
}

static enum paced_err start(struct paced_png *w, int width, int height, int channels, int bits) {
    w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, on_write_error, on_write_warning);
    if (w->png) w->info = png_create_info_struct(w->png);
    if (!w->info) return paced_error_at(PACED_FAILED, w->path, "libpng cannot start; out of memory?");
    if (setjmp(png_jmpbuf(w->png))) return PACED_FAILED;
    png_init_io(w->png, w->file.stream);
    png_set_IHDR(w->png, w->info, (png_uint_32)width, (png_uint_32)height, bits,
                 w->colours > 0  ? PNG_COLOR_TYPE_PALETTE
                 : channels == 1 ? PNG_COLOR_TYPE_GRAY
                                 : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (w->colours > 0) png_set_PLTE(w->png, w->info, w->palette, w->colours);
    png_write_info(w->png, w->info);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && bits == 16) png_set_swap(w->png);
    return PACED_OK;
}

static enum paced_err check(const char *path, int width, int height, int channels, int bits) {
    if (width >= 1 && height >= 1 && width <= IMAGE_MAX_SIDE && height <= IMAGE_MAX_SIDE &&
        (channels == 1 || channels == 3) && (bits == 8 || bits == 16))
        return PACED_OK;
    return paced_error_at(PACED_FAILED, path,
                          "cannot write a PNG of %d x %d x %d, %d bits; 1 or 3 channels, 8 or 16 bits and up to %d on "
                          "a side",
                          width, height, channels, bits, IMAGE_MAX_SIDE);
}

/* Takes ownership of `w`, which holds the palette. */
static enum paced_err create(struct paced_png **png, struct paced_png *w, const char *path, int width, int height,
                             int channels, int bits) {
    enum paced_err err = paced_atomic_open(&w->file, path);
    w->path = w->file.path;
    if (!err) err = start(w, width, height, channels, bits);
    if (!err) *png = w;
    if (err) paced_png_abort(w);
    return err;
}

enum paced_err paced_png_create(struct paced_png **png, const char *path, int width, int height, int channels,
                                int bits) {
    *png = NULL;
    PACED_TRY(check(path, width, height, channels, bits));
    return create(png, paced_alloc(1, sizeof **png), path, width, height, channels, bits);
}

enum paced_err paced_png_add_row(struct paced_png *w, const void *row) {
    if (setjmp(png_jmpbuf(w->png))) return PACED_FAILED;
    png_write_row(w->png, row);
    return PACED_OK;
}

static enum paced_err end(struct paced_png *w) {
    if (setjmp(png_jmpbuf(w->png))) return PACED_FAILED;
    png_write_end(w->png, NULL);
    return PACED_OK;
}

enum paced_err paced_png_commit(struct paced_png *w) {
    enum paced_err err = end(w);
    if (!err) err = paced_atomic_commit(&w->file);
    paced_png_abort(w);
    return err;
}

void paced_png_abort(struct paced_png *w) {
    if (!w) return;
    png_destroy_write_struct(&w->png, &w->info);
    paced_atomic_abort(&w->file);
    free(w);
}

static enum paced_err add_rows(struct paced_png *w, int height, size_t row_bytes, const uint8_t *pixels) {
    for (size_t y = 0; y < (size_t)height; ++y) PACED_TRY(paced_png_add_row(w, pixels + y * row_bytes));
    return PACED_OK;
}

/* Writes all rows of 8 bits and ends the file; on an error no file is left. */
static enum paced_err write_all(struct paced_png *w, int width, int height, int channels, const uint8_t *pixels) {
    enum paced_err err = add_rows(w, height, (size_t)width * (size_t)channels, pixels);
    if (!err) return paced_png_commit(w);
    paced_png_abort(w);
    return err;
}

enum paced_err paced_png_write(const char *path, int width, int height, int channels, const uint8_t *pixels) {
    struct paced_png *w;
    PACED_TRY(paced_png_create(&w, path, width, height, channels, 8));
    return write_all(w, width, height, channels, pixels);
}

enum paced_err paced_png_write_indexed(const char *path, int width, int height, const uint8_t *index,
                                       const uint32_t *colours, int count) {
    PACED_TRY(check(path, width, height, 1, 8));
    struct paced_png *w = paced_alloc(1, sizeof *w);
    w->colours = count;
    for (int c = 0; c < count; ++c)
        w->palette[c] = (png_color){(png_byte)(colours[c] >> 16), (png_byte)(colours[c] >> 8), (png_byte)colours[c]};
    PACED_TRY(create(&w, w, path, width, height, 1, 8));
    return write_all(w, width, height, 1, index);
}

enum paced_err paced_png_encode(uint8_t **data, size_t *size, int width, int height, int channels,
                                const uint8_t *pixels) {
    struct paced_png w = {.path = "an image in memory"};
    char *bytes = NULL;
    *data = NULL;
    PACED_TRY(check(w.path, width, height, channels, 8));
    w.file.stream = open_memstream(&bytes, size);
    if (!w.file.stream) return paced_error_at(PACED_FAILED, w.path, "out of memory");
    enum paced_err err = start(&w, width, height, channels, 8);
    if (!err) err = add_rows(&w, height, (size_t)width * (size_t)channels, pixels);
    if (!err) err = end(&w);
    png_destroy_write_struct(&w.png, &w.info);
    if (fclose(w.file.stream) != 0 && !err) err = paced_error_at(PACED_FAILED, w.path, "out of memory");
    if (err)
        free(bytes);
    else
        *data = (uint8_t *)bytes;
    return err;
}
