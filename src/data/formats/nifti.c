/* NIfTI reader and writer: NIfTI-1 and NIfTI-2 in one file (.nii), also compressed with gzip (.nii.gz). libnifti
 * defines and checks the header; zlib reads plain and compressed files alike.
 *
 * The slices lie along the third axis, those of a fourth axis and of further ones one after another. Row y, column x of
 * slice k is voxel (x, y, k), the order of the file.
 *
 * A slice of a plain file is read by itself. A compressed file must be decompressed from its start, so the volumes last
 * used stay in memory. */
#include "src/data/formats/format.h"
#include "src/data/formats/volumes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nifti2_io.h>
#include <zlib.h>

/* Bytes that may follow the voxels of a compressed file, up to its checksum. */
enum { MAX_REST_BYTES = 1 << 24 };

enum kind { UNSIGNED, SIGNED, REAL, COLOUR };
static const struct type {
    int code; /* datatype of the header */
    enum kind kind;
    int bytes, values; /* of a value; values of a voxel */
} types[] = {
    {DT_UINT8, UNSIGNED, 1, 1}, {DT_UINT16, UNSIGNED, 2, 1}, {DT_UINT32, UNSIGNED, 4, 1}, {DT_UINT64, UNSIGNED, 8, 1},
    {DT_INT8, SIGNED, 1, 1},    {DT_INT16, SIGNED, 2, 1},    {DT_INT32, SIGNED, 4, 1},    {DT_INT64, SIGNED, 8, 1},
    {DT_FLOAT32, REAL, 4, 1},   {DT_FLOAT64, REAL, 8, 1},    {DT_RGB24, COLOUR, 1, 3},    {DT_RGBA32, COLOUR, 1, 4},
};

struct reader {
    const char *path, *context;
    gzFile file;
    bool zipped, swapped;
    nifti_2_header header; /* in the host's byte order; of NIfTI-1 the fields that both have */
    nifti_1_header first;  /* of NIfTI-1; sizeof_hdr is 0 for NIfTI-2 */
    const struct type *type;
    bool scaled;
    int width, height, slices;
    size_t slice_bytes;
};

/* ---- bytes --------------------------------------------------------------------------------------------------- */

static enum paced_err refuse_damaged(const struct reader *r, const char *fault) {
    return format_refuse(r->path, r->context, "damaged NIfTI file (%s); replace it", fault);
}

static enum paced_err refuse_bytes(const struct reader *r) {
    int code;
    gzerror(r->file, &code);
    return refuse_damaged(r, code == Z_DATA_ERROR || code == Z_STREAM_ERROR ? "its compressed data is wrong"
                             : code == Z_ERRNO                              ? strerror(errno)
                                                                            : "the file ends early");
}

static enum paced_err read_bytes(const struct reader *r, void *out, size_t size) {
    enum { PART = 1 << 28 };
    for (size_t done = 0; done < size;) {
        unsigned wanted = size - done < PART ? (unsigned)(size - done) : PART;
        int got = gzread(r->file, (uint8_t *)out + done, wanted);
        if (got <= 0) return refuse_bytes(r);
        done += (size_t)got;
    }
    return PACED_OK;
}

/* Reads on to the end of a compressed file, where its checksum is. */
static enum paced_err check_end(const struct reader *r) {
    uint8_t rest[4096];
    int got = 1, code;
    for (size_t done = 0; got > 0; done += (size_t)got) {
        if (done > MAX_REST_BYTES) return refuse_damaged(r, "it holds more than it declares");
        got = gzread(r->file, rest, sizeof rest);
    }
    gzerror(r->file, &code);
    return got < 0 || code < 0 ? refuse_bytes(r) : PACED_OK;
}

/* ---- header -------------------------------------------------------------------------------------------------- */

