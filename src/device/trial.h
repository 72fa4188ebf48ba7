/* Private to the device module: trials of the device's own steps. */
#ifndef PACED_DEVICE_TRIAL_H
#define PACED_DEVICE_TRIAL_H

#include "src/device/opencl.h"

#define VERDICT_PASSED "passed"
#define VERDICT_WRONG "it computes wrongly"
#define VERDICT_HANGS "its driver did not answer" /* the beginning */

/* Outcomes of a step beside the program's exit statuses and PACED_TRIAL_WRONG. */
enum { TRIAL_BUILD_FAILED = 21 };

/* The verdict about a step on a device, VERDICT_PASSED or the cause of a failure in words: the cached one, else that of
 * a trial, which is then cached. It holds for the step, the device's name and driver, the variant of the kernels, the
 * BLAS library and the source of the first trial: a change of any of these requires a new trial. The user's cache
 * directory holds a text file for each device, verdicts-HASH, with a line "STEP: VERDICT" for each step. *verdict is
 * NULL if no trial can be made since the program is not found; release it with free(). PACED_STOPPED if the user
 * stopped the program meanwhile. */
enum paced_err trial_verdict(const struct paced_device_info *info, const char *step, char **verdict);

/* The first step of every device: a kernel of the program is built and run. */
#define TRIAL_KERNELS "kernels"

/* The step of devices that are to store tensors as bfloat16. */
#define TRIAL_BFLOAT16 "bfloat16 storage"

/* Products of bfloat16 (enum paced_products). */
#define TRIAL_PAIRS "bfloat16 products"
#define TRIAL_TILES "bfloat16 tiles"

/* The step before it: all devices are listed. Its subject has no id. */
#define TRIAL_LISTING "devices"

/* The child's side of the step "implementation" (icd.c). */
int icd_answer(const char *library);

/* The child's side of TRIAL_LISTING (list.c). */
int list_answer(void);

#endif
