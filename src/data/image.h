/* Common definitions of the image file readers. Private to the data module. */
#ifndef PACED_DATA_IMAGE_H
#define PACED_DATA_IMAGE_H

#include "paced/data.h"

enum { IMAGE_MAX_SIDE = 65535, IMAGE_MAX_PIXELS = 1 << 28 };

/* Reports "<context>: <path>: ...", or "<path>: ..." if context is NULL or empty; returns PACED_INVALID. */
enum paced_err image_refuse(const char *path, const char *context, const char *fmt, ...) PACED_PRINTF(3, 4);

/* Checks the size declared in a header, before any allocation. */
enum paced_err image_check_size(const char *path, const char *context, uint32_t width, uint32_t height);

/* ---- jpeg.c ---- */

/* First bytes of every JPEG file. */
static const uint8_t jpeg_signature[3] = {0xff, 0xd8, 0xff};

enum paced_err jpeg_read(const char *path, const char *context, struct paced_image *image);

#endif