/* Copies what is read from a header of NIfTI-1 to the wider fields of NIfTI-2. */
static void widen(struct reader *r) {
    const nifti_1_header *from = &r->first;
    nifti_2_header *to = &r->header;
    *to = (nifti_2_header){.sizeof_hdr = from->sizeof_hdr,
                           .datatype = from->datatype,
                           .bitpix = from->bitpix,
                           .vox_offset = isfinite(from->vox_offset) ? (int64_t)fminf(from->vox_offset, 1e15F) : -1,
                           .scl_slope = (double)from->scl_slope,
                           .scl_inter = (double)from->scl_inter,
                           .xyzt_units = from->xyzt_units};
    for (int i = 0; i < 8; ++i) {
        to->dim[i] = from->dim[i];
        to->pixdim[i] = (double)from->pixdim[i];
    }
}

static bool has_size(const void *header, int size, bool *swapped) {
    int32_t found;
    memcpy(&found, header, sizeof found);
    *swapped = found == (int32_t)__builtin_bswap32((uint32_t)size);
    return found == size || *swapped;
}

/* Reads the header of either version, without checking its content. */
static enum paced_err read_header(struct reader *r) {
    PACED_TRY(read_bytes(r, &r->first, sizeof r->first));
    if (has_size(&r->first, sizeof r->first, &r->swapped) && memcmp(r->first.magic, "n+1", 4) == 0) {
        if (r->swapped) nifti_swap_as_nifti1(&r->first);
        if (!nifti_hdr1_looks_good(&r->first)) return refuse_damaged(r, "its header is wrong");
        widen(r);
        return PACED_OK;
    }
    if (has_size(&r->first, sizeof r->header, &r->swapped) && memcmp((char *)&r->first + 4, "n+2", 4) == 0) {
        memcpy(&r->header, &r->first, sizeof r->first);
        PACED_TRY(read_bytes(r, (uint8_t *)&r->header + sizeof r->first, sizeof r->header - sizeof r->first));
        r->first = (nifti_1_header){0};
        if (r->swapped) nifti_swap_as_nifti2(&r->header);
        return nifti_hdr2_looks_good(&r->header) ? PACED_OK : refuse_damaged(r, "its header is wrong");
    }
    if (memcmp(r->first.magic, "ni1", 4) == 0 || memcmp((char *)&r->first + 4, "ni2", 4) == 0)
        return format_refuse(r->path, r->context, "is the header of a pair .hdr and .img; convert it to .nii");
    return format_refuse(r->path, r->context, "is compressed, but holds no NIfTI volume; decompress it");
}

static enum paced_err read_extent(struct reader *r) {
    int64_t dim[8]; /* aligned, unlike those of the header */
    memcpy(dim, r->header.dim, sizeof dim);
    int64_t height = dim[0] > 1 ? dim[2] : 1, slices = 1;
    if (dim[0] < 1 || dim[0] > 7 || dim[1] < 1 || height < 1) return refuse_damaged(r, "its header is wrong");
    PACED_TRY(format_check_size(r->path, r->context, (uint64_t)dim[1], (uint64_t)height));
    for (int i = 3; i <= dim[0]; ++i) {
        if (dim[i] < 1) return refuse_damaged(r, "its header is wrong");
        if (dim[i] > FORMAT_MAX_SLICES || slices * dim[i] > FORMAT_MAX_SLICES)
            return format_refuse(r->path, r->context, "has more than %d slices; divide it", FORMAT_MAX_SLICES);
        slices *= dim[i];
    }
    r->width = (int)dim[1];
    r->height = (int)height;
    r->slices = (int)slices;
    r->slice_bytes = (size_t)r->width * (size_t)r->height * (size_t)(r->type->bytes * r->type->values);
    return PACED_OK;
}

