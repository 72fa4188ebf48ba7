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

enum paced_dataset_kind {
    PACED_DATA_BUS,
    PACED_DATA_NEEDLE,
    PACED_DATA_ROBO,
    PACED_DATA_FOLDER,
    PACED_DATA_BINARY, /* the masks of bus */
    PACED_DATA_INDEX,  /* those of folder */
    PACED_DATA_COLOUR, /* those of robo */
};
const char *paced_dataset_kind_name(int kind);
/* Augmentation of the reference implementation for this kind of data set. */
const char *paced_dataset_kind_augment(int kind);

/* Placement of images of another shape in the network's input: stretched; whole, with a border that loss and metrics
 * leave out; or the middle, cropped. */
enum paced_fit { PACED_FIT_STRETCH, PACED_FIT_PAD, PACED_FIT_CROP };
const char *paced_fit_name(int fit);

/* The section [data]; docs/configuration.md explains the keys. A string may be NULL, as if empty. */
struct paced_data_options {
    int dataset; /* enum paced_dataset_kind */
    char *root, *train, *val, *labels, *augment, *range, *pairs, *spacing;
    int64_t classes, workers;
    struct paced_extent size; /* of all samples */
    int fit;                  /* enum paced_fit */
    bool merge_masks;
    double threshold; /* of binary masks, as a fraction of white; 0 is one half */
    char *ignore;     /* mask value of ignored pixels; empty or none: no value */
};

/* ---- image files --------------------------------------------------------------------------------------------- */

/* Paths of images: "scan.png" is a file, and "scan.nii.gz#12" is slice 12 of it, counted from 0, unless a file of that
 * very name exists. A path without a number is slice 0. */

/* Header of an image file. */
struct paced_image_info {
    int width, height, channels; /* 1: grey or palette index, 3: RGB */
    int slices;                  /* pages, frames or slices */
    int bits;                    /* of a stored sample */
    bool is_signed, is_float;
    double spacing_mm[2]; /* distance between rows, between columns; 0: unknown */
    double window[2];     /* values displayed as black and as white; equal: not given */
    bool inverted;        /* the lowest value is displayed as white */
    int orientation;      /* EXIF: 1 upright, 2 to 8 otherwise; 0: not given */
};

enum paced_sample_type { PACED_BYTES, PACED_WORDS, PACED_REALS };
/* Samples of an image: value[height][width][channels] of the type `sample`. Release `value` with free(). */
struct paced_raster {
    struct paced_image_info info;
    enum paced_sample_type sample;
    void *value;
    char warning[200]; /* harmless fault of the file; empty: none */
};

/* Samples to read. PACED_SHOWN: those of the displayed image, with palettes as RGB and grey of 1, 2, 4 bits expanded to
 * 8. PACED_COLOURS: the same, but PACED_INVALID for a compression that changes values. PACED_VALUES: the stored ones
 * (palette indices, grey of any depth unscaled), with the same refusal. */
enum paced_samples { PACED_SHOWN, PACED_COLOURS, PACED_VALUES };

/* Read an image file; the first bytes determine the format. `context` (may be NULL) is the prefix of error messages,
 * such as "train.json: entry 3". PACED_INVALID for a missing, truncated or too large file (above 2^28 pixels or 65,535
 * on a side), for other formats and for a missing slice. Alpha is dropped, not blended; gamma, colour profiles and the
 * EXIF orientation are ignored, so pixels keep their positions in the file.
 * PNG: 1, 2, 4, 8, 16 bit; grey, RGB, palette; with or without alpha; interlaced or not.
 * JPEG: grey, colour, CMYK. A harmless libjpeg warning is logged; missing data is an error.
 * TIFF: grey, RGB, palette; unsigned and signed integers of up to 16, of 32 and of 64 bits, floats of 16, 32 and 64;
 * every compression of libtiff. Pages are slices and have one size; thumbnails and transparency masks are no slices.
 * The resolution is the spacing if its unit is inch or cm, and if it is not 72 or 96 dots per inch.
 * NIfTI (versions 1 and 2, .nii and .nii.gz): integers, floats, RGB; row y, column x of slice k is voxel (x, y, k).
 * Axes after the third give more slices. The scale of the header is applied; scaled values are floats. Unsigned samples
 * of up to 8 and of 16 bits become bytes and words; all others become floats. */
