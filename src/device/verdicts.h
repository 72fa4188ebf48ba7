/* Private to the device module: verdicts about a device and its driver, cached between processes.
 *
 * A verdict is VERDICT_PASSED or the cause of a failure in words. It holds for a subject (a step of trial.h), the
 * device's name and driver, the variant of the kernels, the BLAS library and the source of the first trial: a change of
 * any of these requires a new trial. The user's cache directory holds a text file for each device, verdicts-HASH, with
 * a line "SUBJECT: VERDICT" for each subject. */
#ifndef PACED_DEVICE_VERDICTS_H
#define PACED_DEVICE_VERDICTS_H

#include "src/device/opencl.h"

#define VERDICT_PASSED "passed"
#define VERDICT_WRONG "it computes wrongly"
#define VERDICT_HANGS "its driver did not answer" /* the beginning */

/* The cached verdict, or NULL. Release with free(). */
char *verdict_recall(const struct paced_device_info *info, const char *subject);

/* Caches a verdict, replacing an earlier one. A cache that cannot be written is reported and does not stop the run. */
void verdict_keep(const struct paced_device_info *info, const char *subject, const char *verdict);

/* Removes all cached verdicts. */
void verdicts_forget(void);

#endif
