/* data: from files to batches in host memory; no OpenCL.
 *
 * A split (JSON) lists [image, mask] pairs. A dataset decodes a pair into an RGB image and a label map of the
 * configured size. A loader prepares batches on its own threads while the device computes. */
#ifndef PACED_DATA_H
#define PACED_DATA_H

#include "paced/base.h"

/* ---- options ------------------------------------------------------------------------------------------------- */

/* Maxima of classes (labels are bytes) and of a side of the size. */
enum { PACED_MAX_CLASSES = 255, PACED_MAX_SIZE = 8192 };

enum paced_dataset_kind { PACED_DATA_BUS, PACED_DATA_NEEDLE, PACED_DATA_ROBO, PACED_DATA_FOLDER };
const char *paced_dataset_kind_name(int kind);
/* Augmentation of the reference implementation for this kind of data set. */
const char *paced_dataset_kind_augment(int kind);

/* The section [data]; docs/configuration.md explains the keys. Strings are never NULL. */
struct paced_data_options {
    int dataset; /* enum paced_dataset_kind */
    char *root, *train, *val, *labels, *augment;
    int64_t classes, workers;
    struct paced_extent size; /* of all samples */
    bool merge_masks;
};

/* ---- images -------------------------------------------------------------------------------------------------- */

/* rgb[height][width][3], row-major. */
struct paced_image {
    int width, height;
    uint8_t *rgb;
};

/* value[height][width]: the stored sample values (palette index, grey or red channel), unscaled: 0 and 1 in a 1-bit
 * file, 0..65535 in a 16-bit file. */
struct paced_plane {
    int width, height;
    uint16_t *value;
};

/* Reads an image file; the first bytes determine the format. `context` (may be NULL) is the prefix of error messages,
 * such as "train.json: entry 3". PACED_INVALID for a missing, truncated or too large file (above 2^28 pixels or 65,535
 * on a side) and for other formats.
 * PNG: 1, 2, 4, 8, 16 bit; grey, RGB, palette; with or without alpha; interlaced or not. Alpha is dropped, not blended;
 * 16-bit samples keep the high byte; grey is replicated; gamma and colour profiles are ignored.
 * JPEG: grey or colour; the EXIF orientation is ignored, so pixels keep their positions in the file. PACED_INVALID for
 * CMYK and for any libjpeg warning. */
enum paced_err paced_image_read(const char *path, const char *context, struct paced_image *image);
/* The same for masks, as colours or as stored values. PACED_INVALID for a format whose compression changes values. */
enum paced_err paced_image_read_exact(const char *path, const char *context, struct paced_image *image);
enum paced_err paced_plane_read(const char *path, const char *context, struct paced_plane *plane);
/* True if the name ends in an ending of these formats (case-insensitive), such as .png or .jpg. */
bool paced_image_named(const char *name);
/* The first ending for which a file <stem><ending> exists, or NULL. */
const char *paced_image_ending(const char *stem);

/* Writes an 8-bit PNG atomically; channels is 1 (grey) or 3 (RGB). */
enum paced_err paced_png_write(const char *path, int width, int height, int channels, const uint8_t *pixels);
/* Encodes the same file in memory. Release *data with free(). */
enum paced_err paced_png_encode(uint8_t **data, size_t *size, int width, int height, int channels,
                                const uint8_t *pixels);

/* Writes a PNG row by row, 8 or 16 bits (host byte order), without the image in memory. paced_png_commit finishes the
 * file and releases `png`, also on an error; paced_png_abort (accepts NULL) leaves no file. */
struct paced_png;
enum paced_err paced_png_create(struct paced_png **png, const char *path, int width, int height, int channels,
                                int bits);
enum paced_err paced_png_add_row(struct paced_png *png, const void *row);
enum paced_err paced_png_commit(struct paced_png *png);
void paced_png_abort(struct paced_png *png);

/* Source index of destination index i: min((int)floorf((float)i * ((float)in / (float)out)), in - 1), as computed in
 * float32 by PyTorch's interpolate(mode="nearest"). */
int paced_nearest_index(int i, int in, int out);

/* pixels[height][width][channels] -> out[out_height][out_width][channels]. */
void paced_resize_nearest(const uint8_t *pixels, int width, int height, int channels, uint8_t *out, int out_width,
                          int out_height);

/* ---- masks --------------------------------------------------------------------------------------------------- */

struct paced_masks;

/* Opens the mask reader of the configured data.dataset, with data.labels and data.merge_masks. PACED_INVALID for an
 * invalid label table, a missing one (or one without colours) where data.dataset requires it, or a data.classes that
 * contradicts data.dataset or the table. */
enum paced_err paced_masks_open(struct paced_masks **masks, const struct paced_data_options *options);
void paced_masks_close(struct paced_masks *masks);