enum paced_err paced_image_describe(const char *path, const char *context, struct paced_image_info *info);
enum paced_err paced_raster_read(const char *path, const char *context, enum paced_samples samples,
                                 struct paced_raster *raster);
/* Sample i of value. */
static inline double paced_raster_at(const struct paced_raster *raster, size_t i) {
    if (raster->sample == PACED_BYTES) return ((const uint8_t *)raster->value)[i];
    if (raster->sample == PACED_WORDS) return ((const uint16_t *)raster->value)[i];
    return (double)((const float *)raster->value)[i];
}

/* The values that become black and white in an 8-bit image: data.range. */
struct paced_value_range {
    enum { PACED_RANGE_AUTO, PACED_RANGE_FILE, PACED_RANGE_FIXED } kind;
    double low, high; /* fixed; auto: of samples with more than 8 bits, equal if not measured */
};
/* Reads auto, 8bit, 16bit, file, "LOW,HIGH" or "auto,LOW,HIGH" (auto as measured). */
enum paced_err paced_value_range_parse(struct paced_value_range *range, const char *where, const char *text);
/* The text of a measured range, "auto,LOW,HIGH", or a copy of `text`. Release with free(). */
char *paced_value_range_text(struct paced_value_range range, const char *text);
/* Extends low..high (empty if low > high) by the values of a raster. */
void paced_value_range_measure(const struct paced_raster *raster, double *low, double *high);
/* Fraction of a raster's samples below low or above high; 0 for bytes under `auto`, and for a range that fits each
 * file. */
double paced_value_range_outside(const struct paced_raster *raster, const struct paced_value_range *range);
/* Fraction outside that needs no warning: few values for a measured range, most for one that the user chose to see a
 * part of the values. */
double paced_value_range_tolerance(const struct paced_value_range *range);
/* The range that `auto` chooses for measured values: from 0 to the least 2^n - 1 (n >= 8) for unsigned integers, else
 * from the least to the greatest value. */
struct paced_value_range paced_value_range_choose(const struct paced_image_info *info, double low, double high);

/* rgb[height][width][3], row-major. */
struct paced_image {
    int width, height;
    uint8_t *rgb;
};
/* Reads the displayed image in 8 bits. The range is divided into 256 equal parts; values outside are clamped. auto
 * takes 8-bit samples as they are and deeper ones by its measured range, else by the file's window or values; file
 * takes the file's own least and greatest value. `range` NULL: auto. */
enum paced_err paced_image_read(const char *path, const char *context, const struct paced_value_range *range,
                                struct paced_image *image);
/* Converts a displayed raster and releases it. */
struct paced_image paced_image_from(struct paced_raster *raster, const struct paced_value_range *range);

/* Slices that a path stands for: all of a file, or 1 if it has a number; 0 if the file cannot be described, which is
 * not reported. */
int paced_image_slices(const char *path);
/* Length of a path without the number of a slice, "#12". */
size_t paced_image_file_length(const char *path);
/* True if the name ends in an ending of these formats (case-insensitive), such as .png or .nii.gz. A number of a slice
 * may follow, here and below. */
bool paced_image_named(const char *name);
/* Length of the name without such an ending, or without its last ending. */
size_t paced_image_stem_length(const char *name);
/* The first ending for which a file <stem><ending> exists, or NULL. */
const char *paced_image_ending(const char *stem);

/* Writes an 8-bit PNG atomically; channels is 1 (grey) or 3 (RGB). */
enum paced_err paced_png_write(const char *path, int width, int height, int channels, const uint8_t *pixels);
/* Encodes the same file in memory. Release *data with free(). */
enum paced_err paced_png_encode(uint8_t **data, size_t *size, int width, int height, int channels,
                                const uint8_t *pixels);

