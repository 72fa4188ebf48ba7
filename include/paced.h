/* libpaced: trained segmentation networks in other programs.
 *
 *   struct paced_segmenter *segmenter;
 *   if (paced_segmenter_open(&segmenter, "best.safetensors", NULL) != PACED_OK) fail(paced_last_error());
 *   if (paced_segmenter_run(segmenter, rgb, width, height, labels, NULL) != PACED_OK) fail(paced_last_error());
 *   paced_segmenter_close(segmenter);
 *
 * The result is that of `paced predict` with the same weights and settings, on any OpenCL device. The environment
 * variables of paced(1) hold here, too, and its cache folder is used.
 *
 * Errors. Functions return an enum paced_err; the text is in paced_last_error(). The library prints nothing and never
 * ends the process, with one exception: where the host has no memory left, it says so on stderr and calls exit(1).
 *
 * Threads. Calls for one segmenter must not overlap. Opening and closing any segmenter must not overlap with any other
 * call of the library, and opening sets environment variables (for OpenCL's and CLBlast's use): open before threads
 * that read the environment start. */
#ifndef PACED_H
#define PACED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PACED_API __attribute__((visibility("default")))
#else
#define PACED_API
#endif

enum paced_err {
    PACED_OK = 0,
    PACED_FAILED = 1,    /* the work failed (device memory, disk full, diverged) */
    PACED_INVALID = 2,   /* an argument, a setting, the configuration or an input file is wrong */
    PACED_NO_DEVICE = 3, /* no usable OpenCL device */
    PACED_STOPPED = 130  /* of the program alone: stopped by Ctrl-C, after saving */
};

/* A trained network on a device. */
struct paced_segmenter;

/* Opens the device and loads the network from `weights`: a safetensors file, or a state_dict() that PyTorch's
 * torch.save wrote (.pth, .pt).
 *
 * settings: "SECTION.KEY=VALUE" as after the program's --set, later ones winning, ended by NULL; or NULL for none. They
 * win over the file's metadata, which says model.arch, model.width, data.classes and data.size where paced has written
 * it; what neither says has the default of `paced config --keys`. Of use are those four and
 *   device.*    which device, how many of its threads, how much memory, which tuning
 *   predict.*   the whole image at once or in windows at its own resolution
 *
 * On failure *segmenter is NULL: PACED_INVALID for a wrong setting, a file that is missing, broken or of another
 * network; PACED_NO_DEVICE; PACED_FAILED, such as for too little memory on the device. */
PACED_API enum paced_err paced_segmenter_open(struct paced_segmenter **segmenter, const char *weights,
                                              const char *const *settings);

/* Releases all of it; NULL is allowed. */
PACED_API void paced_segmenter_close(struct paced_segmenter *segmenter);

/* The number of classes C, with the background (class 0): 2 to 255; 0 for NULL. */
PACED_API int paced_segmenter_classes(const struct paced_segmenter *segmenter);

/* Segments one image of any size from 1 x 1 on and returns when it is done.
 *
 * rgb            [height][width][3], row-major, without gaps, 0 to 255
 * labels         [height][width], written: each pixel's likeliest class, 0 to C - 1
 * probabilities  [height][width][C], written: the softmax over classes; NULL where it is not wanted
 *
 * PACED_INVALID for a null pointer, a size below 1 or above 65535; PACED_FAILED where the device fails. */
PACED_API enum paced_err paced_segmenter_run(struct paced_segmenter *segmenter, const uint8_t *rgb, int width,
                                             int height, uint8_t *labels, float *probabilities);

/* What was wrong with the last call of this thread that returned an enum paced_err: one line mostly, "where: what is
 * wrong; what to do"; "" where it succeeded. Never NULL; valid until this thread's next such call. */
PACED_API const char *paced_last_error(void);

/* The library's version, such as "0.1.0". */
PACED_API const char *paced_version(void);

#ifdef __cplusplus
}
#endif

#endif
