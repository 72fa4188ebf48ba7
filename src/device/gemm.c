/* Matrix products through CLBlast, in a configuration that this device was seen to compute correctly with.
 *
 * Why configurations: CLBlast's tuning database has no entry for PoCL's devices, and its default uses local memory and
 * barriers, which cost a CPU ten times the time. For CPUs the ladder below starts with register tiles made for the
 * native vector width: one work-item a group, one vector load and a tile's height of broadcast multiply-adds per step
 * (GEMMK=1). That kernel wants A, B and C row-major as they are: nothing is transposed or copied.
 *
 * Why a self-test: CLBlast's status is success also where the result is wrong (GEMMK=1 with MWG != NWG; strides and
 * offsets of the batched routine in its indirect path, which is why buffers here start at their views' starts and
 * strides are dense). So the first product on a device walks the ladder down to a rung that computes what a plain loop
 * computes; the last rung is a kernel of our own. The rung is remembered in the user's cache directory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <clblast_c.h>

#include "src/device/opencl.h"

/* Values of CLBlast's "Xgemm" parameters, in the order of parameter_names. */
static const char *parameter_names[] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                        "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
enum { PARAMETERS = PACED_COUNT(parameter_names) };

struct rung {
    const char *name;
    bool cpu_only;
    unsigned float_width;      /* least native vector width */
    size_t values[PARAMETERS]; /* all 0: leave CLBlast's own choice for the device */
    size_t min_indirect;       /* products of fewer than its cube of multiply-adds take the direct kernel */
};

static const struct rung ladder[] = {
    {"tile 16x16, vectors of 16", true, 16, {1, 1, 16, 1, 1, 1, 16, 1, 1, 16, 0, 0, 0, 0, 16, 1}, 1},
    {"tile 8x8, vectors of 8", true, 8, {1, 1, 16, 1, 1, 1, 8, 1, 1, 8, 0, 0, 0, 0, 8, 1}, 1},
    {"tile 8x8, vectors of 4", true, 4, {1, 1, 16, 1, 1, 1, 8, 1, 1, 8, 0, 0, 0, 0, 4, 1}, 1},
    {"the library's own choice", false, 0, {0}, 0},
    {"local memory", false, 0, {0, 1, 16, 2, 8, 8, 16, 8, 8, 16, 1, 1, 0, 0, 1, 1}, 448},
    {"plain kernel", false, 0, {0}, 0},
};
enum { PLAIN = PACED_COUNT(ladder) - 1 };

/* CLBlast's own choice cannot be restored once a rung has overridden it, so a CPU that fails its tile goes past it. */
static bool fits(const struct rung *rung, const struct paced_device_info *info) {
    bool cpu = info->kind == PACED_CPU && info->float_width >= 4;
    if (rung->cpu_only) return cpu && info->float_width >= rung->float_width;
    return !cpu || rung->values[2] != 0 || rung == &ladder[PLAIN];
}

/* ---- products on one rung ------------------------------------------------------------------------------------ */

static enum paced_err set_parameters(struct paced_device *device, const struct rung *rung) {
    if (rung->min_indirect == 0) return PACED_OK;
    CLBlastStatusCode status = CLBlastOverrideParameters(device->id, "Xgemm", CLBlastPrecisionSingle, PARAMETERS,
                                                         parameter_names, rung->values);
    const char *routine[] = {"XGEMM_MIN_INDIRECT_SIZE"};
    if (status == CLBlastSuccess)
        status = CLBlastOverrideParameters(device->id, "GemmRoutine", CLBlastPrecisionSingle, 1, routine,
                                           &rung->min_indirect);
    if (status == CLBlastSuccess) return PACED_OK;
    return paced_error(PACED_FAILED, "device %s: CLBlast refuses the GEMM parameters of %s (%d)", device->info.name,
                       rung->name, status);
}

