/* TIFF reader, through libtiff: strips and tiles, both planar configurations, integers and floats of any usual depth,
 * every compression that libtiff decodes, and BigTIFF. The pages are the slices; thumbnails and transparency masks
 * among them are no slices.
 *
 * libtiff reports some faults in compressed data as warnings and fills the rest with zeros. Here every warning during
 * the decoding is an error, except `harmless`. Warnings about the directory are debug messages. */
#include "src/data/formats/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

enum { MAX_SAMPLES = 16 };

/* Spare pixels of a tile beyond the image, for small images in large tiles. */
enum { TILE_SPARE_PIXELS = 1 << 24 };

/* The only warning after which every pixel is as it was encoded. */
static const char harmless[] = "Old-style LZW codes";

/* One page, and the layout of its decoded blocks. */
struct page {
    uint32_t width, height;
    uint16_t bits, samples, format, photometric, compression;
    bool tiled, separate;
    uint32_t block_width, block_height; /* of a tile or strip */
    size_t row_bytes, block_bytes;
    const uint16_t *map[3]; /* colours of a palette; NULL: none */
};

struct reader {
    const char *path, *context;
    TIFF *tiff;
    bool decoding;
    char fault[200]; /* first error of libtiff; empty: none */
};

/* ---- messages of libtiff ------------------------------------------------------------------------------------- */

static int on_error(TIFF *tiff, void *reader, const char *module, const char *fmt, va_list args) {
    struct reader *r = reader;
    if (!*r->fault) vsnprintf(r->fault, sizeof r->fault, fmt, args);
    return 1; /* handled */
}

static int on_warning(TIFF *tiff, void *reader, const char *module, const char *fmt, va_list args) {
    struct reader *r = reader;
    char text[200];
    if (r->decoding && strncmp(fmt, harmless, strlen(harmless)) != 0) return on_error(tiff, r, module, fmt, args);
    vsnprintf(text, sizeof text, fmt, args);
    paced_log(PACED_LOG_DEBUG, "%s: %s", r->path, text);
    return 1;
}

static enum paced_err refuse_damaged(struct reader *r, const char *otherwise) {
    char *text = *r->fault ? r->fault : NULL;
    for (char *c = text; c && *c; ++c)
        if ((unsigned char)*c < ' ') *c = ' ';
    return format_refuse(r->path, r->context, "damaged or unusual TIFF file (%s); replace it", text ? text : otherwise);
}

static enum paced_err open_file(struct reader *r) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return paced_error_at(PACED_FAILED, r->path, "libtiff cannot start; out of memory?");
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, r);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, r);
    r->tiff = TIFFOpenExt(r->path, "rmc", options); /* m: no memory map, c: no invented strips */
    TIFFOpenOptionsFree(options);
    return r->tiff ? PACED_OK : refuse_damaged(r, "the file ends early");
}

static void close_file(struct reader *r) {
    if (r->tiff) TIFFClose(r->tiff);
}

/* ---- pages --------------------------------------------------------------------------------------------------- */

/* True for a page that shows another page: a thumbnail or a transparency mask. */
static bool is_secondary(TIFF *tiff) {
    uint32_t type = 0;
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &type);
    return type & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK);
}

/* Moves to the next page that is a slice; *more is false after the last one. */
static enum paced_err next_page(struct reader *r, bool *more) {
    do {
        *more = !TIFFLastDirectory(r->tiff);
        if (*more && !TIFFReadDirectory(r->tiff)) return refuse_damaged(r, "its pages form a loop");
        if (*r->fault) return refuse_damaged(r, "");
    } while (*more && is_secondary(r->tiff));
    return PACED_OK;
}

static enum paced_err read_size(struct reader *r, struct page *p) {
    TIFFGetField(r->tiff, TIFFTAG_IMAGEWIDTH, &p->width);
    TIFFGetField(r->tiff, TIFFTAG_IMAGELENGTH, &p->height);
    if (p->width == 0 || p->height == 0) return refuse_damaged(r, "it declares no pixels");
    return format_check_size(r->path, r->context, p->width, p->height);
}