/* Checks the position of the voxels and, where it tells, the size of the file. */
static enum paced_err check_place(struct reader *r) {
    nifti_2_header *h = &r->header;
    const int64_t least = h->sizeof_hdr + 4;
    struct stat info;
    if (h->vox_offset == 0) h->vox_offset = least;
    if (h->vox_offset < least || h->vox_offset > (int64_t)1 << 40) return refuse_damaged(r, "its voxels start nowhere");
    if (r->zipped || stat(r->path, &info) != 0) return PACED_OK;
    const uint64_t end = (uint64_t)h->vox_offset + (uint64_t)r->slices * r->slice_bytes;
    return (uint64_t)info.st_size < end ? refuse_damaged(r, "the file ends early") : PACED_OK;
}

static enum paced_err open_file(struct reader *r) {
    nifti_set_debug_level(0); /* no messages of its own */
    r->file = gzopen(r->path, "rb");
    if (!r->file) return format_refuse(r->path, r->context, "cannot open: %s; check the path", strerror(errno));
    r->zipped = !gzdirect(r->file);
    PACED_TRY(read_header(r));
    const nifti_2_header *h = &r->header;
    for (size_t i = 0; i < PACED_COUNT(types); ++i)
        if (types[i].code == h->datatype) r->type = &types[i];
    if (!r->type)
        return format_refuse(r->path, r->context, "holds voxels of the type %s; convert them to integers or floats",
                             nifti_datatype_string(h->datatype));
    r->scaled = r->type->kind != COLOUR && h->scl_slope != 0 && isfinite(h->scl_slope) &&
                !(h->scl_slope == 1 && h->scl_inter == 0);
    if (r->scaled && !isfinite(h->scl_inter)) return refuse_damaged(r, "its scale is not finite");
    PACED_TRY(read_extent(r));
    return check_place(r);
}

static void close_file(struct reader *r) {
    if (r->file) gzclose(r->file);
}

/* Distance of voxels along an axis, mm. A file without a unit means mm. */
static double spacing_of(const nifti_2_header *h, int axis) {
    const int unit = XYZT_TO_SPACE(h->xyzt_units);
    const double mm = unit == NIFTI_UNITS_METER ? 1000 : unit == NIFTI_UNITS_MICRON ? 0.001 : 1;
    return isfinite(h->pixdim[axis]) ? fabs(h->pixdim[axis]) * mm : 0;
}

static struct paced_image_info info_of(const struct reader *r) {
    const struct type *type = r->type;
    return (struct paced_image_info){.width = r->width,
                                     .height = r->height,
                                     .channels = type->kind == COLOUR ? 3 : 1,
                                     .slices = r->slices,
                                     .bits = 8 * type->bytes,
                                     .is_signed = type->kind == SIGNED,
                                     .is_float = type->kind == REAL || r->scaled,
                                     .spacing_mm = {spacing_of(&r->header, 2), spacing_of(&r->header, 1)}};
}

static enum paced_err describe(const char *path, const char *context, struct paced_image_info *info) {
    struct reader r = {.path = path, .context = context};
    enum paced_err err = open_file(&r);
    if (!err) *info = info_of(&r);
    close_file(&r);
    return err;
}

/* ---- voxels -------------------------------------------------------------------------------------------------- */

/* Decompresses all slices. */
static enum paced_err read_volume(void *reader, uint8_t *volume) {
    const struct reader *r = reader;
    if (gzseek(r->file, r->header.vox_offset, SEEK_SET) < 0) return refuse_bytes(r);
    PACED_TRY(read_bytes(r, volume, (size_t)r->slices * r->slice_bytes));
    return check_end(r);
}

static enum paced_err read_voxels(struct reader *r, int slice, uint8_t *bytes) {
    const size_t start = (size_t)slice * r->slice_bytes;
    if (r->zipped && (size_t)r->slices * r->slice_bytes <= VOLUME_MAX_BYTES)
        return volumes_read(r->path, (size_t)r->slices * r->slice_bytes, start, r->slice_bytes, bytes, read_volume, r);
    if (gzseek(r->file, (z_off_t)r->header.vox_offset + (z_off_t)start, SEEK_SET) < 0) return refuse_bytes(r);
    return read_bytes(r, bytes, r->slice_bytes);
}