/* Writes classes as a palette PNG atomically: index[height][width] below `count`, at most 256, displayed as
 * colours[count], 0xRRGGBB. */
enum paced_err paced_png_write_indexed(const char *path, int width, int height, const uint8_t *index,
                                       const uint32_t *colours, int count);

/* Writes labels[slice][height][width] of the NIfTI file `like` slice by slice, with its header, as .nii.gz with voxels
 * of 8 bits. paced_nifti_commit finishes the file and releases `nifti`, also on an error; paced_nifti_abort (accepts
 * NULL) leaves no file. */
struct paced_nifti;
bool paced_nifti_is(const char *path); /* a NIfTI file that can be described */
enum paced_err paced_nifti_create(struct paced_nifti **nifti, const char *path, const char *like);
enum paced_err paced_nifti_add_slice(struct paced_nifti *nifti, int width, int height, const uint8_t *label);
enum paced_err paced_nifti_commit(struct paced_nifti *nifti);
void paced_nifti_abort(struct paced_nifti *nifti);

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

/* Placement of an image in the network's input: it is resized to `size`, and its first pixel lies at (top, left), which
 * is negative where the image is cropped. */
struct paced_placement {
    struct paced_extent size;
    int top, left;
};
struct paced_placement paced_fit_place(int fit, struct paced_extent image, struct paced_extent input);
/* Resizes pixels of `image` by nearest neighbour into out of `input`; the border is `border`. */
void paced_fit_nearest(int fit, const uint8_t *pixels, struct paced_extent image, int channels, uint8_t border,
                       uint8_t *out, struct paced_extent input);
/* Position in the network's input of row (or column) i of an image of `length`, at `start` and resized to `size`. */
int paced_fit_index(int i, int length, int start, int size);

/* ---- masks --------------------------------------------------------------------------------------------------- */

struct paced_masks;

/* Opens the mask reader of the configured data.dataset, with data.labels and data.merge_masks. PACED_INVALID for an
 * invalid label table, a missing one (or one without colours) where data.dataset requires it, or a data.classes that
 * contradicts data.dataset or the table. */
enum paced_err paced_masks_open(struct paced_masks **masks, const struct paced_data_options *options);
void paced_masks_close(struct paced_masks *masks);

/* Hash of the label table: the classes of the colours, not the names. Without a table, a constant. */
uint64_t paced_masks_hash(const struct paced_masks *masks);

struct paced_mask {
    int width, height;
    uint8_t *label;  /* [height][width], 0..classes-1 or PACED_IGNORED */
    size_t unmapped; /* pixels that received a default class, because their value belongs to none */
    double white;    /* binary masks: the value of white, 1, 255 or a greater 2^n - 1; 0: the mask is empty */
    int greys;       /* binary masks: different values between black and white, in 256 steps */
};

/* Reads a mask. Pixels of the value data.ignore become PACED_IGNORED.
 * bus, needle, binary: label 1 where the greatest colour channel reaches data.threshold of white, else 0. White is the
 * least of 1, 255, 511, 1023 ... 65535 that no value exceeds. Values between 0 and white are unmapped.
 * robo, colour: the class of the colour; a colour missing from the table is an error (with position and colour), or
 * unmapped with the class of the table's entry "ignore".
 * folder, index: the stored value; a value outside the classes is an error (with position and value), and so are
 * colours.
 * data.merge_masks adds the union with "x_mask_1.png", "x_mask_2.png"... up to the first missing number. `context` as
 * in paced_image_describe. On an error *mask holds nothing to release. Thread-safe. */
enum paced_err paced_masks_read(const struct paced_masks *masks, const char *path, const char *context,
                                struct paced_mask *mask);

/* Checks data.pairs: two patterns with one * each, separated by a comma. */
enum paced_err paced_pairs_check(const char *where, const char *text);
/* Reads data.spacing: distances between rows and between columns in mm, "0.2" or "0.2x0.1"; both 0 if `text` is NULL or
 * empty. */
