/* libpaced: runs trained segmentation networks inside other programs.
 *
 *   struct paced_segmenter *segmenter;
 *   if (paced_segmenter_open(&segmenter, "best.safetensors", NULL) != PACED_OK) fail(paced_last_error());
 *   if (paced_segmenter_run(segmenter, rgb, width, height, labels, NULL) != PACED_OK) fail(paced_last_error());
 *   paced_segmenter_close(segmenter);
 *
 * Results equal those of `paced predict` with the same weights and settings, on any OpenCL device. The library reads
 * the environment variables listed in paced(1) and uses the program's cache directory.
 *
 * Errors. Functions return an enum paced_err; paced_last_error() returns the text. The library prints nothing and never
 * ends the process, with one exception: when the host is out of memory, it prints one line to stderr and calls exit(1).
 *
 * Threads. Calls for one segmenter must not overlap. Opening or closing a segmenter must not overlap with any other
 * call of the library. Opening sets environment variables for OpenCL and CLBlast, so open segmenters before starting
 * threads that read the environment. */
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
    PACED_STOPPED = 130  /* stopped by Ctrl-C, after saving; returned by the program only */
};

/* A trained network on a device. */
struct paced_segmenter;

/* Opens the device and loads the network from `weights`: a safetensors file, or a state_dict() that PyTorch's
 * torch.save wrote (.pth, .pt).
 *
 * settings: "SECTION.KEY=VALUE" strings as for the program's --set, terminated by NULL; later ones win. NULL: none.
 * Settings override the metadata that paced writes into its weights (model.arch, model.width, data.classes, data.size).
 * All other keys have the defaults of `paced config --keys`. Besides those four, these sections apply:
 *   device.*    device, number of its threads, memory limit, tuning
 *   predict.*   the whole image at once, or windows at its own resolution
 *
 * On failure *segmenter is NULL. PACED_INVALID: a wrong setting, or a file that is missing, damaged or of another
 * network. PACED_NO_DEVICE. PACED_FAILED: for example too little memory on the device. */
PACED_API enum paced_err paced_segmenter_open(struct paced_segmenter **segmenter, const char *weights,
                                              const char *const *settings);

/* Closes the segmenter and releases its memory. NULL is allowed. */
PACED_API void paced_segmenter_close(struct paced_segmenter *segmenter);

/* The number of classes C, including the background (class 0): 2 to 255; 0 for NULL. */
PACED_API int paced_segmenter_classes(const struct paced_segmenter *segmenter);

/* Segments one image of 1 x 1 to 65535 x 65535 pixels. Returns when it is done.
 *
 * rgb            [height][width][3], row-major, without gaps, 0 to 255
 * labels         [height][width], output: the most probable class of each pixel, 0 to C - 1
 * probabilities  [height][width][C], output: the softmax over classes; may be NULL
 *
 * PACED_INVALID for a null pointer or a size out of range; PACED_FAILED if the device fails. */
PACED_API enum paced_err paced_segmenter_run(struct paced_segmenter *segmenter, const uint8_t *rgb, int width,
                                             int height, uint8_t *labels, float *probabilities);

/* The error text of this thread's last call that returned an enum paced_err: usually one line, "place: what is wrong;
 * what to do"; "" after a success. Never NULL; valid until this thread's next such call. */
PACED_API const char *paced_last_error(void);

/* The library's version, such as "0.1.0". */
PACED_API const char *paced_version(void);

#ifdef __cplusplus
}
#endif

#endif