#define TYPED(type) ((double)((const type *)bytes)[i])

static double value_at(const struct type *type, const uint8_t *bytes, size_t i) {
    switch (type->code) {
    case DT_INT8:
        return TYPED(int8_t);
    case DT_UINT16:
        return TYPED(uint16_t);
    case DT_INT16:
        return TYPED(int16_t);
    case DT_UINT32:
        return TYPED(uint32_t);
    case DT_INT32:
        return TYPED(int32_t);
    case DT_UINT64:
        return TYPED(uint64_t);
    case DT_INT64:
        return TYPED(int64_t);
    case DT_FLOAT32:
        return TYPED(float);
    case DT_FLOAT64:
        return TYPED(double);
    default:
        return TYPED(uint8_t);
    }
}

/* Drops the fourth value of each voxel. */
static void drop_alpha(uint8_t *bytes, size_t voxels) {
    for (size_t i = 0; i < voxels; ++i) memmove(bytes + 3 * i, bytes + 4 * i, 3);
}

/* Converts the voxels of a slice, `bytes`, which the raster takes over if it needs no other type. */
static void convert(const struct reader *r, uint8_t *bytes, struct paced_raster *raster) {
    const struct type *type = r->type;
    const size_t voxels = (size_t)r->width * (size_t)r->height;
    if (r->swapped && type->bytes > 1) nifti_swap_Nbytes((int64_t)voxels, type->bytes, bytes);
    if (type->code == DT_RGBA32) drop_alpha(bytes, voxels);
    raster->value = bytes;
    raster->sample = type->code == DT_UINT16 ? PACED_WORDS : PACED_BYTES;
    if (!r->scaled && (type->kind == COLOUR || (type->kind == UNSIGNED && type->bytes <= 2))) return;
    float *value = paced_alloc(voxels, sizeof *value);
    for (size_t i = 0; i < voxels; ++i) {
        double v = value_at(type, bytes, i);
        value[i] = (float)(r->scaled ? v * r->header.scl_slope + r->header.scl_inter : v);
    }
    raster->value = value;
    raster->sample = PACED_REALS;
    free(bytes);
}

static enum paced_err read_image(const char *path, const char *context, int slice, enum paced_samples samples,
                                 struct paced_raster *raster) {
    struct reader r = {.path = path, .context = context};
    uint8_t *bytes = NULL;
    enum paced_err err = open_file(&r);
    if (!err && slice >= r.slices) err = refuse_damaged(&r, "it changed while it was read");
    if (!err) {
        bytes = paced_alloc(r.slice_bytes, 1);
        err = read_voxels(&r, slice, bytes);
    }
    *raster = (struct paced_raster){0};
    if (!err) {
        raster->info = info_of(&r);
        convert(&r, bytes, raster);
    }
    if (err) free(bytes);
    close_file(&r);
    return err;
}

/* A plain header of either version, or a compressed file. */
static bool recognise(const uint8_t *first, size_t size) {
    bool swapped;
    if (size >= 2 && first[0] == 0x1f && first[1] == 0x8b) return true;
    if (size < sizeof(nifti_1_header)) return false;
    if (has_size(first, sizeof(nifti_1_header), &swapped))
        return memcmp(first + 344, "n+1", 4) == 0 || memcmp(first + 344, "ni1", 4) == 0;
    return has_size(first, sizeof(nifti_2_header), &swapped) &&
           (memcmp(first + 4, "n+2", 4) == 0 || memcmp(first + 4, "ni2", 4) == 0);
}

const struct format nifti_format = {.name = "NIfTI",
                                    .endings = (const char *const[]){".nii.gz", ".nii", ".NII.GZ", ".NII", NULL},
                                    .recognise = recognise,
                                    .sliced = true,
                                    .describe = describe,
                                    .read = read_image};

