/* The child process of a trial. It ends with its parent. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "paced/device.h"
#include "paced/run.h"
#include "src/run/doctor/small_network.h"

/* Opens the device as a run does, chooses the matrix products' setting, and gives its name as the result. */
static enum paced_err try_products(const char *subject) {
    struct paced_device *device;
    const struct paced_device_options options = {.select = subject, .tuning = "auto"};
    PACED_TRY(paced_device_open(&device, &options));
    const char *setting = paced_gemm_setting(device);
    enum paced_err err = strcmp(setting, "none") == 0 ? PACED_FAILED : PACED_OK;
    paced_trial_result("\"%s\"", setting);
    paced_device_close(device);
    return err;
}

/* Holds a small network against stored numbers, and gives the error as the result. */
static int try_network(const char *subject) {
    struct paced_device *device;
    double error;
    const struct paced_device_options options = {.select = subject, .tuning = "auto"};
    enum paced_err err = paced_device_open(&device, &options);
    if (err) return (int)err;
    err = small_network_error(device, &error);
    if (!err) paced_trial_result("%.3g", error);
    paced_device_close(device);
    return err ? (int)err : error <= SMALL_NETWORK_BOUND ? PACED_OK : PACED_TRIAL_WRONG;
}

static int answer(const char *subject, const char *step) {
    if (strcmp(step, "matrix products") == 0) return (int)try_products(subject);
    if (strcmp(step, "network") == 0) return try_network(subject);
    return paced_trial_answer(subject, step);
}

int paced_trial(const char *subject, const char *step) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    paced_log_set_level(PACED_LOG_DEBUG); /* the parent decides what is shown */
    int status = answer(subject, step);
    return status == PACED_OK ? PACED_TRIAL_PASSED : status;
}