enum paced_err paced_spacing_parse(double spacing_mm[2], const char *where, const char *text);
/* Checks data.ignore: none, or a whole number from 0 to 65535. */
enum paced_err paced_ignore_check(const char *where, const char *text);
/* Label of pixels that come from outside a moved image: PACED_IGNORED if data.ignore is a value or data.fit is
 * pad, which brings in ignored pixels, too; else 0. */
uint8_t paced_outside_label(const struct paced_data_options *options);

/* Class name from the label table or from data.dataset, or NULL. Valid until the masks are closed. */
const char *paced_masks_class_name(const struct paced_masks *masks, int class);

/* First colour of the class in the label table, 0xRRGGBB; false if there is none. */
bool paced_masks_class_colour(const struct paced_masks *masks, int class, uint32_t *colour);

/* Message about unmapped pixels: "12 mask pixels are ...". Release with free(). */
char *paced_masks_unmapped_text(const struct paced_masks *masks, uint64_t unmapped);

/* ---- datasets ------------------------------------------------------------------------------------------------ */

enum paced_phase { PACED_TRAIN, PACED_VAL };

struct paced_dataset;

/* Reads and checks the split of `phase` (data.train or data.val) without decoding images. PACED_INVALID for a missing
 * root or split, invalid JSON, an empty split, an entry that is not a pair of strings, a path that is absolute or
 * leaves the root, and errors of paced_masks_open. Paths are relative to the root; for robo, to <root>/train or
 * <root>/val, by phase. */
enum paced_err paced_dataset_open(struct paced_dataset **dataset, const struct paced_data_options *options,
                                  enum paced_phase phase);
/* Opens all pairs below data.root, found by name instead of by a split: by the pattern data.pairs, or by the usual
 * layouts, such as x.png with x_mask.png or x_segmentation.png, images/x.jpg with masks/x.png, a/x.png with
 * a_mask/x_mask.png. */
enum paced_err paced_dataset_find(struct paced_dataset **dataset, const struct paced_data_options *options);
void paced_dataset_close(struct paced_dataset *dataset);

size_t paced_dataset_count(const struct paced_dataset *dataset);
struct paced_extent paced_dataset_extent(const struct paced_dataset *dataset);        /* of the decoded pairs */
const char *paced_dataset_image_name(const struct paced_dataset *dataset, size_t i);  /* as written in the split */
char *paced_dataset_image_path(const struct paced_dataset *dataset, size_t i);        /* below data.root; free() it */
const char *paced_dataset_class_name(const struct paced_dataset *dataset, int class); /* may be NULL */
/* Hash of the names of all images and masks, in order. */
uint64_t paced_dataset_hash(const struct paced_dataset *dataset);
const struct paced_masks *paced_dataset_masks(const struct paced_dataset *dataset); /* owned by dataset */

/* Checks that every file of the split can be opened, without decoding; reports the first failure (PACED_INVALID). */
enum paced_err paced_dataset_check_files(const struct paced_dataset *dataset);

/* Decodes pair i: rgb[height][width][3] in the data set's range, label[height][width] in 0..classes-1 or PACED_IGNORED,
 * both placed by data.fit and resized with NEAREST; the border of data.fit = pad is black and ignored. Thread-safe.
 * Image and mask of different sizes are an error. Decoded pairs are cached up to a bound of 1 GiB, shared by all data
 * sets of the process, so that later epochs need no decoding. When every pair has been decoded once, the warnings of
 * the census are logged. */
enum paced_err paced_dataset_load(struct paced_dataset *dataset, size_t i, uint8_t *rgb, uint8_t *label);

/* Mask of pair i at the size of its file. Release mask->label with free(). */
enum paced_err paced_dataset_load_mask(const struct paced_dataset *dataset, size_t i, struct paced_mask *mask);
/* Header of image i, with the spacing of data.spacing, else of the image, else of the mask. */
enum paced_err paced_dataset_describe(const struct paced_dataset *dataset, size_t i, struct paced_image_info *info);
/* Placement of its images: data.fit. */
int paced_dataset_fit(const struct paced_dataset *dataset);

/* Range of values that become black and white: data.range, for auto as measured on this split. */
struct paced_value_range paced_dataset_range(struct paced_dataset *dataset);

