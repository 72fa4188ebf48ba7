/* The choice of the device: the first one that `select` allows and that passes its first trial. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/device/trial.h"

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

static void add_fault(struct paced_text *text, const struct candidate *c) {
    paced_text_add(text, "%s%s %s: %s", text->size ? ", " : "", c->info.id, c->info.name, c->fault);
}

/* Sets the reason why none is chosen: the faults of all that `select` allows, else `otherwise`. Returns -1. */
static int none(struct candidates *all, bool (*allowed)(const struct candidate *c, const char *select),
                const char *select, const char *otherwise) {
    struct paced_text why = {0};
    for (size_t i = 0; i < all->count; ++i)
        if (allowed(&all->items[i], select)) add_fault(&why, &all->items[i]);
    if (!why.data) paced_text_add(&why, "%s", otherwise);
    free(all->why);
    all->why = why.data;
    return -1;
}

static int because(struct candidates *all, int chosen, const char *why) {
    free(all->why);
    all->why = paced_strdup(why);
    return chosen;
}

static int first_of_kind(const struct candidates *all, enum paced_device_kind kind, bool memory_known) {
    for (size_t i = 0; i < all->count; ++i) {
        const struct candidate *c = &all->items[i];
        if (!c->fault && c->info.kind == kind && knows_memory(c) == memory_known) return (int)i;
    }
    return -1;
}

static bool is_any(const struct candidate *c, const char *select) {
    return true;
}

static int choose_auto(struct candidates *all) {
    static const struct {
        enum paced_device_kind kind;
        const char *why;
    } order[] = {{PACED_GPU, "auto takes the first usable GPU"},
                 {PACED_ACCELERATOR, "auto: no usable GPU, so the first accelerator"},
                 {PACED_CPU, "auto: no usable GPU or accelerator, so the CPU"}};
    for (int unknown = 0; unknown < 2; ++unknown)
        for (size_t k = 0; k < PACED_COUNT(order); ++k) {
            int found = first_of_kind(all, order[k].kind, !unknown);
            if (found >= 0) return because(all, found, order[k].why);
        }
    char *cache = paced_cache_path("POCL_CACHE_DIR", "pocl/kcache");
    char *why = paced_format("no OpenCL platform is installed (the Debian package pocl-opencl-icd is one for CPUs), or "
                             "PoCL cannot write its cache, %s; POCL_CACHE_DIR names another folder%s",
                             cache ? cache : "unknown since HOME is not set",
                             paced_address_space() ? "; or ulimit -v keeps it from being loaded" : "");
    none(all, is_any, "", why);
    free(why);
    free(cache);
    return -1;
}

static bool is_of_kind(const struct candidate *c, const char *select) {
    return c->info.kind == (strcmp(select, "cpu") == 0 ? PACED_CPU : PACED_GPU);
}

static int choose_by_kind(struct candidates *all, const char *select) {
    bool cpu = strcmp(select, "cpu") == 0;
    int found = first_of_kind(all, cpu ? PACED_CPU : PACED_GPU, true);
    if (found < 0) found = first_of_kind(all, cpu ? PACED_CPU : PACED_GPU, false);
    if (found < 0) return none(all, is_of_kind, select, cpu ? "no CPU device" : "no GPU device");
    return because(all, found, cpu ? "the first CPU" : "the first GPU");
}

static bool is_numbered(const struct candidate *c, const char *select) {
    return strcmp(c->info.id, select) == 0;
}

static bool is_named(const struct candidate *c, const char *select) {
    return contains(c->info.name, select) || contains(c->info.platform, select);
}

static int choose_by_text(struct candidates *all, const char *select) {
    int platform, device, end = 0;
    bool number = sscanf(select, "%d:%d%n", &platform, &device, &end) == 2 && select[end] == '\0';
    bool (*allowed)(const struct candidate *, const char *) = number ? is_numbered : is_named;
    for (size_t i = 0; i < all->count; ++i)
        if (!all->items[i].fault && allowed(&all->items[i], select))
            return because(all, (int)i, number ? "named by number" : "named by a part of its name");
    return none(all, allowed, select,
                number ? "there is no device of that number" : "no device's or platform's name contains that");
}

static int choose(struct candidates *all, const char *select) {
    if (strcmp(select, "auto") == 0) return choose_auto(all);
    if (strcmp(select, "cpu") == 0 || strcmp(select, "gpu") == 0) return choose_by_kind(all, select);
    return choose_by_text(all, select);
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
            paced_log(PACED_LOG_WARN, "device %s %s (%s): %s; it is skipped; `paced doctor` tries it again", c->info.id,
                      c->info.name, c->info.platform, c->fault);
    }
}

/* Marks devices of unknown memory as skipped if they would have been preferred to one of that kind. */
static void skip_without_memory(struct candidates *all, enum paced_device_kind kind) {
    for (size_t i = 0; i < all->count; ++i) {
        struct candidate *c = &all->items[i];
        if (c->fault || knows_memory(c) || (c->info.kind == PACED_CPU && kind != PACED_CPU)) continue;
        c->fault = paced_strdup(NO_MEMORY);
        c->skipped = true;
    }
}

const char *candidates_asked_for(const char *select) {
    const char *environment = getenv("PACED_DEVICE");
    return strcmp(select, "auto") == 0 && environment && *environment ? environment : select;
}

enum paced_err candidates_take(struct candidates *all, const char *select, bool untried, int *chosen) {
    for (;;) {
        *chosen = choose(all, select);
        if (*chosen < 0 || untried) return PACED_OK;
        struct candidate *c = &all->items[*chosen];
        PACED_TRY(try_candidate(c));
        if (c->skipped) continue;
        if (strcmp(select, "auto") == 0 && knows_memory(c)) skip_without_memory(all, c->info.kind);
        report_skipped(all);
        return PACED_OK;
    }
}

enum paced_err paced_device_find(const char *select, struct paced_device_info *info, char **why) {
    struct candidates all;
    int chosen;
    *why = NULL;
    enum paced_err err = candidates_find(&all, 0, false);
    if (err == PACED_NO_DEVICE) *why = paced_strdup("the devices cannot be listed");
    if (err) return err;
    err = candidates_take(&all, candidates_asked_for(select), false, &chosen);
    if (!err) *why = paced_strdup(all.why);
    if (!err && chosen < 0)
        err = PACED_NO_DEVICE;
    else if (!err)
        *info = all.items[chosen].info;
    candidates_finish(&all);
    return err;
}
