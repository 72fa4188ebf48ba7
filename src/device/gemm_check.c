/* The self-test of the matrix products.
 *
 * CLBlast's status is success also where the result is wrong: GEMMK=1 with a tile that is not square; strides and
 * offsets of the batched routine in its indirect path, which is why buffers here start at their views' starts and
 * strides are dense. So no setting is used that did not compute here what a plain loop computes. The answers are kept
 * in the user's cache directory, a line for each setting: "right NAME" or "wrong NAME". */
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"
#include "src/device/gemm.h"

/* ---- one product --------------------------------------------------------------------------------------------- */

/* Small whole numbers: every partial sum is exact in float32, so any right order of summation gives the very same
 * result and the comparison needs no tolerance. */
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

/* What a product was. Broken: the library or the driver refused it. */
enum verdict { RIGHT, WRONG, BROKEN };

static const char *const words[] = {[RIGHT] = "right", [WRONG] = "wrong"};

/* An error: there is no memory for so little, or the device is gone. */
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
    if (gemm_multiply(device, setting, &p)) goto out;
    if ((err = paced_buffer_read(dc, after, nc * sizeof *after))) goto out;
    *verdict = matches(&p, a, b, before, after) ? RIGHT : WRONG;
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

/* One product and batches, fresh and accumulated; sizes within, between and beyond the settings' tiles, and each size
 * the smallest that the contract allows. */
static enum paced_err try_setting(struct paced_device *device, const struct gemm_setting *setting,
                                  enum verdict *verdict) {
    static const struct product tests[] = {{.batch = 1, .m = 16, .n = 16, .k = 16, .beta = 0.0f},
                                           {.batch = 1, .m = 48, .n = 64, .k = 32, .beta = 1.0f},
                                           {.batch = 3, .m = 48, .n = 32, .k = 64, .beta = 0.0f},
                                           {.batch = 36, .m = 32, .n = 16, .k = 16, .beta = 1.0f},
                                           {.batch = 1, .m = 144, .n = 272, .k = 48, .beta = 0.0f}};
    *verdict = RIGHT;
    for (size_t i = 0; i < PACED_COUNT(tests) && *verdict == RIGHT; ++i)
        PACED_TRY(try_product(device, setting, tests[i], verdict));
    return PACED_OK;
}

/* ---- what is known already ----------------------------------------------------------------------------------- */

static char *memory_path(const struct paced_device *device) {
    char *dir = paced_cache_dir();
    if (!dir) return NULL;
    const struct paced_device_info *info = &device->info;
    const char *options = getenv("CLBLAST_BUILD_OPTIONS");
    const char *parts[] = {"products",   PACED_VERSION,         info->name, info->platform, info->version,
                           info->driver, options ? options : ""};
    uint64_t hash = PACED_HASH_START;
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) hash = paced_hash(hash, parts[i], strlen(parts[i]) + 1);
    char *path = paced_format("%s/gemm-%016llx", dir, (unsigned long long)hash);
    free(dir);
    return path;
}

/* The file's text; empty where there is none. */
static char *recall(const char *path) {
    uint8_t *data;
    size_t size;
    if (!path || !paced_path_exists(path) || paced_file_read(path, 1 << 16, &data, &size) != PACED_OK)
        return paced_strdup("");
    return (char *)data;
}

static bool has_line(const char *text, enum verdict verdict, const char *name) {
    char *line = paced_format("%s %s\n", words[verdict], name);
    const char *at = strstr(text, line);
    bool found = at && (at == text || at[-1] == '\n');
    free(line);
    return found;
}

/* A cache that cannot be written is reported and costs time only: the run goes on. */
static void remember(const char *path, const char *text, enum verdict verdict, const char *name) {
    if (!path || verdict == BROKEN) return; /* what was broken may work the next time */
    char *longer = paced_format("%s%s %s\n", text, words[verdict], name);
    paced_file_write(path, longer, strlen(longer));
    free(longer);
}

static enum paced_err find_verdict(struct paced_device *device, const struct gemm_setting *setting, const char *path,
                                   const char *text, enum verdict *verdict) {
    for (*verdict = RIGHT; *verdict <= WRONG; ++*verdict)
        if (has_line(text, *verdict, setting->name)) return PACED_OK;
    PACED_TRY(try_setting(device, setting, verdict));
    remember(path, text, *verdict, setting->name);
    if (*verdict != RIGHT)
        paced_log(PACED_LOG_WARN, "device %s %s with %s; it is left out", device->info.name,
                  *verdict == WRONG ? "computes matrix products wrongly" : "cannot compute matrix products",
                  setting->name);
    return PACED_OK;
}

enum paced_err gemm_check(struct paced_device *device, const struct gemm_setting *setting, bool *right) {
    PACED_TRY(gemm_setting_apply(device, setting));
    char *path = memory_path(device), *text = recall(path);
    enum verdict verdict;
    enum paced_err err = find_verdict(device, setting, path, text, &verdict);
    *right = !err && verdict == RIGHT;
    free(text);
    free(path);
    return err;
}