/* ---- writing ------------------------------------------------------------------------------------------------- */

struct paced_nifti {
    struct paced_atomic file;
    gzFile stream;
    int width, height;
};

bool paced_nifti_is(const char *path) {
    struct paced_failures failures = {0}, *before = paced_errors_collect(&failures);
    struct reader r = {.path = path};
    uint8_t first[FORMAT_FIRST_BYTES];
    FILE *file = paced_path_unreadable(path) ? NULL : fopen(path, "rb");
    size_t size = file ? fread(first, 1, sizeof first, file) : 0;
    if (file) fclose(file);
    bool is = recognise(first, size) && open_file(&r) == PACED_OK;
    close_file(&r);
    paced_errors_collect(before);
    paced_failures_finish(&failures);
    return is;
}

static enum paced_err write_bytes(struct paced_nifti *w, const void *data, size_t size) {
    if (size == 0 || gzfwrite(data, size, 1, w->stream) == 1) return PACED_OK;
    return paced_error_at(PACED_FAILED, w->file.path, "cannot write (%s); is the disk full?", strerror(errno));
}

/* Header of labels: that of the image with another type of voxels. */
static enum paced_err write_header(struct paced_nifti *w, const struct reader *like) {
    static const uint8_t no_extension[4] = {0};
    nifti_1_header first = like->first;
    nifti_2_header second = like->header;
    first.datatype = second.datatype = DT_UINT8;
    first.bitpix = second.bitpix = 8;
    first.scl_slope = 1;
    second.scl_slope = 1;
    first.scl_inter = first.cal_min = first.cal_max = 0;
    second.scl_inter = second.cal_min = second.cal_max = 0;
    first.vox_offset = sizeof first + sizeof no_extension;
    second.vox_offset = sizeof second + sizeof no_extension;
    PACED_TRY(first.sizeof_hdr ? write_bytes(w, &first, sizeof first) : write_bytes(w, &second, sizeof second));
    return write_bytes(w, no_extension, sizeof no_extension);
}

static enum paced_err start(struct paced_nifti *w, const char *path, const struct reader *like) {
    PACED_TRY(paced_atomic_open(&w->file, path));
    int copy = dup(fileno(w->file.stream));
    w->stream = copy >= 0 ? gzdopen(copy, "wb") : NULL;
    if (!w->stream) {
        if (copy >= 0) close(copy);
        return paced_error_at(PACED_FAILED, path, "cannot write (%s)", strerror(errno));
    }
    return write_header(w, like);
}

enum paced_err paced_nifti_create(struct paced_nifti **nifti, const char *path, const char *like) {
    struct reader r = {.path = like};
    struct paced_nifti *w = paced_alloc(1, sizeof *w);
    enum paced_err err = open_file(&r);
    w->width = r.width;
    w->height = r.height;
    if (!err) err = start(w, path, &r);
    close_file(&r);
    *nifti = err ? NULL : w;
    if (err) paced_nifti_abort(w);
    return err;
}

enum paced_err paced_nifti_add_slice(struct paced_nifti *w, int width, int height, const uint8_t *label) {
    if (width != w->width || height != w->height)
        return paced_error_at(PACED_FAILED, w->file.path, "its image changed while it was read; start again");
    return write_bytes(w, label, (size_t)width * (size_t)height);
}

enum paced_err paced_nifti_commit(struct paced_nifti *w) {
    enum paced_err err = PACED_OK;
    if (gzclose(w->stream) != Z_OK)
        err = paced_error_at(PACED_FAILED, w->file.path, "cannot write (%s); is the disk full?", strerror(errno));
    w->stream = NULL;
    if (!err) err = paced_atomic_commit(&w->file);
    paced_nifti_abort(w);
    return err;
}

void paced_nifti_abort(struct paced_nifti *w) {
    if (!w) return;
    if (w->stream) gzclose(w->stream);
    paced_atomic_abort(&w->file);
    free(w);
}