struct paced_mask {
    int width, height;
    uint8_t *label;  /* [height][width], 0..classes-1 */
    size_t unmapped; /* pixels whose value belongs to no class: their value belongs to no class, so they received a
                        default one */
};

/* Reads a mask. bus and needle: label 1 where the red channel is 255, else 0; values between are unmapped. robo: the
 * class of the colour; a colour missing from the table is an error (with position and colour), or unmapped with the
 * class of the table's entry "ignore". folder: the stored value; a value outside the classes is an error (with position
 * and value). data.merge_masks adds the union with "x_mask_1.png", "x_mask_2.png"... up to the first missing number.
 * `context` as in paced_image_read. On an error *mask holds nothing to release. Thread-safe. */
enum paced_err paced_masks_read(const struct paced_masks *masks, const char *path, const char *context,
                                struct paced_mask *mask);

/* Class name from the label table or from data.dataset, or NULL. Valid until the masks are closed. */
const char *paced_masks_class_name(const struct paced_masks *masks, int class);

/* First colour of the class in the label table, 0xRRGGBB; false if there is none. */
bool paced_masks_class_colour(const struct paced_masks *masks, int class, uint32_t *colour);

/* Message about unmapped pixels: "12 mask pixels are ...". Release with free(). */
char *paced_masks_unmapped_text(const struct paced_masks *masks, size_t unmapped);

/* ---- datasets ------------------------------------------------------------------------------------------------ */

enum paced_phase { PACED_TRAIN, PACED_VAL };

struct paced_dataset;

/* Reads and checks the split of `phase` (data.train or data.val) without decoding images. PACED_INVALID for a missing
 * root or split, invalid JSON, an empty split, an entry that is not a pair of strings, a path that is absolute or
 * leaves the root, and errors of paced_masks_open. Paths are relative to the root; for robo, to <root>/train or
 * <root>/val, by phase. */
enum paced_err paced_dataset_open(struct paced_dataset **dataset, const struct paced_data_options *options,
                                  enum paced_phase phase);
/* Opens all pairs below data.root, found by name instead of by a split: x.png or x.jpg with x_mask.png in the same
 * folder, or in the folder "..._mask" beside it. */
enum paced_err paced_dataset_find(struct paced_dataset **dataset, const struct paced_data_options *options);
void paced_dataset_close(struct paced_dataset *dataset);

size_t paced_dataset_count(const struct paced_dataset *dataset);
struct paced_extent paced_dataset_extent(const struct paced_dataset *dataset);        /* of the decoded pairs */
const char *paced_dataset_image_name(const struct paced_dataset *dataset, size_t i);  /* as written in the split */
const char *paced_dataset_class_name(const struct paced_dataset *dataset, int class); /* may be NULL */
const struct paced_masks *paced_dataset_masks(const struct paced_dataset *dataset);   /* owned by dataset */

/* True if all decoded pairs fit in the memory bound of paced_dataset_load. */
bool paced_dataset_fits_memory(const struct paced_dataset *dataset);
/* Checks that every file of the split can be opened, without decoding; reports the first failure (PACED_INVALID). */
enum paced_err paced_dataset_check_files(const struct paced_dataset *dataset);

/* Decodes pair i: rgb[height][width][3], label[height][width] in 0..classes-1, both resized with NEAREST. Thread-safe.
 * Unmapped mask pixels cause one warning per data set. Image and mask of different sizes are an error. Decoded pairs
 * are cached up to a bound of 1 GiB, shared by all data sets of the process, so that later epochs need no decoding. */
enum paced_err paced_dataset_load(struct paced_dataset *dataset, size_t i, uint8_t *rgb, uint8_t *label);

/* ---- data set statistics ------------------------------------------------------------------------------------- */

enum { PACED_FINGERPRINT_SIDE = 24, PACED_FINGERPRINT_VALUES = PACED_FINGERPRINT_SIDE * PACED_FINGERPRINT_SIDE };

/* Statistics of one pair at its original size. */
struct paced_pair_stats {
    int width, height;
    uint64_t *pixels; /* [classes] mask pixels per class */
    float *print;     /* [PACED_FINGERPRINT_VALUES] fingerprint */
};
/* Reads pair i with the checks of paced_dataset_load. Thread-safe. Release with paced_pair_stats_finish. */
enum paced_err paced_dataset_pair_stats(struct paced_dataset *dataset, size_t i, struct paced_pair_stats *stats);
void paced_pair_stats_finish(struct paced_pair_stats *stats);

/* Fingerprint of an image: the cosine transform of its 24 x 24 grey thumbnail (area means), low frequencies first,
 * without the mean, normalised to length 1. The scalar product of two fingerprints is the correlation of the
 * thumbnails. A flat image has no correlation; its fingerprint is zero except for the last value, which holds the grey
 * value plus an offset that separates it from all others. The last value is 0 in other fingerprints. */
