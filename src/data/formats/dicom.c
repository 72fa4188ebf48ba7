/* DICOM files: the row of the table of formats. dicom.cc reads them with DCMTK, in builds that have it; without it they
 * are recognised only. No message holds a value of a file, which might tell who the patient is. */
#include "src/data/formats/dicom.h"

#include <stdlib.h>
#include <string.h>

#include "src/data/formats/format.h"

#ifdef PACED_DICOM

static enum paced_err finish(const char *path, const char *context, const char *fault, struct dicom_image *image) {
    if (!fault) return format_check_size(path, context, (uint64_t)image->width, (uint64_t)image->height);
    return format_refuse(path, context, "damaged or unusual DICOM file (%s); replace or convert it", fault);
}

#else

const char *dicom_describe(const char *path, struct dicom_image *image) {
    return "";
}

const char *dicom_read(const char *path, int slice, bool shown, struct dicom_image *image) {
    return "";
}

static enum paced_err finish(const char *path, const char *context, const char *fault, struct dicom_image *image) {
    return format_refuse(path, context,
                         "is a DICOM file, which this build does not read; install libdcmtk-dev and g++ "
                         "and build again, or convert it");
}

#endif

static struct paced_image_info info_of(const struct dicom_image *image) {
    return (struct paced_image_info){.width = image->width,
                                     .height = image->height,
                                     .channels = image->channels,
                                     .slices = image->slices,
                                     .bits = image->bits,
                                     .is_signed = image->is_signed,
                                     .is_float = image->scaled,
                                     .spacing_mm = {image->spacing_mm[0], image->spacing_mm[1]},
                                     .window = {image->window[0], image->window[1]},
                                     .inverted = image->inverted};
}

static enum paced_err describe(const char *path, const char *context, struct paced_image_info *info) {
    struct dicom_image image = {0};
    PACED_TRY(finish(path, context, dicom_describe(path, &image), &image));
    *info = info_of(&image);
    return PACED_OK;
}

static enum paced_err read_image(const char *path, const char *context, int slice, enum paced_samples samples,
                                 struct paced_raster *raster) {
    static const enum paced_sample_type types[] = {
        [DICOM_BYTES] = PACED_BYTES, [DICOM_WORDS] = PACED_WORDS, [DICOM_FLOATS] = PACED_REALS};
    struct dicom_image image = {0};
    *raster = (struct paced_raster){0};
    PACED_TRY(finish(path, context, dicom_describe(path, &image), &image));
    if (samples != PACED_SHOWN && image.lossy) return format_refuse_lossy(path, context, "lossy DICOM");
    PACED_TRY(finish(path, context, dicom_read(path, slice, samples != PACED_VALUES, &image), &image));
    raster->info = info_of(&image);
    raster->sample = types[image.sample];
    raster->value = image.value;
    return PACED_OK;
}

static bool recognise(const uint8_t *first, size_t size) {
    enum { PREAMBLE = 128 };
    return size >= PREAMBLE + 4 && memcmp(first + PREAMBLE, "DICM", 4) == 0;
}

const struct format dicom_format = {.name = "DICOM",
                                    .endings = (const char *const[]){".dcm", ".DCM", NULL},
                                    .recognise = recognise,
                                    .sliced = true,
                                    .describe = describe,
                                    .read = read_image};
