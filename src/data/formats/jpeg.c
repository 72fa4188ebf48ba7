/* JPEG reader, through libjpeg: grey, colour and CMYK files to RGB with the library's default decoding (accurate
 * transform, smooth chroma upsampling).
 *
 * libjpeg reports faults in the data as warnings and fills the rest with grey. Here only the warnings of `harmless` are
 * accepted, so that a truncated or damaged file is an error.
 *
 * libjpeg reports errors by longjmp: no local variable of the function that called setjmp is read after a jump. */
#include "src/data/formats/format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* Warnings after which every pixel is as it was encoded. */
static const int harmless[] = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR};

struct reader {
    struct jpeg_error_mgr errors; /* first, so that the library's pointer to it is one to the reader */
    struct jpeg_decompress_struct jpeg;
    jmp_buf jump;
    const char *path, *context;
    FILE *file;
    struct paced_raster raster;
    uint8_t *inks; /* [width][4], of a CMYK row */
    struct jpeg_progress_mgr progress;
};

static void on_error(j_common_ptr jpeg) {
    struct reader *r = (struct reader *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    format_refuse(r->path, r->context, "damaged or unusual JPEG file (%s); replace it", text);
    longjmp(r->jump, 1);
}

static void on_message(j_common_ptr jpeg, int level) {
    struct reader *r = (struct reader *)jpeg->err;
    if (level >= 0) return; /* a trace */
    bool accepted = false;
    for (size_t i = 0; i < PACED_COUNT(harmless); ++i) accepted |= jpeg->err->msg_code == harmless[i];
    if (!accepted) on_error(jpeg);
    _Static_assert(sizeof r->raster.warning >= JMSG_LENGTH_MAX, "a message of libjpeg fits");
    jpeg->err->format_message(jpeg, r->raster.warning);
}

/* Limits the work for a small file of many progressive scans. */
static void on_progress(j_common_ptr jpeg) {
    enum { MAX_SCANS = 500 };
    struct reader *r = (struct reader *)jpeg->err;
    if (r->jpeg.input_scan_number <= MAX_SCANS) return;
    format_refuse(r->path, r->context, "damaged or unusual JPEG file (more than %d scans); replace it", MAX_SCANS);
    longjmp(r->jump, 1);
}

/* ---- header -------------------------------------------------------------------------------------------------- */

static unsigned read_number(const uint8_t *b, int size, bool big) {
    unsigned value = 0;
    for (int i = 0; i < size; ++i) value = value << 8 | b[big ? i : size - 1 - i];
    return value;
}

/* Orientation in an EXIF segment: 1 (upright) to 8, 0 if it has none. */
static int find_orientation(const uint8_t *exif, size_t size) {
    enum { START = 6, ENTRY = 12, ORIENTATION = 0x112 };
    if (size < START + 8 || memcmp(exif, "Exif\0", 6) != 0) return 0;
    const uint8_t *tiff = exif + START;
    bool big = tiff[0] == 'M';
    size_t left = size - START, at = read_number(tiff + 4, 4, big);
    if (at > left - 2) return 0;
    size_t entries = read_number(tiff + at, 2, big);
    for (at += 2; entries > 0 && at + ENTRY <= left; --entries, at += ENTRY)
        if (read_number(tiff + at, 2, big) == ORIENTATION) return (int)read_number(tiff + at + 8, 2, big);
    return 0;
}

static enum paced_err open_file(struct reader *r) {
    r->file = fopen(r->path, "rb");
    if (!r->file) return format_refuse(r->path, r->context, "cannot open: %s; check the path", strerror(errno));
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    return PACED_OK;
}

static enum paced_err read_header(struct reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    if (setjmp(r->jump)) return PACED_INVALID;
    jpeg_create_decompress(jpeg);
    r->progress.progress_monitor = on_progress;
    jpeg->progress = &r->progress;
    jpeg_stdio_src(jpeg, r->file);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    struct paced_image_info *info = &r->raster.info;
    *info = (struct paced_image_info){
        .width = (int)jpeg->image_width, .height = (int)jpeg->image_height, .channels = 3, .slices = 1, .bits = 8};
    for (const struct jpeg_marker_struct *m = jpeg->marker_list; m; m = m->next)
        if (info->orientation == 0) info->orientation = find_orientation(m->data, m->data_length);
    return format_check_size(r->path, r->context, jpeg->image_width, jpeg->image_height);
}

/* ---- pixels -------------------------------------------------------------------------------------------------- */

/* Adobe's files hold 255 for no ink, others 0. */
static void mix_inks(const struct reader *r, uint8_t *rgb) {
    const bool inverted = r->jpeg.saw_Adobe_marker;
    for (int x = 0; x < r->raster.info.width; ++x)
        for (int c = 0; c < 3; ++c) {
            int colour = r->inks[4 * x + c], black = r->inks[4 * x + 3];
            if (!inverted) {
                colour = 255 - colour;
                black = 255 - black;
            }
            rgb[3 * x + c] = (uint8_t)((colour * black + 127) / 255);
        }
}

static enum paced_err decode(struct reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    size_t row_bytes = 3 * (size_t)r->raster.info.width;
    if (setjmp(r->jump)) return PACED_INVALID;
    const bool inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    r->raster.value = paced_alloc((size_t)r->raster.info.height, row_bytes);
    if (inks) r->inks = paced_alloc((size_t)r->raster.info.width, 4);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *rgb = (uint8_t *)r->raster.value + jpeg->output_scanline * row_bytes, *row = inks ? r->inks : rgb;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (inks) mix_inks(r, rgb);
    }
    jpeg_finish_decompress(jpeg);
    return PACED_OK;
}

static void close_reader(struct reader *r) {
    if (!r->file) return;
    jpeg_destroy_decompress(&r->jpeg);
    fclose(r->file);
    free(r->inks);
    free(r->raster.value);
}

static enum paced_err read_image(const char *path, const char *context, int slice, enum paced_samples samples,
                                 struct paced_raster *raster) {
    struct reader r = {.path = path, .context = context};
    enum paced_err err = open_file(&r);
    if (!err) err = read_header(&r);
    if (!err) err = decode(&r);
    if (!err) {
        *raster = r.raster;
        r.raster.value = NULL; /* handed over */
    }
    close_reader(&r);
    return err;
}

static enum paced_err describe(const char *path, const char *context, struct paced_image_info *info) {
    struct reader r = {.path = path, .context = context};
    enum paced_err err = open_file(&r);
    if (!err) err = read_header(&r);
    *info = r.raster.info;
    close_reader(&r);
    return err;
}

static bool recognise(const uint8_t *first, size_t size) {
    static const uint8_t signature[3] = {0xff, 0xd8, 0xff};
    return size >= sizeof signature && memcmp(first, signature, sizeof signature) == 0;
}

const struct format jpeg_format = {.name = "JPEG",
                                   .endings = (const char *const[]){".jpg", ".jpeg", ".JPG", ".JPEG", NULL},
                                   .recognise = recognise,
                                   .lossy = true,
                                   .describe = describe,
                                   .read = read_image};
