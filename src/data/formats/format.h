/* format: one row per image file format, and what the readers share. Private to the data module.
 *
 * A new format needs a file with its row and a line in the table of image.c. */
#ifndef PACED_DATA_FORMAT_H
#define PACED_DATA_FORMAT_H

#include "paced/data.h"

enum { IMAGE_MAX_SIDE = 65535, IMAGE_MAX_PIXELS = 1 << 28 };

/* The first bytes of a file, for the recognition of its format. */
enum { FORMAT_FIRST_BYTES = 352 };

/* Maximum of the slices of a file. */
enum { FORMAT_MAX_SLICES = 65535 };

/* Readers get a file whose first bytes the format recognised. On an error the result holds nothing to release. */
struct format {
    const char *name;                                     /* for messages: "PNG" */
    const char *const *endings;                           /* of file names, with the dot; the last one is NULL */
    bool (*recognise)(const uint8_t *first, size_t size); /* size: at most FORMAT_FIRST_BYTES */
    bool lossy;                                           /* every file's compression changes values */
    bool sliced;                                          /* a file may hold several slices */
    enum paced_err (*describe)(const char *path, const char *context, struct paced_image_info *info);
    /* Reads slice `slice` of a file that has it: describe ran before, unless the format is not sliced. */
    enum paced_err (*read)(const char *path, const char *context, int slice, enum paced_samples samples,
                           struct paced_raster *raster);
};
extern const struct format png_format, jpeg_format, dicom_format, nifti_format, tiff_format;

/* The file of a path, without the number of a slice. Release with free(). */
char *image_file(const char *path);

/* Reports "<context>: <path>: ...", or "<path>: ..." if context is NULL or empty; returns PACED_INVALID. */
enum paced_err format_refuse(const char *path, const char *context, const char *fmt, ...) PACED_PRINTF(3, 4);

/* Reports that a file's compression changes values, which masks must not have. */
enum paced_err format_refuse_lossy(const char *path, const char *context, const char *name);

/* Checks the size declared in a header, before any allocation. */
enum paced_err format_check_size(const char *path, const char *context, uint64_t width, uint64_t height);

#endif