struct product {
    int batch, m, n, k;
    const struct paced_buffer *a, *b;
    float beta;
    struct paced_buffer *c;
};

static enum paced_err multiply_plain(struct paced_device *device, const struct product *p) {
    static const struct paced_kernel gemm_plain = {"gemm.cl", "gemm_plain"};
    uint64_t items = (uint64_t)p->batch * (uint64_t)p->m * (uint64_t)p->n;
    return PACED_LAUNCH(device, &gemm_plain, paced_range_items(items), 1, PACED_ARG(p->batch), PACED_ARG(p->m),
                        PACED_ARG(p->n), PACED_ARG(p->k), PACED_ARG(p->a), PACED_ARG(p->b), PACED_ARG(p->beta),
                        PACED_ARG(p->c));
}

static enum paced_err multiply_clblast(struct paced_device *device, const struct product *p) {
    size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
    CLBlastStatusCode status;
    if (p->batch == 1)
        status = CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, m, n, k, 1.0f,
                              p->a->memory, 0, k, p->b->memory, 0, n, p->beta, p->c->memory, 0, n, &device->queue,
                              profile_event(device, "gemm"));
    else
        status =
            CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, m, n, k, 1.0f,
                                       p->a->memory, 0, k, m * k, p->b->memory, 0, n, k * n, p->beta, p->c->memory, 0,
                                       n, m * n, (size_t)p->batch, &device->queue, profile_event(device, "gemm"));
    if (status == CLBlastSuccess) return PACED_OK;
    return paced_error(PACED_FAILED, "device %s: CLBlast product %d x (%d, %d, %d) failed: status %d",
                       device->info.name, p->batch, p->m, p->n, p->k, status);
}

static enum paced_err multiply(struct paced_device *device, int rung, const struct product *p) {
    return rung == PLAIN ? multiply_plain(device, p) : multiply_clblast(device, p);
}

/* ---- the self-test ------------------------------------------------------------------------------------------- */

/* Small whole numbers: every partial sum is exact in float32, so any right order of summation gives the very same
 * result and the comparison needs no tolerance. */
static void fill(float *x, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(seed >> 24) % 17 - 8);
    }
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

static enum paced_err test_product(struct paced_device *device, int rung, struct product p, bool *right) {
    size_t na = (size_t)p.batch * (size_t)p.m * (size_t)p.k, nb = (size_t)p.batch * (size_t)p.k * (size_t)p.n,
           nc = (size_t)p.batch * (size_t)p.m * (size_t)p.n;
    float *a = paced_alloc(na, sizeof *a), *b = paced_alloc(nb, sizeof *b), *before = paced_alloc(nc, sizeof *before),
          *after = paced_alloc(nc, sizeof *after);
    struct paced_buffer *da = NULL, *db = NULL, *dc = NULL;
    fill(a, na, 1);
    fill(b, nb, 2);
    fill(before, nc, 3);
    enum paced_err err;
    if ((err = paced_buffer_create(&da, device, na * sizeof *a))) goto out;
    if ((err = paced_buffer_create(&db, device, nb * sizeof *b))) goto out;
    if ((err = paced_buffer_create(&dc, device, nc * sizeof *before))) goto out;
    if ((err = paced_buffer_write(da, a, na * sizeof *a))) goto out;
    if ((err = paced_buffer_write(db, b, nb * sizeof *b))) goto out;
    if ((err = paced_buffer_write(dc, before, nc * sizeof *before))) goto out;
    p.a = da;
    p.b = db;
    p.c = dc;
    if ((err = multiply(device, rung, &p))) goto out;
    if ((err = paced_buffer_read(dc, after, nc * sizeof *after))) goto out;
    *right = matches(&p, a, b, before, after);
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

/* The paths that the program's products take: whole tiles and ragged ones, plain and batched, fresh and accumulated,
 * and a product of the size that a layer's chunk has. */
static bool passes(struct paced_device *device, int rung) {
    static const struct product tests[] = {
        {.batch = 1, .m = 64, .n = 48, .k = 80, .beta = 0.0f},
        {.batch = 1, .m = 48, .n = 64, .k = 32, .beta = 1.0f},
        {.batch = 3, .m = 48, .n = 32, .k = 64, .beta = 0.0f},
        {.batch = 36, .m = 32, .n = 16, .k = 16, .beta = 0.0f},
        {.batch = 1, .m = 17, .n = 33, .k = 15, .beta = 1.0f},
        {.batch = 2, .m = 15, .n = 1, .k = 31, .beta = 0.0f},
        {.batch = 1, .m = 1024, .n = 64, .k = 144, .beta = 0.0f},
    };
    for (size_t i = 0; i < PACED_COUNT(tests); ++i) {
        bool right = false;
        if (test_product(device, rung, tests[i], &right) != PACED_OK || !right) return false;
    }
    return true;
}

/* ---- choosing ------------------------------------------------------------------------------------------------ */

static char *memory_path(const struct paced_device *device) {
    char *dir = paced_cache_dir();
    if (!dir) return NULL;
    const struct paced_device_info *info = &device->info;
    const char *parts[] = {"ladder 1", info->name, info->platform, info->version, info->driver};
    uint64_t hash = PACED_HASH_START;
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) hash = paced_hash(hash, parts[i], strlen(parts[i]) + 1);
    char *path = paced_format("%s/gemm-%016llx", dir, (unsigned long long)hash);
    free(dir);
    return path;
}

