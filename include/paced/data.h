/* data: from files to batches in host memory. No OpenCL here.
 *
 * A split (JSON) lists [image, mask] pairs; a dataset decodes a pair into an RGB image and a label map of the
 * configured size; a loader prepares whole batches on threads of its own while the device works. */
#ifndef PACED_DATA_H
#define PACED_DATA_H

#include "paced/base.h"
#include "paced/config.h"

/* ---- images -------------------------------------------------------------------------------------------------- */

/* rgb[height][width][3], row-major. */
struct paced_image {
    int width, height;
    uint8_t *rgb;
};

/* value[height][width]: the file's own sample values (palette index, or grey, or the red channel), unscaled: a 1-bit
 * file holds 0 and 1, a 16-bit file 0..65535. */
struct paced_plane {
    int width, height;
    uint16_t *value;
};

/* A PNG or a JPEG file, as its first bytes tell. JPEG: grey or colour; an orientation that EXIF data ask for is
 * ignored, so pixels keep the places that they have in the file. PACED_INVALID for CMYK, for data that libjpeg
 * complains of, and for what is of neither format. Limits and `context` as below. */
enum paced_err paced_image_read(const char *path, const char *context, struct paced_image *image);
/* Does the name end as those files' names do: .png, .jpg or .jpeg, in small letters or capitals? */
bool paced_image_named(const char *name);
/* The first of these endings with which there is a file <stem><ending>; NULL: with none. */
const char *paced_image_ending(const char *stem);

/* Every PNG kind: 1, 2, 4, 8, 16 bit; grey, RGB, palette, with or without alpha, interlaced or not. Alpha is dropped,
 * not blended; 16 bits keep the high byte; grey is replicated; gamma and colour profiles are ignored. `context` (may
 * be NULL) says in error messages who asked for the file, such as "train.json: entry 3". PACED_INVALID for a missing,
 * truncated, non-PNG or absurdly large file (above 2^28 pixels or 65,535 on a side). */
enum paced_err paced_png_read(const char *path, const char *context, struct paced_image *image);
enum paced_err paced_png_read_plane(const char *path, const char *context, struct paced_plane *plane);

/* channels 1 (grey) or 3 (RGB), 8 bit; the file appears whole or not at all. */
enum paced_err paced_png_write(const char *path, int width, int height, int channels, const uint8_t *pixels);
/* The same file in memory, to be released with free(). */
enum paced_err paced_png_encode(uint8_t **data, size_t *size, int width, int height, int channels,
                                const uint8_t *pixels);

/* The same row by row, bits 8 or 16 (in the host's byte order): the image need not be in memory. commit ends and
 * releases it, also when it fails; abort (NULL: nothing) leaves no file. */
struct paced_png;
enum paced_err paced_png_create(struct paced_png **png, const char *path, int width, int height, int channels,
                                int bits);
enum paced_err paced_png_add_row(struct paced_png *png, const void *row);
enum paced_err paced_png_commit(struct paced_png *png);
void paced_png_abort(struct paced_png *png);

/* For destination index i: min((int)floorf((float)i * ((float)in / (float)out)), in - 1), as PyTorch's
 * interpolate(mode="nearest") computes it in float32. */
int paced_nearest_index(int i, int in, int out);

/* pixels[height][width][channels] -> out[out_height][out_width][channels]. */
void paced_resize_nearest(const uint8_t *pixels, int width, int height, int channels, uint8_t *out, int out_width,
                          int out_height);

/* ---- masks --------------------------------------------------------------------------------------------------- */

struct paced_masks;

/* How the configured kind of data set turns mask files into classes; data.labels is read, data.merge_masks heeded.
 * PACED_INVALID: a bad label table, none (or one without colours) where the kind needs one, or data.classes that fits
 * neither kind nor table. */
enum paced_err paced_masks_open(struct paced_masks **masks, const struct paced_config *config);
void paced_masks_close(struct paced_masks *masks);

struct paced_mask {
    int width, height;
    uint8_t *label; /* [height][width], 0..classes-1 */
    size_t odd;     /* pixels that are in no class by right and were given one */
};

/* bus and needle: label 1 where the mask's red channel is 255, else 0; values between are odd. robo: the class of the
 * colour; one that the table lacks is an error naming position and colour, or odd where the table has an entry
 * "ignore", whose class it gets. folder: the mask's own value; one outside the classes is an error naming position and
 * value. With data.merge_masks, the union with "x_mask_1.png", "x_mask_2.png"... up to the first that is not there.
 * `context` as in paced_png_read. On an error *mask holds nothing to release. Safe from several threads. */