/* Occurrences among the pairs decoded so far: their number and the first one. */
struct paced_occurrences {
    size_t count, first;
};
enum { PACED_IN_FILES, PACED_AT_SIZE, PACED_STATES };
/* Sums over the masks decoded so far, each counted once, in the files and after resizing to data.size. */
struct paced_census {
    size_t images;
    uint64_t pixels[PACED_STATES][PACED_IGNORED + 1]; /* by label; PACED_IGNORED: ignored pixels */
    size_t holders[PACED_STATES][PACED_IGNORED + 1];  /* masks that contain the label */
    struct paced_occurrences empty, lost;             /* without any class but 0: in the file; only after resizing */
    uint64_t unmapped;
    struct paced_occurrences odd;      /* masks with unmapped pixels */
    struct paced_occurrences photo;    /* binary masks with the values of a photograph */
    struct paced_occurrences white[3]; /* binary masks whose white is 1, 255, another value */
    struct paced_occurrences rotated;  /* images with an EXIF orientation that is ignored */
    struct paced_occurrences clipped;  /* images with many values outside the measured range */
    struct paced_occurrences inverted; /* binary masks with foreground along most of their edge */
    struct paced_occurrences faulty;   /* images with a harmless fault ... */
    char fault[200];                   /* ... of the first of them */
};
/* Valid until the data set closes; not thread-safe. */
const struct paced_census *paced_dataset_census(const struct paced_dataset *dataset);

/* Images of `b` that are images of `a`, too: their number and the first one in `b`. */
struct paced_occurrences paced_dataset_shared(const struct paced_dataset *a, const struct paced_dataset *b);
/* Images that an earlier entry of the same split names. */
struct paced_occurrences paced_dataset_repeated(const struct paced_dataset *dataset);

/* Files below data.root that belong to no pair of the open data sets and to no key of the section [data]. */
struct paced_unused {
    size_t files, count; /* below the root; unused. 0 if there are more than 100,000 files */
    char *names;         /* the first unused ones, "a.png, b.txt"; NULL: none. Release with free(). */
};
/* Compares the files below data.root with the pairs of `sets` (entries may be NULL). Hidden files do not count. */
enum paced_err paced_data_unused(const struct paced_data_options *options, struct paced_dataset *const *sets,
                                 size_t count, struct paced_unused *unused);

/* ---- data set statistics ------------------------------------------------------------------------------------- */

enum { PACED_FINGERPRINT_SIDE = 24, PACED_FINGERPRINT_VALUES = PACED_FINGERPRINT_SIDE * PACED_FINGERPRINT_SIDE };

/* Statistics of one pair at its original size. */
struct paced_pair_stats {
    struct paced_image_info image;
    double low, high; /* least and greatest value of the image */
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
 * NULL excludes an image. Flat images are grouped if their grey values are equal. Ends early, with incomplete groups,
 * once paced_stop_asked(). */
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
 * (src/data/synth/synth.c), and for files in its folders that no earlier set wrote; PACED_STOPPED after Ctrl-C, without
 * the two splits. breast  ultrasound with lesions in BUSI's layout: benign/, malignant/, normal/ with "benign (1).png"
 * and "benign (1)_mask.png"; a tenth is normal (empty masks) needle  ultrasound with the shaft of a needle, in the
 * needle set's layout: train/, train_mask/, test/, test_mask/ with "p4_1_008.png" and "p4_1_008_mask.png"; the first
 * part is the patient; patients 5 and 10 are for validation scene   surgical scenes in robo's layout: train/, val/ with
 * "scene_00001.png" and "scene_00001_mask.png", labels.json; tissue, an organ, a thread, and one to three instruments
 * of shaft, wrist and jaws */
typedef enum paced_err paced_synth(const char *dir, int64_t count, int64_t size, uint64_t seed);
paced_synth paced_synth_breast, paced_synth_needle, paced_synth_scene;

/* Permits a set of these numbers to replace existing files in the directory, which is created if it is missing. */
enum paced_err paced_synth_claim(const char *dir, int64_t count, int64_t size);

#endif