static const char *unusual_samples(const struct page *p) {
    const bool is_float = p->format == SAMPLEFORMAT_IEEEFP;
    if (p->format == SAMPLEFORMAT_COMPLEXINT || p->format == SAMPLEFORMAT_COMPLEXIEEEFP) return "complex numbers";
    if (is_float && p->bits != 16 && p->bits != 32 && p->bits != 64) return "floats of neither 16, 32 nor 64 bits";
    if (!is_float && p->bits > 16 && p->bits != 32 && p->bits != 64) return "integers of an unusual depth";
    if (p->photometric == PHOTOMETRIC_PALETTE && (!p->map[0] || p->samples != 1)) return "a palette without colours";
    return NULL;
}

/* Channels of the photometric interpretation; 0: none that this reader displays. */
static int stored_channels(const struct page *p) {
    switch (p->photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_PALETTE:
        return 1;
    case PHOTOMETRIC_RGB:
        return 3;
    case PHOTOMETRIC_YCBCR:
        return p->compression == COMPRESSION_JPEG ? 3 : 0; /* libtiff converts it */
    default:
        return 0;
    }
}

static enum paced_err check_page(struct reader *r, const struct page *p, int extra) {
    const char *unusual = unusual_samples(p);
    if (unusual) return format_refuse(r->path, r->context, "holds %s; convert it to 8 or 16 bits", unusual);
    const int channels = stored_channels(p);
    if (channels == 0)
        return format_refuse(r->path, r->context,
                             "holds neither grey values, RGB nor a palette (photometric interpretation %u); convert it",
                             p->photometric);
    if (p->samples - extra == channels && p->samples <= MAX_SAMPLES) return PACED_OK;
    return format_refuse(r->path, r->context,
                         "has %u samples per pixel, %d of them extra, but shows %s; convert it to grey or RGB",
                         p->samples, extra, channels == 1 ? "one" : "three");
}

