/* Range of values: the conversion of samples of any depth to 8 bits.
 *
 * Black and white are low and high; byte = floor(256 (v - low) / (high - low + step)), where step is 1 for integers and
 * 0 for floats. So 0..255 leaves 8-bit samples as they are, and 0..65535 takes the high byte of 16-bit ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/data.h"

/* ---- as text ------------------------------------------------------------------------------------------------- */

static bool read_pair(const char *text, double *low, double *high) {
    char *end;
    *low = strtod(text, &end);
    if (end == text || *end != ',') return false;
    const char *second = end + 1;
    *high = strtod(second, &end);
    return end != second && !*end && isfinite(*low) && isfinite(*high) && *low < *high;
}

enum paced_err paced_value_range_parse(struct paced_value_range *range, const char *where, const char *text) {
    *range = (struct paced_value_range){.kind = PACED_RANGE_FIXED, .high = 255};
    if (!text) text = "";
    bool measured = strncmp(text, "auto,", 5) == 0;
    if (strcmp(text, "8bit") == 0) return PACED_OK;
    if (strcmp(text, "16bit") == 0) {
        range->high = 65535;
        return PACED_OK;
    }
    if (!*text || strcmp(text, "auto") == 0 || strcmp(text, "file") == 0) {
        *range = (struct paced_value_range){.kind = strcmp(text, "file") == 0 ? PACED_RANGE_FILE : PACED_RANGE_AUTO};
        return PACED_OK;
    }
    if (measured) range->kind = PACED_RANGE_AUTO;
    if (read_pair(measured ? text + 5 : text, &range->low, &range->high)) return PACED_OK;
    return paced_error(PACED_INVALID,
                       "%s: '%s' is not a range of values; use auto, 8bit, 16bit, file or two numbers LOW,HIGH", where,
                       text);
}

char *paced_value_range_text(struct paced_value_range range, const char *text) {
    bool measured = range.kind == PACED_RANGE_AUTO && range.low < range.high;
    return measured ? paced_format("auto,%.9g,%.9g", range.low, range.high) : paced_strdup(text);
}

/* ---- measuring ----------------------------------------------------------------------------------------------- */

static size_t sample_count(const struct paced_raster *raster) {
    return (size_t)raster->info.width * (size_t)raster->info.height * (size_t)raster->info.channels;
}

void paced_value_range_measure(const struct paced_raster *raster, double *low, double *high) {
    size_t count = sample_count(raster);
    for (size_t i = 0; i < count; ++i) {
        double v = paced_raster_at(raster, i);
        if (v < *low) *low = v;
        if (v > *high) *high = v; /* false for NaN */
    }
}

double paced_value_range_outside(const struct paced_raster *raster, const struct paced_value_range *range) {
    const size_t count = sample_count(raster);
    size_t outside = 0;
    if (!(range->low < range->high) || (range->kind == PACED_RANGE_AUTO && raster->sample == PACED_BYTES)) return 0;
    for (size_t i = 0; i < count; ++i) {
        const double v = paced_raster_at(raster, i);
        outside += v < range->low || v > range->high;
    }
    return (double)outside / (double)count;
}

double paced_value_range_tolerance(const struct paced_value_range *range) {
    return range->kind == PACED_RANGE_AUTO ? 0.01 : 0.95;
}

struct paced_value_range paced_value_range_choose(const struct paced_image_info *info, double low, double high) {
    struct paced_value_range range = {.kind = PACED_RANGE_AUTO, .low = low, .high = high};
    if (!(low < high)) range.high = range.low + 1;
    if (info->is_float || info->is_signed || low < 0) return range;
    range.low = 0;
    range.high = 255;
    while (range.high < high) range.high = 2 * range.high + 1;
    return range;
}

/* ---- conversion ---------------------------------------------------------------------------------------------- */

/* Low and high for one raster. */
static struct paced_value_range resolve(const struct paced_raster *raster, const struct paced_value_range *range) {
    const struct paced_image_info *info = &raster->info;
    double low = INFINITY, high = -INFINITY;
    if (range && range->kind == PACED_RANGE_FIXED) return *range;
    if (!range || range->kind == PACED_RANGE_AUTO) {
        if (raster->sample == PACED_BYTES) return (struct paced_value_range){.high = 255};
        if (range && range->low < range->high) return *range;
        if (info->window[0] < info->window[1])
            return (struct paced_value_range){.low = info->window[0], .high = info->window[1]};
        paced_value_range_measure(raster, &low, &high);
        return paced_value_range_choose(info, low, high);
    }
    paced_value_range_measure(raster, &low, &high);
    return (struct paced_value_range){.low = low, .high = low < high ? high : low + 1};
}

static uint8_t byte_of(double v, double low, double scale) {
    double part = (v - low) * scale;
    return part >= 255 ? 255 : part > 0 ? (uint8_t)part : 0; /* NaN becomes 0 */
}

static void replicate(const uint8_t *grey, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; ++i) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
}

static void convert(const struct paced_raster *raster, const struct paced_value_range *r, uint8_t *rgb) {
    const struct paced_image_info *info = &raster->info;
    const double scale = 256 / (r->high - r->low + (info->is_float ? 0 : 1));
    const size_t values = 3 * (size_t)info->width * (size_t)info->height;
    for (size_t i = 0; i < values; ++i) {
        uint8_t byte = byte_of(paced_raster_at(raster, info->channels == 3 ? i : i / 3), r->low, scale);
        rgb[i] = info->inverted ? (uint8_t)(255 - byte) : byte;
    }
}

struct paced_image paced_image_from(struct paced_raster *raster, const struct paced_value_range *range) {
    const struct paced_image_info *info = &raster->info;
    const struct paced_value_range r = resolve(raster, range);
    /* The samples are bytes of the image already. */
    const bool ready = raster->sample == PACED_BYTES && !info->inverted && r.low == 0 && r.high == 255;
    struct paced_image image = {info->width, info->height, raster->value};
    if (!ready || info->channels != 3) {
        const size_t pixels = (size_t)info->width * (size_t)info->height;
        image.rgb = paced_alloc(pixels, 3);
        if (ready)
            replicate(raster->value, pixels, image.rgb);
        else
            convert(raster, &r, image.rgb);
        free(raster->value);
    }
    *raster = (struct paced_raster){0};
    return image;
}

enum paced_err paced_image_read(const char *path, const char *context, const struct paced_value_range *range,
                                struct paced_image *image) {
    struct paced_raster raster;
    *image = (struct paced_image){0};
    PACED_TRY(paced_raster_read(path, context, PACED_SHOWN, &raster));
    if (*raster.warning) paced_log(PACED_LOG_WARN, "%s: %s", path, raster.warning);
    const double outside = range ? paced_value_range_outside(&raster, range) : 0;
    if (range && outside > paced_value_range_tolerance(range))
        paced_log(PACED_LOG_WARN, "%s: %.1f%% of its values lie outside data.range = %g,%g and become black or white",
                  path, 100 * outside, range->low, range->high);
    *image = paced_image_from(&raster, range);
    return PACED_OK;
}
