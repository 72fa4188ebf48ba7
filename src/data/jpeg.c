/* JPEG reader, through TurboJPEG: grey or colour files to RGB with libjpeg's default decoding (accurate transform,
 * smooth chroma upsampling).
 *
 * libjpeg continues after an error in the data and fills the rest with grey. Here this is an error, so that a truncated
 * file is never accepted. */
#include "src/data/format.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

enum { MAX_BYTES = 1 << 30 };

static enum paced_err decode(tjhandle tj, const char *path, const char *context, const uint8_t *file, size_t size,
                             struct paced_image *image) {
    int width = 0, height = 0, sampling, colours; /* unset if the file ends before its frame */
    if (tjDecompressHeader3(tj, file, size, &width, &height, &sampling, &colours) != 0 || width < 1 || height < 1)
        return format_refuse(path, context, "damaged or unusual JPEG file (%s); replace it", tjGetErrorStr2(tj));
    /* Programs disagree on whether 0 means no ink or full ink. */
    if (colours == TJCS_CMYK || colours == TJCS_YCCK)
        return format_refuse(path, context, "JPEG file in CMYK colours; convert it to RGB or grey");
    PACED_TRY(format_check_size(path, context, (uint32_t)width, (uint32_t)height));
    *image = (struct paced_image){width, height, paced_alloc((size_t)width * (size_t)height, 3)};
    if (tjDecompress2(tj, file, size, image->rgb, width, 0, height, TJPF_RGB,
                      TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) == 0)
        return PACED_OK;
    free(image->rgb);
    *image = (struct paced_image){0};
    return format_refuse(path, context, "damaged JPEG file (%s); replace it", tjGetErrorStr2(tj));
}

static enum paced_err read_image(const char *path, const char *context, struct paced_image *image) {
    uint8_t *file;
    size_t size;
    PACED_TRY(paced_file_read(path, MAX_BYTES, &file, &size));
    tjhandle tj = tjInitDecompress();
    enum paced_err err = tj ? decode(tj, path, context, file, size, image)
                            : paced_error_at(PACED_FAILED, path, "TurboJPEG cannot start; out of memory?");
    if (tj) tjDestroy(tj);
    free(file);
    return err;
}

static bool recognise(const uint8_t *first, size_t size) {
    static const uint8_t signature[3] = {0xff, 0xd8, 0xff};
    return size >= sizeof signature && memcmp(first, signature, sizeof signature) == 0;
}

const struct format jpeg_format = {"JPEG", (const char *const[]){".jpg", ".jpeg", ".JPG", ".JPEG", NULL}, recognise,
                                   read_image, NULL};
