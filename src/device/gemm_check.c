/* The self-test of the matrix products.
 *
 * CLBlast reports success even for some wrong results: GEMMK=1 with a tile that is not square; strides and offsets of
 * the batched routine in its indirect path, which is why buffers here start at their views' starts and strides are
 * dense. So a setting is used only after its results equalled those of a plain loop on this device. */
#include <stdlib.h>
#include <string.h>

#include "src/device/gemm.h"
#include "src/device/trial.h"

/* ---- one product --------------------------------------------------------------------------------------------- */

/* Small integers: every partial sum is exact in float32, so the order of summation does not matter and the comparison
 * needs no tolerance. */
static float *fill(size_t count, unsigned seed) {
    float *x = paced_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(seed >> 24) % 17 - 8);
    }
    return x;
}

static bool matches(const struct product *p, const float *a, const float *b, const float *before, const float *after) {
    for (int s = 0; s < p->batch; ++s)
        for (int i = 0; i < p->m; ++i)
            for (int j = 0; j < p->n; ++j) {
                size_t at = ((size_t)s * (size_t)p->m + (size_t)i) * (size_t)p->n + (size_t)j;
                float sum = p->beta == 0.0f ? 0.0f : p->beta * before[at];
                for (int l = 0; l < p->k; ++l)
                    sum += a[((size_t)s * (size_t)p->m + (size_t)i) * (size_t)p->k + (size_t)l] *
                           b[((size_t)s * (size_t)p->k + (size_t)l) * (size_t)p->n + (size_t)j];
                if (sum != after[at]) return false;
            }
    return true;
}

static enum paced_err upload(struct paced_device *device, const float *values, size_t count, struct paced_buffer **to) {
    PACED_TRY(paced_buffer_create(to, device, count * sizeof *values));
    return paced_buffer_write(*to, values, count * sizeof *values);
}

/* The outcome of a product. BROKEN: the library or the driver reported an error. */
enum verdict { CORRECT, WRONG, BROKEN };

/* Returns an error only if these small buffers do not fit, the device is lost or the user stopped the program. */
static enum paced_err try_product(struct paced_device *device, const struct gemm_setting *setting, struct product p,
                                  enum verdict *verdict) {
    size_t na = (size_t)p.batch * (size_t)p.m * (size_t)p.k, nb = (size_t)p.batch * (size_t)p.k * (size_t)p.n,
           nc = (size_t)p.batch * (size_t)p.m * (size_t)p.n;
    float *a = fill(na, 1), *b = fill(nb, 2), *before = fill(nc, 3), *after = paced_alloc(nc, sizeof *after);
    struct paced_buffer *da = NULL, *db = NULL, *dc = NULL;
    enum paced_err err;
    if ((err = upload(device, a, na, &da))) goto out;
    if ((err = upload(device, b, nb, &db))) goto out;
    if ((err = upload(device, before, nc, &dc))) goto out;
    p.a = da;
    p.b = db;
    p.c = dc;
    *verdict = BROKEN;
    err = gemm_multiply(device, setting, &p);
    if (err && err != PACED_STOPPED) {
        err = PACED_OK;
        goto out;
    }
    if (!err) err = paced_buffer_read(dc, after, nc * sizeof *after);
    if (!err) *verdict = matches(&p, a, b, before, after) ? CORRECT : WRONG;
out:
    paced_buffer_destroy(dc);
    paced_buffer_destroy(db);
    paced_buffer_destroy(da);
    free(after);
    free(before);
    free(b);
    free(a);
    return err;
}

/* Single products and batches, overwriting and accumulating; sizes within, between and beyond the settings' tiles, and
 * each dimension at its minimum. */
