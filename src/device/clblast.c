/* The settings that CLBlast's matrix product may be given.
 *
 * Its tuning database has no entry for PoCL's devices, and its default uses local memory and barriers, which cost a CPU
 * ten times the time. So CPUs get tiles that stay in registers: one vector load and a tile's height of broadcast
 * multiply-adds per step (GEMMK=1), no barrier, and A, B and C row-major as they are: nothing is transposed or copied.
 * GPUs get what the library's database has, or the usual tiles in local memory. */
#include <string.h>

#include <clblast_c.h>

#include "src/device/gemm.h"

static const char *parameter_names[GEMM_PARAMETERS] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                                       "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};

/* A square tile of C per work-group, each of `items` work-items holding side / items rows of it in vectors. CLBlast is
 * wrong without a word where GEMMK=1 is given a tile that is not square. */
#define REGISTERS(side, items, vector) \
    { 1, 1, 16, 1, 1, 1, side, 1, items, side, 0, 0, 0, 0, vector, 1 }
/* The same tile for compilers that pack the work-items of a group into vectors: each work-item holds side / items rows
 * of one column. Intel's compiler for CPUs packs them; CLBlast's own vectors it takes apart where results are stored.
 */
#define COLUMNS(side, items) \
    { 1, 1, 16, 1, side, side, side, items, items, side, 0, 0, 0, 0, 1, 1 }
/* A tile of m x n per group x group work-items, with A's and B's share in local memory. */
#define LOCAL(m, n, group, vector) \
    { 0, 1, 16, 2, group, group, m, group, group, n, 1, 1, 0, 0, vector, vector }

#define CPU GEMM_TILED, PACED_VARIANT_CPU
#define GPU GEMM_TILED, PACED_VARIANT_GPU

const struct gemm_setting gemm_settings[] = {
    {"tile 16x16, vectors of 16", CPU, 16, REGISTERS(16, 1, 16)},
    {"tile 8x16, vectors of 16", CPU, 16, REGISTERS(16, 2, 16)},
    {"tile 4x16, vectors of 8", CPU, 8, REGISTERS(16, 4, 8)},
    {"tile 8x8, vectors of 8", CPU, 8, REGISTERS(8, 1, 8)},
    {"tile 8x8, vectors of 4", CPU, 0, REGISTERS(8, 1, 4)},
    {"tile 4x8, vectors of 4", CPU, 0, REGISTERS(8, 2, 4)},
    {"tile 8x16, packed work-items", CPU, 0, COLUMNS(16, 2)},
    {"direct", GEMM_DIRECT, PACED_VARIANT_GPU, 0, {0}},
    {"local 64x64, groups of 8x8", GPU, 0, LOCAL(64, 64, 8, 4)},
    {"local 64x64, groups of 16x16", GPU, 0, LOCAL(64, 64, 16, 4)},
    {"local 128x64, groups of 16x16", GPU, 0, LOCAL(128, 64, 16, 4)},
    {"local 128x128, groups of 16x16", GPU, 0, LOCAL(128, 128, 16, 4)},
    {"local 32x32, groups of 8x8", GPU, 0, LOCAL(32, 32, 8, 4)},
    {"local 16x16, groups of 8x8", GPU, 0, LOCAL(16, 16, 8, 1)},
    {"plain loop", GEMM_PLAIN, PACED_VARIANT_CPU, 0, {0}},
};
const size_t gemm_setting_count = PACED_COUNT(gemm_settings);

const struct gemm_setting *gemm_setting_named(const char *name) {
    for (size_t i = 0; i < gemm_setting_count; ++i)
        if (strcmp(gemm_settings[i].name, name) == 0) return &gemm_settings[i];
    return NULL;
}

bool gemm_setting_applies(const struct gemm_setting *setting, const struct paced_device_info *info) {
    return setting->path == GEMM_PLAIN || setting->variant == info->variant;
}

static CLBlastStatusCode override(struct paced_device *device, const char *kernel, size_t count, const char **names,
                                  const size_t *values) {
    return CLBlastOverrideParameters(device->id, kernel, CLBlastPrecisionSingle, count, names, values);
}

/* Parameters of one of CLBlast's kernels, by name. */
enum { MAX_PARAMETERS = 10 };
struct kernel_size {
    const char *kernel;
    size_t count;
    const char *names[MAX_PARAMETERS];
    size_t values[MAX_PARAMETERS];
};

#define DIRECT_NAMES \
    { "KWID", "MDIMAD", "MDIMCD", "NDIMBD", "NDIMCD", "PADA", "PADB", "VWMD", "VWND", "WGD" }

/* XgemmDirect, by far the largest unused kernel. Level 0 has fewer outputs than work-items, which leaves it nothing to
 * do: the fastest to compile. Its source then declares arrays of no elements, which upstream clang accepts, Intel's
 * compiler refuses, and Mesa's ends the process for. Level 1 has one output for each work-item. */
