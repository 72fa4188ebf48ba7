/* Trials: steps on a device in a child process.
 *
 * An OpenCL implementation brings a compiler into the process that uses it, and some end that process (Mesa's rusticl
 * on source that its translator refuses) or never return. So the first use of a device, and of each setting of the
 * matrix products, happens in `paced --trial DEVICE STEP`. Verdicts are cached (verdicts.h), so that later processes
 * start at once; `paced doctor` repeats every trial. */
#include "src/device/trial.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/gemm.h"
#include "src/device/verdicts.h"

/* Maximum seconds of a step. Compilers take minutes on slow machines, so only a driver that hangs reaches it. */
enum { DEFAULT_LIMIT_S = 120 };

static double limit_s(void) {
    const char *text = getenv("PACED_TRIAL_SECONDS");
    double seconds;
    return text && paced_parse_real(text, &seconds) && seconds > 0 ? seconds : DEFAULT_LIMIT_S;
}

/* The mark before the line of a step's result, among the driver's own messages. */
#define RESULT "paced-trial-result: "

/* ---- the parent ---------------------------------------------------------------------------------------------- */

#define COMPILER_FAILS "its compiler fails"
#define ENDED "its driver ended the process"

static bool begins_with(const char *text, const char *beginning) {
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The rest of the last line that begins with the mark, or NULL. Lines of the log below errors are skipped. */
static char *last_line(const char *output, const char *mark) {
    const char *found = NULL;
    for (const char *line = output; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (begins_with(line, mark) && !begins_with(line, "paced: debug: ") && !begins_with(line, "paced: warning: "))
            found = line + strlen(mark);
    return found ? paced_format("%.*s", (int)strcspn(found, "\n"), found) : NULL;
}

/* The child's error, without the advice behind it, which is for users. A status without an error is a driver's. */
static char *error_of(const struct paced_child *child) {
    char *error = last_line(child->output, "paced: "), *verdict;
    if (!error)
        verdict = paced_format(ENDED " (exit status %d)", child->status);
    else
        verdict = paced_format("%s%.*s", child->status == PACED_INVALID ? "" : "its driver reports an error: ",
                               (int)strcspn(error, ";"), error);
    free(error);
    return verdict;
}

/* Signals that a fault of the driver raises. Others come from the user, the system or the machine's memory. */
static bool is_fault(int signal_number) {
    static const int faults[] = {SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < PACED_COUNT(faults); ++i)
        if (signal_number == faults[i]) return true;
    return false;
}

/* Fills the verdict. Errors that a driver reports do not last: they may be due to memory that others use. A kernel that
 * does not build may depend on more than is known here, and is quick to repeat; a product is not. */
static void judge(struct paced_trial *trial, const struct paced_child *child, const char *step, double limit) {
    if (child->timed_out) {
        trial->verdict = paced_format(VERDICT_HANGS " within %g s", limit);
    } else if (child->signal) {
        trial->verdict = paced_format(ENDED " (signal %d, %s)", child->signal, strsignal(child->signal));
        trial->lasting = is_fault(child->signal);
        return;
    } else if (child->status == PACED_TRIAL_PASSED) {
        trial->verdict = paced_strdup(VERDICT_PASSED);
        trial->passed = true;
    } else if (child->status == PACED_TRIAL_WRONG) {
        trial->verdict = paced_strdup(VERDICT_WRONG);
    } else if (child->status == TRIAL_BUILD_FAILED) {
        trial->verdict = paced_strdup(COMPILER_FAILS);
        trial->lasting = strcmp(step, TRIAL_KERNELS) != 0;
        return;
    } else if (child->status >= PACED_FAILED && child->status <= PACED_NO_DEVICE) {
        trial->verdict = error_of(child);
        return;
    } else {
        trial->verdict = paced_format(ENDED " (exit status %d)", child->status);
    }
    trial->lasting = true;
}

enum paced_err paced_trial_make(const char *subject, const char *step, int patience, struct paced_trial *trial) {
    struct paced_child child;
    double limit = patience * limit_s();
    *trial = (struct paced_trial){0};
    char *program = paced_program_path();
    if (!program) return PACED_OK;
    const char *const words[] = {program, "--trial", subject, step, NULL};
    enum paced_err err = paced_child_run(words, limit, &child);
    free(program);
    if (err) return PACED_OK; /* reported; the step is not tried */
    judge(trial, &child, step, limit);
    trial->result = last_line(child.output, RESULT);
    paced_log(PACED_LOG_DEBUG, "trial of %s: %s: %s\n%s", subject, step, trial->verdict, child.output);
    trial->messages = child.output;
    if (!child.stopped) return PACED_OK;
    paced_trial_finish(trial);
    return PACED_STOPPED;
}

void paced_trial_finish(struct paced_trial *trial) {
    free(trial->verdict);
    free(trial->result);
    free(trial->messages);
    *trial = (struct paced_trial){0};
}

/* A verdict that is kept, or NULL. A driver that did not answer gets another chance where more time is allowed now. */
static char *recall(const struct paced_device_info *info, const char *step) {
    char *verdict = verdict_recall(info, step);
    double seconds = 0;
    if (verdict && sscanf(verdict, VERDICT_HANGS " within %lf s", &seconds) == 1 && seconds < limit_s()) {
        free(verdict);
        verdict = NULL;
    }
    return verdict;
}

enum paced_err trial_verdict(const struct paced_device_info *info, const char *step, char **verdict) {
    struct paced_trial trial;
    *verdict = recall(info, step);
    if (*verdict) return PACED_OK;
    PACED_TRY(paced_trial_make(*info->id ? info->id : "all", step, 1, &trial));
    /* A listing that fails is quick to repeat, and may depend on more than is known here. */
    bool kept = trial.lasting && (trial.passed || strcmp(step, TRIAL_LISTING) != 0);
    if (kept) verdict_keep(info, step, trial.verdict);
    *verdict = paced_strdup(trial.verdict);
    paced_trial_finish(&trial);
    return PACED_OK;
}

/* ---- the child ----------------------------------------------------------------------------------------------- */

/* Steps that run one small kernel. */
static const struct {
    const char *step;
    struct paced_kernel kernel;
} kernel_steps[] = {
    {TRIAL_KERNELS, {"trial.cl", "trial"}},
    {"half storage", {"trial_half.cl", "trial"}},
    {"half arithmetic", {"trial_half_arithmetic.cl", "trial"}},
    {"bfloat16 storage", {"trial_bfloat16.cl", "trial"}},
    {"bfloat16 products", {"trial_bfloat16_products.cl", "trial"}},
};

/* Integers whose results are exact in every format. */
enum { COUNT = 1 << 12, LARGEST = 40 };

static enum paced_err run_kernel(struct paced_device *device, const struct paced_kernel *kernel, int vec,
                                 const float *values, float *results) {
    struct paced_buffer *x = NULL, *y = NULL;
    uint64_t bytes = COUNT * sizeof(float);
    enum paced_err err = paced_buffer_create(&x, device, bytes);
    if (!err) err = paced_buffer_create(&y, device, bytes);
    if (!err) err = paced_buffer_write(x, values, bytes);
    if (!err)
        err = PACED_LAUNCH(device, kernel, paced_range_items((uint64_t)(COUNT / vec)), vec,
                           PACED_ARG((unsigned)(COUNT / vec)), PACED_ARG(x), PACED_ARG(y));
    if (!err) err = paced_buffer_read(y, results, bytes);
    paced_buffer_destroy(y);
    paced_buffer_destroy(x);
    return err;
}

static int try_kernel(struct paced_device *device, const struct paced_kernel *kernel) {
    const int vec = paced_device_vector(device, 16);
    const struct built_kernel *built;
    float values[COUNT], results[COUNT];
    for (int i = 0; i < COUNT; ++i) values[i] = (float)(i % (2 * LARGEST + 1) - LARGEST);
    if (program_kernel(device, kernel, vec, &built))
        return program_has_source(kernel->file) ? TRIAL_BUILD_FAILED : PACED_FAILED;
    enum paced_err err = run_kernel(device, kernel, vec, values, results);
    for (int i = 0; i < COUNT && !err; ++i)
        if (results[i] != (values[i] < 0 ? 0.0f : 3 * values[i] + 1)) return PACED_TRIAL_WRONG;
    return (int)err;
}

static int answer(struct paced_device *device, const char *step) {
    for (size_t i = 0; i < PACED_COUNT(kernel_steps); ++i)
        if (strcmp(step, kernel_steps[i].step) == 0) return try_kernel(device, &kernel_steps[i].kernel);
    return gemm_answer(device, step);
}

void paced_trial_result(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    printf("\n" RESULT);
    vprintf(fmt, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
}

void paced_trials_forget(void) {
    verdicts_forget();
}

int paced_trial_answer(const char *subject, const char *step) {
    if (strcmp(step, "implementation") == 0) return icd_answer(subject);
    if (strcmp(step, TRIAL_LISTING) == 0) return list_answer();
    struct paced_device *device;
    const struct paced_device_options options = {.select = subject, .untried = true};
    enum paced_err err = paced_device_open(&device, &options);
    if (err) return (int)err;
    int status = answer(device, step);
    paced_device_close(device);
    return status;
}
