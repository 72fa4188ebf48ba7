/* Private to the device module: verdicts about a device and its driver, kept between processes.
 *
 * A verdict is VERDICT_PASSED or the cause of a failure in words. It belongs to a subject (a step of trial.h), to the
 * device's name and driver, to the variant of the kernels, to the BLAS library and to the source of the first trial:
 * another of these asks anew. The user's cache directory holds a text file for each device, verdicts-HASH, with a line
 * "SUBJECT: VERDICT" for each subject. */
#ifndef PACED_DEVICE_VERDICTS_H
#define PACED_DEVICE_VERDICTS_H

#include "src/device/opencl.h"

#define VERDICT_PASSED "passed"
#define VERDICT_WRONG "it computes wrongly"
#define VERDICT_HANGS "its driver did not answer" /* the beginning */

/* The verdict, or NULL where none is kept. Release with free(). */
char *verdict_recall(const struct paced_device_info *info, const char *subject);

/* Keeps a verdict in place of an earlier one. A cache that cannot be written is reported and costs time only. */
void verdict_keep(const struct paced_device_info *info, const char *subject, const char *verdict);

/* Removes all that are kept. */
void verdicts_forget(void);

#endif