enum paced_err paced_masks_read(const struct paced_masks *masks, const char *path, const char *context,
                                struct paced_mask *mask);

/* From the label table, or the kind's own; NULL where nothing names the class. Valid until the masks are closed. */
const char *paced_masks_class_name(const struct paced_masks *masks, int class);

/* The colour, 0xRRGGBB, that the label table gives the class first; false where it gives none. */
bool paced_masks_class_colour(const struct paced_masks *masks, int class, uint32_t *colour);

/* "12 mask pixels are ...": what became of odd ones. Release with free(). */
char *paced_masks_odd_text(const struct paced_masks *masks, size_t odd);

/* ---- datasets ------------------------------------------------------------------------------------------------ */

enum paced_phase { PACED_TRAIN, PACED_VAL };

struct paced_dataset;

/* Reads and checks the split of `phase` (config's data.train or data.val) without decoding an image. PACED_INVALID: no
 * root or split given, bad JSON, an empty split, a pair that is no pair of strings, a path that is absolute or leaves
 * the root, and what paced_masks_open refuses. Paths are relative to the root; of robo, to <root>/train or <root>/val,
 * by phase. */
enum paced_err paced_dataset_open(struct paced_dataset **dataset, const struct paced_config *config,
                                  enum paced_phase phase);
/* All pairs below data.root, found by their names (x.png or x.jpg with x_mask.png beside it, or in the folder
 * "..._mask" beside its folder) instead of a split. */
enum paced_err paced_dataset_find(struct paced_dataset **dataset, const struct paced_config *config);
void paced_dataset_close(struct paced_dataset *dataset);

size_t paced_dataset_count(const struct paced_dataset *dataset);
int paced_dataset_size(const struct paced_dataset *dataset);                          /* S */
const char *paced_dataset_image_name(const struct paced_dataset *dataset, size_t i);  /* as written in the split */
const char *paced_dataset_class_name(const struct paced_dataset *dataset, int class); /* or NULL, as of its masks */
const struct paced_masks *paced_dataset_masks(const struct paced_dataset *dataset);   /* until it is closed */

/* Would all decoded pairs stay in memory? */
bool paced_dataset_fits_memory(const struct paced_dataset *dataset);
/* Can every file of the split be opened? Names the first that cannot be (PACED_INVALID); decodes none. */
enum paced_err paced_dataset_check_files(const struct paced_dataset *dataset);

/* Decodes pair i: rgb[S][S][3], label[S][S] in 0..classes-1, both resized with NEAREST. Safe from several threads.
 * Odd mask pixels are warned about once per data set. Image and mask of different sizes: an error. Decoded pairs are
 * kept in memory up to a bound (1 GiB, all data sets of the process together) so that later epochs need no decoding. */
enum paced_err paced_dataset_load(struct paced_dataset *dataset, size_t i, uint8_t *rgb, uint8_t *label);

/* ---- looking a data set over --------------------------------------------------------------------------------- */

enum { PACED_PRINT_SIDE = 24, PACED_PRINT_VALUES = PACED_PRINT_SIDE * PACED_PRINT_SIDE };

/* What reading pair i once tells, at the files' own size. */
struct paced_survey {
    int width, height;
    uint64_t *pixels; /* [classes] of each class */
    float *print;     /* [PACED_PRINT_VALUES] */
};
/* As paced_dataset_load checks it. Safe from several threads. */
enum paced_err paced_dataset_survey(struct paced_dataset *dataset, size_t i, struct paced_survey *survey);
void paced_survey_finish(struct paced_survey *survey);

/* The print of an image: its 24 x 24 thumbnail (grey, means over areas), as the coefficients of a cosine transform, low
 * frequencies first, without the mean and of length 1. So the scalar product of two prints is the correlation of the
 * thumbnails. A flat image, which correlates with none, has its grey value instead, as a last number that is 0 in other
 * prints, and large enough to be far from them. */
void paced_print_take(const struct paced_image *image, float *print);

/* group[i] becomes the least index that image i is joined with, directly or through others, by a correlation of at
 * least `threshold` (0..1); prints[count], NULL for an image that takes no part. Flat images are
 * alike where they are the same. like[i] becomes i's greatest correlation within its group, 0 where it is alone. */
void paced_print_group(const float *const *prints, size_t count, double threshold, size_t *group, float *like);

