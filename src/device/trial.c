/* Trials: steps on a device in a child process.
 *
 * An OpenCL implementation brings a compiler into the process that uses it, and some end that process (Mesa's rusticl
 * on source that its translator refuses) or never return. So the first use of a device, and of each setting of the
 * matrix products, happens in `paced --trial DEVICE STEP`. Verdicts are cached, so that later processes
 * start at once; `paced doctor` repeats every trial. */
#include "src/device/trial.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"

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

/* Fills the verdict. Errors that a driver reports do not last: they may be due to memory that others use. A kernel that
 * does not build may depend on more than is known here, and is quick to repeat; a product is not. */
static void judge(struct paced_trial *trial, const struct paced_child *child, const char *step, double limit) {
    if (child->timed_out) {
        trial->verdict = paced_format(VERDICT_HANGS " within %g s", limit);
    } else if (child->signal) {
        trial->verdict = paced_format(ENDED " (signal %d, %s)", child->signal, strsignal(child->signal));
        trial->lasting = crash_is_fault(child->signal);
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
    paced_log_activity(COMPILING);
    enum paced_err err = paced_child_run(words, limit, &child);
    paced_log_activity(NULL);
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

void paced_trial_result(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    printf("\n" RESULT);
    vprintf(fmt, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
}

/* ---- verdicts ------------------------------------------------------------------------------------------------ */

#define PREFIX "verdicts-"
enum { LARGEST_FILE = 1 << 16 };

static char *file_path(const struct paced_device_info *info) {
    char *dir = paced_cache_dir();
    if (!dir) return NULL;
    const char *options = getenv("CLBLAST_BUILD_OPTIONS");
    char *library = library_blas_fingerprint();
    const char *parts[] = {PACED_VERSION,  info->name,
                           info->platform, info->version,
                           info->driver,   info->variant == PACED_VARIANT_CPU ? "cpu" : "gpu",
                           library,        options ? options : ""};
    uint64_t hash = program_source_hash("trial.cl");
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) hash = paced_hash(hash, parts[i], strlen(parts[i]) + 1);
    char *path = paced_format("%s/" PREFIX "%016llx", dir, (unsigned long long)hash);
    free(library);
    free(dir);
    return path;
}

/* The file's text; empty if there is none. */
static char *read_text(const char *path) {
    char *text;
    if (!path || !paced_path_exists(path) || paced_file_read_text(path, LARGEST_FILE, &text) != PACED_OK)
        return paced_strdup("");
    return text;
}

/* The start of the subject's line, or NULL. */
static const char *find_line(const char *text, const char *subject) {
    size_t length = strlen(subject);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, subject, length) == 0 && strncmp(line + length, ": ", 2) == 0) return line;
    return NULL;
}

/* The cached verdict, or NULL. Release with free(). */
static char *verdict_recall(const struct paced_device_info *info, const char *subject) {
    char *path = file_path(info), *text = read_text(path);
    const char *line = find_line(text, subject);
    const char *verdict = line ? line + strlen(subject) + 2 : NULL;
    char *copy = verdict ? paced_format("%.*s", (int)strcspn(verdict, "\n"), verdict) : NULL;
    free(text);
    free(path);
    return copy;
}

/* Caches a verdict, replacing an earlier one. A cache that cannot be written is reported and does not stop the run. */
static void verdict_keep(const struct paced_device_info *info, const char *subject, const char *verdict) {
    char *path = file_path(info), *text = read_text(path);
    const char *old = find_line(text, subject);
    int before = old ? (int)(old - text) : (int)strlen(text);
    const char *after = old ? old + strcspn(old, "\n") : "";
    char *new = paced_format("%.*s%s: %s\n%s", before, text, subject, verdict, *after ? after + 1 : "");
    if (path) paced_file_write(path, new, strlen(new));
    free(new);
    free(text);
    free(path);
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

/* True if the driver ended the process or cannot compile a simple kernel. */
static bool blames_cache(const struct paced_trial *trial, const char *step) {
    return !trial->passed && trial->verdict && (begins_with(trial->verdict, ENDED) || strcmp(step, TRIAL_KERNELS) == 0);
}

static void warn_of_cache(const struct paced_device_info *info, const char *verdict) {
    char *advice = opencl_crash_advice(info);
    paced_log(PACED_LOG_WARN, "device %s: %s; %s", info->name, verdict, advice);
    free(advice);
}

enum paced_err trial_verdict(const struct paced_device_info *info, const char *step, char **verdict) {
    struct paced_trial trial;
    *verdict = recall(info, step);
    if (*verdict) return PACED_OK;
    PACED_TRY(paced_trial_make(*info->id ? info->id : "all", step, 1, &trial));
    /* A listing that fails is quick to repeat, and may depend on more than is known here. PoCL's crashes may be due to
     * its cache on the disk, and all failures to a limit of the address space. */
    bool cache = device_is_pocl(info) && blames_cache(&trial, step);
    bool other_cause = cache || paced_address_space() || strcmp(step, TRIAL_LISTING) == 0;
    bool kept = trial.lasting && (trial.passed || !other_cause);
    if (cache) warn_of_cache(info, trial.verdict);
    if (kept) verdict_keep(info, step, trial.verdict);
    *verdict = paced_strdup(trial.verdict);
    paced_trial_finish(&trial);
    return PACED_OK;
}

enum paced_err paced_device_check_format(struct paced_device *device, enum paced_format format) {
    char *verdict;
    if (format != PACED_BFLOAT16) return PACED_OK;
    PACED_TRY(trial_verdict(&device->info, TRIAL_BFLOAT16, &verdict));
    bool passed = !verdict || strcmp(verdict, VERDICT_PASSED) == 0;
    enum paced_err err = PACED_OK;
    if (!passed)
        err = paced_error(PACED_INVALID, "device %s fails the trial of bfloat16 storage: %s; %s", device->info.name,
                          verdict, paced_advice(PACED_CAUSE_NO_BFLOAT16));
    free(verdict);
    return err;
}

void paced_trials_forget(void) {
    char *dir = paced_cache_dir();
    DIR *stream = dir ? opendir(dir) : NULL;
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0) continue;
        char *path = paced_path_join(dir, entry->d_name);
        paced_file_remove(path);
        free(path);
    }
    if (stream) closedir(stream);
    free(dir);
}