static const struct kernel_size smallest_direct[GEMM_LEVELS - 1] = {
    {"XgemmDirect", 10, DIRECT_NAMES, {1, 1, 2, 1, 2, 0, 0, 1, 1, 1}},
    {"XgemmDirect", 10, DIRECT_NAMES, {1, 1, 1, 1, 1, 0, 0, 1, 1, 1}},
};

/* The kernels that copy, pad and transpose. */
static const struct kernel_size smallest_others[] = {
    {"Copy", 4, {"COPY_DIMX", "COPY_DIMY", "COPY_VW", "COPY_WPT"}, {1, 1, 1, 1}},
    {"Pad", 4, {"PAD_DIMX", "PAD_DIMY", "PAD_WPTX", "PAD_WPTY"}, {1, 1, 1, 1}},
    {"Transpose", 4, {"TRA_DIM", "TRA_PAD", "TRA_SHUFFLE", "TRA_WPT"}, {1, 0, 0, 1}},
    {"Padtranspose", 3, {"PADTRA_PAD", "PADTRA_TILE", "PADTRA_WPT"}, {0, 1, 1}},
};

static CLBlastStatusCode resize(struct paced_device *device, const struct kernel_size *size) {
    const char *names[MAX_PARAMETERS];
    memcpy(names, size->names, sizeof names);
    return override(device, size->kernel, size->count, names, size->values);
}

/* Products of whole register tiles never reach these kernels. They are in the same program, and CLBlast asks the driver
 * for the binary of all of it, so PoCL compiles every one of them, which takes ten seconds with the database's tiles.
 */
static CLBlastStatusCode shrink_unused_kernels(struct paced_device *device, int level) {
    if (level >= GEMM_LEVELS - 1) return CLBlastSuccess;
    CLBlastStatusCode status = resize(device, &smallest_direct[level]);
    for (size_t i = 0; i < PACED_COUNT(smallest_others) && status == CLBlastSuccess; ++i)
        status = resize(device, &smallest_others[i]);
    return status;
}

/* Products of fewer multiply-adds than this number's cube are direct: none, or all. */
static CLBlastStatusCode choose_path(struct paced_device *device, enum gemm_path path) {
    const char *name[] = {"XGEMM_MIN_INDIRECT_SIZE"};
    size_t least = path == GEMM_DIRECT ? 1 << 20 : 1;
    return override(device, "GemmRoutine", 1, name, &least);
}

enum paced_err gemm_setting_apply(struct paced_device *device, const struct gemm_setting *setting, int level) {
    if (setting->path == GEMM_PLAIN) return PACED_OK;
    CLBlastStatusCode status = choose_path(device, setting->path);
    if (status == CLBlastSuccess && setting->path == GEMM_TILED)
        status = override(device, "Xgemm", GEMM_PARAMETERS, parameter_names, setting->tile);
    if (status == CLBlastSuccess && setting->variant == PACED_VARIANT_CPU)
        status = shrink_unused_kernels(device, level);
    if (status == CLBlastSuccess) return PACED_OK;
    return paced_error(PACED_FAILED, "device %s: CLBlast refuses the parameters of %s (%d)", device->info.name,
                       setting->name, status);
}

/* ---- products ------------------------------------------------------------------------------------------------ */

static enum paced_err multiply_plain(struct paced_device *device, const struct product *p) {
    uint64_t items = (uint64_t)p->batch * (uint64_t)p->m * (uint64_t)p->n;
    return PACED_LAUNCH(device, PACED_KERNEL(gemm, gemm_plain), paced_range_items(items), 1, p->batch, p->m, p->n, p->k,
                        p->a, p->b, p->beta, p->c);
}

/* True if CLBlast may pad and transpose operands in kernels of their own. Products of whole register tiles need none.
 */
static bool has_copies(const struct gemm_setting *setting) {
    return setting->path == GEMM_TILED && setting->variant == PACED_VARIANT_GPU;
}

bool gemm_withholds_binaries;

/* A single product is a batch of one, because CLBlast's routine for it would be one more program to compile. */
static enum paced_err multiply_clblast(struct paced_device *device, const struct product *p, bool copies) {
    size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
    gemm_withholds_binaries = device_is_pocl(&device->info);
    CLBlastStatusCode status =
        CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, m, n, k, 1.0f,
                                   p->a->memory, 0, k, m * k, p->b->memory, 0, n, k * n, p->beta, p->c->memory, 0, n,
                                   m * n, (size_t)p->batch, &device->queue, profile_event(device, "gemm", copies));
    gemm_withholds_binaries = false;
    if (status == CLBlastSuccess) return PACED_OK;
    device->blas_status = (int)status;
    return paced_error(PACED_FAILED, "device %s: CLBlast product %d x (%d, %d, %d) failed: status %d",
                       device->info.name, p->batch, p->m, p->n, p->k, status);
}

enum paced_err gemm_multiply(struct paced_device *device, const struct gemm_setting *setting,
                             const struct product *product) {
    return setting->path == GEMM_PLAIN ? multiply_plain(device, product)
                                       : multiply_clblast(device, product, has_copies(setting));
}

void gemm_release(void) {
    CLBlastClearCache();
}
