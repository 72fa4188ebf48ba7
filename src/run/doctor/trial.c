/* The child process of a trial. */
#include "paced/device.h"
#include "paced/run.h"

int paced_trial(const char *device, const char *step) {
    return paced_trial_answer(device, step);
}
