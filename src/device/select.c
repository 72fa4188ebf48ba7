/* The device that is taken: the first one that `select` allows and that passes its first trial. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/device/trial.h"
#include "src/device/verdicts.h"

#define NO_MEMORY "it reports 0 bytes of memory"

static bool contains(const char *text, const char *part) {
    size_t n = strlen(part);
    for (; *text; ++text)
        if (strncasecmp(text, part, n) == 0) return true;
    return n == 0;
}

static bool knows_memory(const struct candidate *c) {
    return c->info.global_bytes != PACED_MEMORY_UNKNOWN && c->info.max_alloc_bytes != PACED_MEMORY_UNKNOWN;
}

/* ---- choosing ------------------------------------------------------------------------------------------------ */

static int first_of_kind(const struct candidates *all, enum paced_device_kind kind, bool memory_known) {
    for (size_t i = 0; i < all->count; ++i) {
        const struct candidate *c = &all->items[i];
        if (!c->fault && c->info.kind == kind && knows_memory(c) == memory_known) return (int)i;
    }
    return -1;
}

static int choose_auto(const struct candidates *all, const char **why) {
    static const struct {
        enum paced_device_kind kind;
        const char *why;
    } order[] = {{PACED_GPU, "auto takes the first usable GPU"},
                 {PACED_ACCELERATOR, "auto: no usable GPU, so the first accelerator"},
                 {PACED_CPU, "auto: no usable GPU or accelerator, so the CPU"}};
    for (int unknown = 0; unknown < 2; ++unknown)
        for (size_t k = 0; k < PACED_COUNT(order); ++k) {
            int found = first_of_kind(all, order[k].kind, !unknown);
            *why = order[k].why;
            if (found >= 0) return found;
        }
    *why = all->count == 1 ? all->items[0].fault : "none is usable";
    if (!all->count) *why = "no OpenCL platform is installed, or PoCL cannot write its cache, POCL_CACHE_DIR";
    return -1;
}

static int choose_by_kind(const struct candidates *all, enum paced_device_kind kind, const char **why) {
    int found = first_of_kind(all, kind, true);
    if (found < 0) found = first_of_kind(all, kind, false);
    *why = kind == PACED_CPU ? found < 0 ? "no usable CPU device" : "the first CPU"
           : found < 0       ? "no usable GPU device"
                             : "the first GPU";
    return found;
}

static int choose_by_number(const struct candidates *all, const char *number, const char **why) {
    for (size_t i = 0; i < all->count; ++i) {
        const struct candidate *c = &all->items[i];
        if (strcmp(c->info.id, number) != 0) continue;
        *why = c->fault ? c->fault : "named by number";
        return c->fault ? -1 : (int)i;
    }
    *why = "there is no device of that number";
    return -1;
}

static int choose_by_name(const struct candidates *all, const char *part, const char **why) {
    *why = "no device's or platform's name contains that";
    for (size_t i = 0; i < all->count; ++i) {
        const struct candidate *c = &all->items[i];
        if (!contains(c->info.name, part) && !contains(c->info.platform, part)) continue;
        *why = c->fault ? c->fault : "named by a part of its name";
        if (!c->fault) return (int)i;
    }
    return -1;
}

static int choose(const struct candidates *all, const char *select, const char **why) {
    int platform, device, end = 0;
    if (strcmp(select, "auto") == 0) return choose_auto(all, why);
    if (strcmp(select, "cpu") == 0) return choose_by_kind(all, PACED_CPU, why);
    if (strcmp(select, "gpu") == 0) return choose_by_kind(all, PACED_GPU, why);
    if (sscanf(select, "%d:%d%n", &platform, &device, &end) == 2 && select[end] == '\0')
        return choose_by_number(all, select, why);
    return choose_by_name(all, select, why);
}

/* ---- trying -------------------------------------------------------------------------------------------------- */

/* Gives the candidate a fault where its trial fails. */
static enum paced_err try_candidate(struct candidate *c) {
    char *verdict;
    PACED_TRY(trial_verdict(&c->info, TRIAL_KERNELS, &verdict));
    c->skipped = verdict && strcmp(verdict, VERDICT_PASSED) != 0;
    if (c->skipped)
        c->fault = verdict;
    else
        free(verdict);
    return PACED_OK;
}

static void report_skipped(const struct candidates *all) {
    for (size_t i = 0; i < all->count; ++i) {
        const struct candidate *c = &all->items[i];
        if (c->skipped)
            paced_log(PACED_LOG_WARN, "device %s %s (%s): %s; it is skipped; `paced doctor` tries it anew", c->info.id,
                      c->info.name, c->info.platform, c->fault);
    }
}

/* Devices of unknown memory that another one was preferred to. */
static void skip_without_memory(struct candidates *all) {
    for (size_t i = 0; i < all->count; ++i) {
        struct candidate *c = &all->items[i];
        if (c->fault || knows_memory(c)) continue;
        c->fault = paced_strdup(NO_MEMORY);
        c->skipped = true;
    }
}

const char *candidates_asked_for(const char *select) {
    const char *environment = getenv("PACED_DEVICE");
    return strcmp(select, "auto") == 0 && environment && *environment ? environment : select;
}

enum paced_err candidates_take(struct candidates *all, const char *select, bool untried, int *chosen,
                               const char **why) {
    for (;;) {
        *chosen = choose(all, select, why);
        if (*chosen < 0 || untried) return PACED_OK;
        struct candidate *c = &all->items[*chosen];
        PACED_TRY(try_candidate(c));
        if (c->skipped) continue;
        if (strcmp(select, "auto") == 0 && knows_memory(c)) skip_without_memory(all);
        report_skipped(all);
        return PACED_OK;
    }
}

enum paced_err paced_device_find(const char *select, struct paced_device_info *info, char **why) {
    struct candidates all;
    const char *reason;
    int chosen;
    *why = NULL;
    PACED_TRY(candidates_find(&all));
    enum paced_err err = candidates_take(&all, candidates_asked_for(select), false, &chosen, &reason);
    if (!err) *why = paced_strdup(reason);
    if (!err && chosen < 0)
        err = PACED_NO_DEVICE;
    else if (!err)
        *info = all.items[chosen].info;
    candidates_finish(&all);
    return err;
}
