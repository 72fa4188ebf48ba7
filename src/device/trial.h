/* Private to the device module: trials of the device's own steps. */
#ifndef PACED_DEVICE_TRIAL_H
#define PACED_DEVICE_TRIAL_H

#include "src/device/opencl.h"

/* Outcomes of a step beside the program's exit statuses and PACED_TRIAL_WRONG. */
enum { TRIAL_BUILD_FAILED = 21 };

/* The verdict about a step on a device: the cached one, else that of a trial, which is then cached. *verdict is NULL if
 * no trial can be made since the program is not found; release it with free(). PACED_STOPPED if the user stopped the
 * program meanwhile. */
enum paced_err trial_verdict(const struct paced_device_info *info, const char *step, char **verdict);

/* The first step of every device: a kernel of the program is built and run. */
#define TRIAL_KERNELS "kernels"

/* The step before it: all devices are listed. Its subject has no id. */
#define TRIAL_LISTING "devices"

/* The child's side of the step "implementation" (icd.c). */
int icd_answer(const char *library);

/* The child's side of TRIAL_LISTING (list.c). */
int list_answer(void);

#endif