static enum paced_err try_setting(struct paced_device *device, const struct gemm_setting *setting,
                                  enum verdict *verdict) {
    static const struct product tests[] = {{.batch = 1, .m = 16, .n = 16, .k = 16, .beta = 0.0f},
                                           {.batch = 1, .m = 48, .n = 64, .k = 32, .beta = 1.0f},
                                           {.batch = 3, .m = 48, .n = 32, .k = 64, .beta = 0.0f},
                                           {.batch = 36, .m = 32, .n = 16, .k = 16, .beta = 1.0f},
                                           {.batch = 1, .m = 144, .n = 272, .k = 48, .beta = 0.0f}};
    *verdict = CORRECT;
    for (size_t i = 0; i < PACED_COUNT(tests) && *verdict == CORRECT; ++i)
        PACED_TRY(try_product(device, setting, tests[i], verdict));
    return PACED_OK;
}

/* ---- verdicts ------------------------------------------------------------------------------------------------ */

/* The step of a trial: STEP, the level, a blank and the setting's name. */
#define STEP "product "

static enum paced_err try_here(struct paced_device *device, const struct gemm_setting *setting, int level,
                               char **verdict) {
    static const char *const words[] = {
        [CORRECT] = VERDICT_PASSED, [WRONG] = VERDICT_WRONG, [BROKEN] = "the library reports an error"};
    enum verdict found = BROKEN;
    if (gemm_setting_apply(device, setting, level) == PACED_OK) PACED_TRY(try_setting(device, setting, &found));
    *verdict = paced_strdup(words[found]);
    return PACED_OK;
}

int gemm_answer(struct paced_device *device, const char *step) {
    int level = 0, name = 0;
    enum verdict found = BROKEN;
    if (sscanf(step, STEP "%d %n", &level, &name) != 1 || !name) return PACED_INVALID;
    const struct gemm_setting *setting = gemm_setting_named(step + name);
    if (!setting || level < 0 || level >= GEMM_LEVELS) return PACED_INVALID;
    enum paced_err err = gemm_setting_apply(device, setting, level);
    if (!err) err = try_setting(device, setting, &found);
    if (err) return (int)err;
    if (found == BROKEN) return device->blas_status == CL_BUILD_PROGRAM_FAILURE ? TRIAL_BUILD_FAILED : PACED_FAILED;
    return found == CORRECT ? PACED_OK : PACED_TRIAL_WRONG;
}

/* The plain loop is the program's own kernel and needs no trial. */
static enum paced_err find_verdict(struct paced_device *device, const struct gemm_setting *setting, int level,
                                   char **verdict) {
    *verdict = NULL;
    if (setting->path == GEMM_PLAIN || device->untried) return try_here(device, setting, level, verdict);
    char *step = paced_format(STEP "%d %s", level, setting->name);
    enum paced_err err = trial_verdict(&device->info, step, verdict);
    free(step);
    return !err && !*verdict ? try_here(device, setting, level, verdict) : err;
}

static int levels_of(const struct gemm_setting *setting) {
    return setting->path == GEMM_TILED && setting->variant == PACED_VARIANT_CPU ? GEMM_LEVELS : 1;
}

enum paced_err gemm_check(struct paced_device *device, const struct gemm_setting *setting, bool *passed) {
    int levels = levels_of(setting), level = levels > 1 ? device->gemm_level : 0;
    bool computed = false; /* a wrong result, which another level would not change */
    *passed = false;
    for (; level < levels && !*passed && !computed; ++level) {
        /* A compiler that hangs is not waited for again. */
        if (device->gemm_hangs && setting->path != GEMM_PLAIN) break;
        char *verdict;
        PACED_TRY(find_verdict(device, setting, level, &verdict));
        *passed = strcmp(verdict, VERDICT_PASSED) == 0;
        computed = strcmp(verdict, VERDICT_WRONG) == 0;
        device->gemm_hangs = strncmp(verdict, VERDICT_HANGS, strlen(VERDICT_HANGS)) == 0;
        if (!*passed) paced_log(PACED_LOG_DEBUG, "device %s: %s: %s", device->info.name, setting->name, verdict);
        if (levels > 1 && (*passed || computed)) device->gemm_level = level;
        free(verdict);
    }
    return *passed ? gemm_setting_apply(device, setting, device->gemm_level) : PACED_OK;
}