/* Reads the current page's header. */
static enum paced_err read_page(struct reader *r, struct page *p) {
    TIFF *t = r->tiff;
    uint16_t planar = PLANARCONFIG_CONTIG, extra = 0, *extras;
    uint16_t *map[3] = {NULL};
    *p = (struct page){0};
    PACED_TRY(read_size(r, p));
    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &p->bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &p->samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &p->format);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &p->compression);
    if (!TIFFIsCODECConfigured(p->compression))
        return format_refuse(r->path, r->context, "has a compression that libtiff cannot decode (%u); convert it",
                             p->compression);
    if (!TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &p->photometric))
        p->photometric = p->samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
    TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &extra, &extras);
    if (p->photometric == PHOTOMETRIC_PALETTE && TIFFGetField(t, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
        for (int c = 0; c < 3; ++c) p->map[c] = map[c];
    if (p->photometric == PHOTOMETRIC_YCBCR && p->compression == COMPRESSION_JPEG)
        TIFFSetField(t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    p->separate = planar == PLANARCONFIG_SEPARATE && p->samples > 1;
    p->tiled = TIFFIsTiled(t);
    return check_page(r, p, extra);
}

/* ---- header -------------------------------------------------------------------------------------------------- */

/* Distance of pixels, mm; 0: unknown. Programs write 72 or 96 dots per inch where they know no resolution. */
static double spacing_of(TIFF *tiff, uint32_t tag) {
    float resolution = 0;
    uint16_t unit = RESUNIT_NONE;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (!TIFFGetField(tiff, tag, &resolution) || !isfinite(resolution) || !(resolution > 0)) return 0;
    const double mm = unit == RESUNIT_INCH ? 25.4 : unit == RESUNIT_CENTIMETER ? 10 : 0;
    const double per_inch = (double)resolution * 25.4 / (mm > 0 ? mm : 1);
    if (fabs(per_inch - 72) < 0.05 || fabs(per_inch - 96) < 0.05) return 0;
    return mm / (double)resolution;
}

static struct paced_image_info info_of(TIFF *tiff, const struct page *p) {
    uint16_t orientation = 0;
    TIFFGetField(tiff, TIFFTAG_ORIENTATION, &orientation);
    return (struct paced_image_info){
        .width = (int)p->width,
        .height = (int)p->height,
        .channels = stored_channels(p),
        .slices = 1,
        .bits = p->bits,
        .is_signed = p->format == SAMPLEFORMAT_INT,
        .is_float = p->format == SAMPLEFORMAT_IEEEFP,
        .spacing_mm = {spacing_of(tiff, TIFFTAG_YRESOLUTION), spacing_of(tiff, TIFFTAG_XRESOLUTION)},
        .inverted = p->photometric == PHOTOMETRIC_MINISWHITE,
        .orientation = orientation};
}

/* Counts the pages after the first one, and compares their sizes. */
static enum paced_err count_pages(struct reader *r, const struct page *first, int *slices) {
    struct page page = {0};
    bool more = true;
    for (*slices = 1;; ++*slices) {
        PACED_TRY(next_page(r, &more));
        if (!more) return PACED_OK;
        if (*slices == FORMAT_MAX_SLICES)
            return format_refuse(r->path, r->context, "has more than %d pages; divide it", FORMAT_MAX_SLICES);
        PACED_TRY(read_size(r, &page));
        if (page.width != first->width || page.height != first->height)
            return format_refuse(r->path, r->context, "page %d is %u x %u, but page 0 is %u x %u; divide the file",
                                 *slices, page.width, page.height, first->width, first->height);
    }
}

static enum paced_err describe(const char *path, const char *context, struct paced_image_info *info) {
    struct reader r = {.path = path, .context = context};
    struct page page;
    int slices = 1;
    enum paced_err err = open_file(&r);
    if (!err) err = read_page(&r, &page);
    if (!err) *info = info_of(r.tiff, &page);
    if (!err) err = count_pages(&r, &page, &slices);
    if (!err) info->slices = slices;
    close_file(&r);
    return err;
}

/* ---- samples ------------------------------------------------------------------------------------------------- */

static float float_of_half(uint16_t half) {
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    const float value = exponent == 0    ? ldexpf((float)mantissa, -24)
                        : exponent == 31 ? (mantissa ? NAN : INFINITY)
                                         : ldexpf((float)(mantissa + 1024), exponent - 25);
    return half >> 15 ? -value : value;
}

/* Sample of fewer than 16 bits, other than 8, packed from the highest bit on. */
static int packed_at(const uint8_t *row, size_t i, int bits, bool is_signed) {
    int value = 0;
    for (size_t b = i * (size_t)bits, end = b + (size_t)bits; b < end; ++b)
        value = value << 1 | (row[b / 8] >> (7 - b % 8) & 1);
    return is_signed && value >> (bits - 1) ? value - (1 << bits) : value;
}

#define TYPED(type) ((double)((const type *)row)[i])

/* Sample i of a decoded row, in the byte order of the host. */
static double sample_at(const struct page *p, const uint8_t *row, size_t i) {
    const bool is_signed = p->format == SAMPLEFORMAT_INT;
    if (p->format == SAMPLEFORMAT_IEEEFP)
        return p->bits == 64   ? TYPED(double)
               : p->bits == 32 ? TYPED(float)
                               : (double)float_of_half(((const uint16_t *)row)[i]);
    switch (p->bits) {
    case 8:
        return is_signed ? TYPED(int8_t) : TYPED(uint8_t);
    case 16:
        return is_signed ? TYPED(int16_t) : TYPED(uint16_t);
    case 32:
        return is_signed ? TYPED(int32_t) : TYPED(uint32_t);
    case 64:
        return is_signed ? TYPED(int64_t) : TYPED(uint64_t);
    default:
        return packed_at(row, i, p->bits, is_signed);
    }
}

/* Destination of the decoded blocks. */
struct target {
    const struct page *page;
    struct paced_raster *raster;
    bool coloured; /* a palette becomes RGB */
    int scale;     /* of samples with fewer than 8 bits */
};

static enum paced_sample_type type_of(const struct page *p) {
    if (p->format == SAMPLEFORMAT_INT || p->format == SAMPLEFORMAT_IEEEFP) return PACED_REALS;
    return p->bits <= 8 ? PACED_BYTES : p->bits == 16 ? PACED_WORDS : PACED_REALS;
}

static void store(struct paced_raster *raster, size_t i, double value) {
    if (raster->sample == PACED_BYTES)
        ((uint8_t *)raster->value)[i] = (uint8_t)value;
    else if (raster->sample == PACED_WORDS)
        ((uint16_t *)raster->value)[i] = (uint16_t)value;
    else
        ((float *)raster->value)[i] = (float)value;
}

static void start_target(struct target *target, enum paced_samples samples) {
    static const size_t bytes[] = {[PACED_BYTES] = 1, [PACED_WORDS] = 2, [PACED_REALS] = 4};
    const struct page *p = target->page;
    struct paced_raster *raster = target->raster;
    raster->sample = type_of(p);
    target->coloured = p->photometric == PHOTOMETRIC_PALETTE && samples != PACED_VALUES;
    target->scale = 1;
    if (target->coloured) {
        raster->info.channels = 3;
        raster->sample = PACED_BYTES;
    } else if (raster->sample == PACED_BYTES && samples != PACED_VALUES) {
        target->scale = 255 / ((1 << p->bits) - 1);
    }
    raster->value = paced_alloc((size_t)p->width * p->height, (size_t)raster->info.channels * bytes[raster->sample]);
}

/* Stores `count` pixels of a decoded row from pixel `at` of the image on; plane: of separate ones, else -1. */
static void store_row(const struct target *target, const uint8_t *row, size_t at, size_t count, int plane) {
    const struct page *p = target->page;
    size_t channels = (size_t)target->raster->info.channels, step = plane < 0 ? p->samples : 1;
    for (size_t x = 0; x < count; ++x, ++at) {
        if (target->coloured) {
            size_t index = (size_t)sample_at(p, row, x);
            for (size_t c = 0; c < 3; ++c) store(target->raster, 3 * at + c, p->map[c][index] >> 8);
            continue;
        }
        size_t first = plane < 0 ? 0 : (size_t)plane, end = plane < 0 ? channels : first + 1;
        for (size_t c = first; c < end; ++c)
            store(target->raster, channels * at + c, sample_at(p, row, x * step + (plane < 0 ? c : 0)) * target->scale);
    }
}

/* ---- blocks -------------------------------------------------------------------------------------------------- */

static enum paced_err lay_out(struct reader *r, struct page *p) {
    TIFF *t = r->tiff;
    uint64_t row, bytes;
    p->block_width = p->width;
    if (p->tiled) {
        TIFFGetField(t, TIFFTAG_TILEWIDTH, &p->block_width);
        TIFFGetField(t, TIFFTAG_TILELENGTH, &p->block_height);
        PACED_TRY(format_check_size(r->path, r->context, p->block_width, p->block_height));
        if ((uint64_t)p->block_width * p->block_height > (uint64_t)p->width * p->height + TILE_SPARE_PIXELS)
            return refuse_damaged(r, "its tiles are larger than the image");
        row = TIFFTileRowSize64(t);
        bytes = TIFFTileSize64(t);
    } else {
        TIFFGetFieldDefaulted(t, TIFFTAG_ROWSPERSTRIP, &p->block_height);
        if (p->block_height > p->height) p->block_height = p->height;
        row = TIFFScanlineSize64(t);
        bytes = TIFFStripSize64(t);
    }
    const uint64_t samples = p->separate ? 1 : p->samples;
    if (p->block_width == 0 || p->block_height == 0 || row < (p->block_width * samples * p->bits + 7) / 8 ||
        bytes < row * p->block_height)
        return refuse_damaged(r, "its strips or tiles have no valid size");
    p->row_bytes = row;
    p->block_bytes = bytes;
    return PACED_OK;
}

/* Decodes the block at column x and row y, and stores the part of it that is inside the image. */
static enum paced_err read_block(struct reader *r, const struct target *target, uint32_t x, uint32_t y, int plane,
                                 uint8_t *block) {
    const struct page *p = target->page;
    const uint16_t sample = plane < 0 ? 0 : (uint16_t)plane;
    size_t rows = p->height - y < p->block_height ? p->height - y : p->block_height;
    size_t columns = p->width - x < p->block_width ? p->width - x : p->block_width;
    size_t wanted = p->tiled ? p->block_bytes : rows * p->row_bytes;
    tmsize_t done =
        p->tiled ? TIFFReadEncodedTile(r->tiff, TIFFComputeTile(r->tiff, x, y, 0, sample), block, (tmsize_t)wanted)
                 : TIFFReadEncodedStrip(r->tiff, TIFFComputeStrip(r->tiff, y, sample), block, (tmsize_t)wanted);
    if (done < 0 || (size_t)done != wanted || *r->fault) return refuse_damaged(r, "the file ends early");
    for (size_t k = 0; k < rows; ++k)
        store_row(target, block + k * p->row_bytes, (y + k) * p->width + x, columns, plane);
    return PACED_OK;
}

static enum paced_err read_blocks(struct reader *r, const struct target *target) {
    const struct page *p = target->page;
    uint8_t *block = paced_alloc(p->block_bytes, 1);
    int planes = p->separate ? target->raster->info.channels : 1;
    enum paced_err err = PACED_OK;
    r->decoding = true;
    for (int plane = 0; plane < planes; ++plane)
        for (uint32_t y = 0; y < p->height; y += p->block_height)
            for (uint32_t x = 0; x < p->width && !err; x += p->block_width)
                err = read_block(r, target, x, y, p->separate ? plane : -1, block);
    free(block);
    return err;
}

static bool is_lossy(uint16_t compression) {
    static const uint16_t lossy[] = {COMPRESSION_JPEG,     COMPRESSION_OJPEG, COMPRESSION_PIXARLOG, COMPRESSION_SGILOG,
                                     COMPRESSION_SGILOG24, COMPRESSION_LERC,  COMPRESSION_WEBP};
    for (size_t i = 0; i < PACED_COUNT(lossy); ++i)
        if (compression == lossy[i]) return true;
    return false;
}

static enum paced_err read_slice(struct reader *r, int slice, enum paced_samples samples, struct paced_raster *raster) {
    struct page page;
    bool more = true;
    for (int i = 0; i < slice && more; ++i) PACED_TRY(next_page(r, &more));
    PACED_TRY(read_page(r, &page));
    if (samples != PACED_SHOWN && is_lossy(page.compression))
        return format_refuse_lossy(r->path, r->context, "lossy TIFF");
    PACED_TRY(lay_out(r, &page));
    int slices = raster->info.slices;
    raster->info = info_of(r->tiff, &page);
    raster->info.slices = slices;
    struct target target = {.page = &page, .raster = raster};
    start_target(&target, samples);
    return read_blocks(r, &target);
}

static enum paced_err read_image(const char *path, const char *context, int slice, enum paced_samples samples,
                                 struct paced_raster *raster) {
    struct reader r = {.path = path, .context = context};
    enum paced_err err = open_file(&r);
    if (!err) err = read_slice(&r, slice, samples, raster);
    close_file(&r);
    if (!err) return PACED_OK;
    free(raster->value);
    *raster = (struct paced_raster){0};
    return err;
}

/* Classic files and BigTIFF, in both byte orders. */
static bool recognise(const uint8_t *first, size_t size) {
    if (size < 4) return false;
    return memcmp(first, "II*\0", 4) == 0 || memcmp(first, "MM\0*", 4) == 0 || memcmp(first, "II+\0", 4) == 0 ||
           memcmp(first, "MM\0+", 4) == 0;
}

const struct format tiff_format = {.name = "TIFF",
                                   .endings = (const char *const[]){".tif", ".tiff", ".TIF", ".TIFF", NULL},
                                   .recognise = recognise,
                                   .sliced = true,
                                   .describe = describe,
                                   .read = read_image};