static int remembered(const char *path, const struct paced_device_info *info) {
    uint8_t *data;
    size_t size;
    if (!path || !paced_path_exists(path) || paced_file_read(path, 4096, &data, &size) != PACED_OK) return -1;
    int rung = -1;
    for (size_t i = 0; i < PACED_COUNT(ladder); ++i)
        if (strcmp((const char *)data, ladder[i].name) == 0 && fits(&ladder[i], info)) rung = (int)i;
    free(data);
    return rung;
}

static enum paced_err choose(struct paced_device *device) {
    char *path = memory_path(device);
    device->gemm = remembered(path, &device->info);
    if (device->gemm >= 0) {
        enum paced_err err = set_parameters(device, &ladder[device->gemm]);
        free(path);
        return err;
    }
    for (int i = 0; i <= PLAIN; ++i) {
        if (!fits(&ladder[i], &device->info)) continue;
        if (set_parameters(device, &ladder[i]) == PACED_OK && passes(device, i)) {
            device->gemm = i;
            break;
        }
        paced_log(PACED_LOG_WARN, "device %s computes matrix products wrongly with %s; trying the next setting",
                  device->info.name, ladder[i].name);
    }
    if (device->gemm >= 0 && path) paced_file_write(path, ladder[device->gemm].name, strlen(ladder[device->gemm].name));
    free(path);
    if (device->gemm < 0)
        return paced_error(PACED_FAILED,
                           "device %s computes matrix products wrongly in every setting; choose another "
                           "with device.select",
                           device->info.name);
    paced_log(PACED_LOG_DEBUG, "device %s: matrix products by %s", device->info.name, ladder[device->gemm].name);
    return PACED_OK;
}

enum paced_err paced_gemm(struct paced_device *device, int batch, int m, int n, int k, const struct paced_buffer *a,
                          const struct paced_buffer *b, float beta, struct paced_buffer *c) {
    if (device->gemm < 0) PACED_TRY(choose(device));
    struct product product = {batch, m, n, k, a, b, beta, c};
    PACED_TRY(multiply(device, device->gemm, &product));
    return device->sync ? paced_device_finish(device) : PACED_OK;
}

const char *paced_gemm_setting(struct paced_device *device) {
    if (device->gemm < 0 && choose(device) != PACED_OK) return "none";
    return ladder[device->gemm].name;
}
