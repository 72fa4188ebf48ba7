/* Trials: steps on a device in a child process.
 *
 * An OpenCL implementation brings a compiler into the process that uses it, and some end that process (Mesa's rusticl
 * on source that its translator refuses) or never return. So the first use of a device, and of each setting of the
 * matrix products, happens in `paced --trial DEVICE STEP`. Verdicts are kept (verdicts.h), so that later processes
 * start at once; `paced doctor` makes every trial anew. */
#include "src/device/trial.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "src/device/gemm.h"
#include "src/device/verdicts.h"

/* Seconds that a step may take. Compilers take minutes on slow machines, so only a driver that hangs gets there. */
enum { DEFAULT_LIMIT_S = 120 };

static double limit_s(void) {
    const char *text = getenv("PACED_TRIAL_SECONDS");
    double seconds;
    return text && paced_parse_real(text, &seconds) && seconds > 0 ? seconds : DEFAULT_LIMIT_S;
}

/* ---- the parent ---------------------------------------------------------------------------------------------- */

static char *verdict_of(const struct paced_child *child) {
    if (child->timed_out) return paced_strdup(VERDICT_HANGS);
    if (child->signal)
        return paced_format("its driver ended the process (signal %d, %s)", child->signal, strsignal(child->signal));
    switch (child->status) {
    case TRIAL_PASSED:
        return paced_strdup(VERDICT_PASSED);
    case TRIAL_WRONG:
        return paced_strdup(VERDICT_WRONG);
    case TRIAL_BUILD_FAILED:
        return paced_strdup("its compiler fails");
    case PACED_FAILED:
    case PACED_INVALID:
    case PACED_NO_DEVICE:
        return paced_strdup("its driver reports an error");
    default:
        return paced_format("its driver ended the process (exit status %d)", child->status);
    }
}

enum paced_err paced_trial_make(const char *device, const char *step, struct paced_trial *trial) {
    struct paced_child child;
    *trial = (struct paced_trial){0};
    char *program = paced_program_path();
    if (!program) return PACED_OK;
    const char *const words[] = {program, "--trial", device, step, NULL};
    enum paced_err err = paced_child_run(words, limit_s(), &child);
    if (!err) {
        trial->verdict = child.stopped ? NULL : verdict_of(&child);
        trial->passed = trial->verdict && strcmp(trial->verdict, VERDICT_PASSED) == 0;
        trial->output = child.output;
        paced_log(PACED_LOG_DEBUG, "device %s: trial of %s: %s\n%s", device, step,
                  trial->verdict ? trial->verdict : "stopped", child.output);
    }
    free(program);
    return !err && child.stopped ? PACED_STOPPED : err;
}

void paced_trial_finish(struct paced_trial *trial) {
    free(trial->verdict);
    free(trial->output);
    *trial = (struct paced_trial){0};
}

/* A process that was killed tells about the machine's memory or its user, not about the driver. */
static bool is_lasting(const char *verdict) {
    char *killed = paced_format("(signal %d,", SIGKILL);
    bool lasting = !strstr(verdict, killed);
    free(killed);
    return lasting;
}

enum paced_err trial_verdict(const struct paced_device_info *info, const char *step, char **verdict) {
    struct paced_trial trial;
    *verdict = verdict_recall(info, step);
    if (*verdict) return PACED_OK;
    PACED_TRY(paced_trial_make(info->id, step, &trial));
    if (trial.verdict) {
        *verdict = paced_strdup(trial.verdict);
        if (is_lasting(*verdict)) verdict_keep(info, step, *verdict);
    }
    paced_trial_finish(&trial);
    return PACED_OK;
}

/* ---- the child ----------------------------------------------------------------------------------------------- */

static int try_kernels(struct paced_device *device) {
    static const struct paced_kernel trial = {"trial.cl", "trial"};
    enum { COUNT = 1 << 12 };
    const int vec = paced_device_vector(device, 16);
    const struct built_kernel *built;
    struct paced_buffer *x = NULL, *y = NULL;
    float values[COUNT], results[COUNT];
    for (int i = 0; i < COUNT; ++i) values[i] = (float)(i % 1000 - 500);
    if (program_kernel(device, &trial, vec, &built)) return TRIAL_BUILD_FAILED;
    enum paced_err err = paced_buffer_create(&x, device, sizeof values);
    if (!err) err = paced_buffer_create(&y, device, sizeof results);
    if (!err) err = paced_buffer_write(x, values, sizeof values);
    if (!err)
        err = PACED_LAUNCH(device, &trial, paced_range_items(COUNT / vec), vec, PACED_ARG(COUNT / vec + 0u),
                           PACED_ARG(x), PACED_ARG(3.0f), PACED_ARG(y));
    if (!err) err = paced_buffer_read(y, results, sizeof results);
    bool right = true;
    for (int i = 0; i < COUNT && !err; ++i) /* whole numbers: exact */
        right = right && results[i] == (values[i] < 0 ? 0.0f : values[i] * 3.0f + 1.0f);
    paced_buffer_destroy(y);
    paced_buffer_destroy(x);
    return err ? (int)err : right ? TRIAL_PASSED : TRIAL_WRONG;
}

int paced_trial_answer(const char *device_name, const char *step) {
    struct paced_device *device;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct paced_device_options options = {.select = device_name, .untried = true};
    enum paced_err err = paced_device_open(&device, &options);
    if (err) return (int)err;
    int status = strcmp(step, TRIAL_KERNELS) == 0 ? try_kernels(device) : gemm_answer(device, step);
    paced_device_close(device);
    return status;
}
