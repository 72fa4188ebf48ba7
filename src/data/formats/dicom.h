/* dicom: DCMTK behind an interface that C and C++ share. Private to the data module. */
#ifndef PACED_DATA_DICOM_H
#define PACED_DATA_DICOM_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dicom_image {
    int width, height, channels, slices;
    int bits; /* of a stored sample */
    bool is_signed, scaled, lossy;
    bool inverted;        /* MONOCHROME1 */
    double spacing_mm[2]; /* between rows, between columns; 0: unknown */
    double window[2];     /* values shown as black and as white; equal: not given */
    enum { DICOM_BYTES, DICOM_WORDS, DICOM_FLOATS } sample;
    void *value; /* [height][width][channels]; release with free() */
};

/* Reads the header. Returns NULL, or the fault, a constant without any data of the file. */
const char *dicom_describe(const char *path, struct dicom_image *image);
/* Reads header and samples of a slice; shown: palettes as RGB, one bit as 0 and 255. Thread-safe. */
const char *dicom_read(const char *path, int slice, bool shown, struct dicom_image *image);

#ifdef __cplusplus
}
#endif

#endif