void paced_fingerprint_take(const struct paced_image *image, float *print);

/* Groups images whose correlation reaches `threshold` (0..1), directly or through others. group[i] receives the least
 * index of the group; like[i] the greatest correlation of image i within its group, 0 if it is alone. prints[count]:
 * NULL excludes an image. Flat images are grouped if their grey values are equal. */
void paced_fingerprint_group(const float *const *prints, size_t count, double threshold, size_t *group, float *like);

/* paced_groups_join joins the groups of images i and j. After the last call, paced_groups_settle sets each group[i] to
 * the least index of its group. */
void paced_groups_join(size_t *group, size_t i, size_t j);
void paced_groups_settle(size_t *group, size_t count);

/* Properties that a split balances: image i has trait[first[i]] ... trait[first[i + 1] - 1], each below `traits`. */
struct paced_traits {
    size_t traits, *first;
    uint32_t *trait;
};

/* Selects a fraction `share` (0..1) of the images for validation, approximately, overall and for each trait. Groups
 * (group[i] as in paced_fingerprint_group) are never divided. Deterministic. */
void paced_split_pairs(size_t count, const size_t *group, const struct paced_traits *traits, double share,
                       uint64_t seed, bool *val);

/* Folder of image i where folders distinguish kinds of images, else "". Release with free(). */
char *paced_dataset_stratum(const struct paced_dataset *dataset, size_t i);

/* A pair of a dataset, to be listed in a split. */
struct paced_choice {
    struct paced_dataset *dataset;
    size_t index;
};
enum paced_err paced_split_write(const char *path, enum paced_phase phase, const struct paced_choice *choices,
                                 size_t count);

/* ---- batches ------------------------------------------------------------------------------------------------- */

/* An image byte scaled to 0..1. Divides, as PyTorch does: multiplying by 1 / 255 rounds differently. */
static inline float paced_unit(uint8_t byte) {
    return (float)byte / 255.0f;
}

struct paced_batch {
    int count;             /* samples in this batch; the last batch may be smaller */
    float *images;         /* [count][height][width][3], 0..1 */
    uint8_t *labels;       /* [count][height][width] */
    const uint32_t *index; /* [count] samples of the dataset */
};

/* Transformation of a sample before it enters a batch: rgb[height][width][3] in 0..1 and label[height][width] of
 * `sample` in the data set. Called concurrently on the loader's threads; must depend on its arguments only. */
struct paced_change {
    enum paced_err (*apply)(const void *context, size_t sample, struct paced_extent extent, float *rgb,
                            uint8_t *label); /* NULL: none */
    const void *context;                     /* must outlive the loader */
};

struct paced_loader;

/* Delivers order[0..count) in batches of `batch` samples, starting at batch number first_batch (a resumed epoch).
 * `workers` threads prepare batches ahead in a ring of buffers and apply `change` (may be NULL) to each sample. The
 * result does not depend on the number of workers. `order` is copied. */
enum paced_err paced_loader_create(struct paced_loader **loader, struct paced_dataset *dataset, const uint32_t *order,
                                   size_t count, int batch, size_t first_batch, int workers,
                                   const struct paced_change *change);
void paced_loader_destroy(struct paced_loader *loader);

/* Waits for the next batch; *batch = NULL at the end. A batch is valid until released; at most two may be held at once.
 * Returns the error of an unreadable sample. */
enum paced_err paced_loader_next(struct paced_loader *loader, struct paced_batch **batch);
void paced_loader_release(struct paced_loader *loader, struct paced_batch *batch);

/* ---- synthetic sets ------------------------------------------------------------------------------------------ */

/* Write `count` synthetic images of size x size with masks below dir, and train.json and val.json (every fifth image is
 * for validation). Image i depends on (seed, i, size) only. PACED_INVALID for a count or a size out of range
 * (src/data/synth.c); PACED_STOPPED after Ctrl-C, without the two splits.
 *   breast  ultrasound with lesions in BUSI's layout: benign/, malignant/, normal/ with "benign (1).png" and
 *           "benign (1)_mask.png"; a tenth is normal (empty masks)
 *   needle  ultrasound with the shaft of a needle, in the needle set's layout: train/, train_mask/, test/, test_mask/
 * with "p4_1_008.png" and "p4_1_008_mask.png"; the first part is the patient; patients 5 and 10 are for validation
 *   scene   surgical scenes in robo's layout: train/, val/ with "scene_00001.png" and "scene_00001_mask.png",
 * labels.json; tissue, an organ, a thread, and one to three instruments of shaft, wrist and jaws */
typedef enum paced_err paced_synth(const char *dir, int64_t count, int64_t size, uint64_t seed);
paced_synth paced_synth_breast, paced_synth_needle, paced_synth_scene;

#endif