/* Joins the groups of images i and j; after the last joining, settle makes each group[i] the least index again. */
void paced_groups_join(size_t *group, size_t i, size_t j);
void paced_groups_settle(size_t *group, size_t count);

/* What a division shall keep balanced: image i has the traits trait[first[i]] ... trait[first[i + 1] - 1], numbers
 * below `traits`. */
struct paced_traits {
    size_t traits, *first;
    uint32_t *trait;
};

/* Chooses about `share` of the images for validation, and of the images of each trait; never a part of a group
 * (group[i] as of paced_print_group). The same for the same arguments. */
void paced_divide(size_t count, const size_t *group, const struct paced_traits *traits, double share, uint64_t seed,
                  bool *val);

/* What kind of image it is by its folder; "" where folders tell none. Release with free(). */
char *paced_dataset_stratum(const struct paced_dataset *dataset, size_t i);

/* A pair on its way into a split. */
struct paced_choice {
    struct paced_dataset *dataset;
    size_t index;
};
enum paced_err paced_split_write(const char *path, enum paced_phase phase, const struct paced_choice *choices,
                                 size_t count);

/* ---- batches ------------------------------------------------------------------------------------------------- */

/* A byte of an image as networks take it, 0..1. A division, as PyTorch does: multiplying by 1 / 255 rounds differently.
 */
static inline float paced_unit(uint8_t byte) {
    return (float)byte / 255.0f;
}

struct paced_batch {
    int count;             /* samples in this batch; the last one may be smaller */
    float *images;         /* [count][S][S][3], 0..1 */
    uint8_t *labels;       /* [count][S][S] */
    const uint32_t *index; /* [count] which samples of the dataset */
};

/* What is done to a sample on its way into a batch: rgb[size][size][3] in 0..1 and label[size][size], of `sample` in
 * the data set. It runs on the loader's threads, several at once, and must depend on its arguments alone. */
struct paced_change {
    enum paced_err (*apply)(const void *context, size_t sample, int size, float *rgb, uint8_t *label); /* NULL: none */
    const void *context; /* must live as long as the loader */
};

struct paced_loader;

/* Delivers order[0..count) in batches of `batch` samples, starting at batch number first_batch (a resumed epoch),
 * prepared ahead by `workers` threads into a ring of batches, each sample changed by `change` (NULL: as it is). The
 * result does not depend on the number of workers. `order` is copied. */
enum paced_err paced_loader_create(struct paced_loader **loader, struct paced_dataset *dataset, const uint32_t *order,
                                   size_t count, int batch, size_t first_batch, int workers,
                                   const struct paced_change *change);
void paced_loader_destroy(struct paced_loader *loader);

/* The next batch, or *batch = NULL at the end. Waits for it where needed. It stays valid until released; up to two
 * may be held at once. An unreadable sample makes this return its error. */
enum paced_err paced_loader_next(struct paced_loader *loader, struct paced_batch **batch);
void paced_loader_release(struct paced_loader *loader, struct paced_batch *batch);

/* ---- synthetic sets ------------------------------------------------------------------------------------------ */

/* Writes `count` breast-ultrasound-like images of size x size in BUSI's layout below dir (benign/, malignant/,
 * normal/: "benign (1).png", "benign (1)_mask.png"), with train.json and val.json (every fifth image is validation).
 * Image i depends on (seed, i, size) alone. Speckle (multiplicative, Rayleigh), attenuation with depth, layered
 * tissue, hypo-echoic lesions with irregular and partly blurred borders, posterior enhancement or shadow; a tenth
 * are normal (empty masks). PACED_INVALID for a count or a size that is not possible (src/data/synth.c); PACED_STOPPED
 * after Ctrl-C, without the two splits. */
enum paced_err paced_synth_breast(const char *dir, int64_t count, int64_t size, uint64_t seed);

/* The same for needles in ultrasound, in the needle set's layout (train/, train_mask/, test/, test_mask/:
 * "p4_1_008.png", "p4_1_008_mask.png", the first part being the patient; patients 5 and 10 are validation): a bright
 * thin shaft with reverberation and shadow behind it in layered tissue with fascia lines; the mask is the shaft. */
enum paced_err paced_synth_needle(const char *dir, int64_t count, int64_t size, uint64_t seed);

/* The same for surgical scenes of six classes, in robo's layout (train/, val/, "scene_00001.png",
 * "scene_00001_mask.png", labels.json): tissue, an organ, a thread, one to three instruments of shaft, wrist and jaws.
 */
enum paced_err paced_synth_scene(const char *dir, int64_t count, int64_t size, uint64_t seed);

#endif
