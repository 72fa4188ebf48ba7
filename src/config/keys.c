/* keys: the table of all configuration keys, in the order of printing.
 *
 * A new key needs a field in struct paced_config and a line here. The kind follows from the field's type; paths are
 * marked by PATH. Reading, --set, printing, error messages and the documentation use this table.
 * Invariant: section and name are those of the field, so an INI key and its C field cannot differ. */
#include "keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/perturb.h"

/* clang-format off */
/* Names of choices that belong to no module below. */
static PACED_NAMES(auto_or_off, "auto", "off")
static PACED_NAMES(only_auto, "auto")
static PACED_NAMES(best_or_last, "best", "last")
static PACED_NAMES(predict_mode_name, [PACED_PREDICT_RESIZE] = "resize", [PACED_PREDICT_WINDOW] = "window")

static enum paced_err check_range(const char *where, const char *text) {
    struct paced_value_range range;
    return paced_value_range_parse(&range, where, text);
}

static enum paced_err check_spacing(const char *where, const char *text) {
    double spacing_mm[2];
    return paced_spacing_parse(spacing_mm, where, text);
}

#define FIELD(of_section, of_name) \
    .section = #of_section, .name = #of_name, .offset = offsetof(struct paced_config, of_section.of_name), \
    .kind = _Generic(((struct paced_config *)0)->of_section.of_name, int64_t: CONFIG_INT, double: CONFIG_REAL, \
                     struct paced_extent: CONFIG_EXTENT, bool: CONFIG_BOOL, int: CONFIG_CHOICE, \
                     uint64_t: CONFIG_SET, char *: CONFIG_STRING)
#define PATH(of_section, of_name) \
    .section = #of_section, .name = #of_name, .offset = offsetof(struct paced_config, of_section.of_name), \
    .kind = CONFIG_PATH
#define PATHS(of_section, of_name) PATH(of_section, of_name), .list = true, .check = paced_list_check
#define DEFAULT(text) .fallback = text
#define DEPENDS(text) .fallback = "", .shown = text
#define RANGE(least, most) .min = least, .max = most
#define AT_LEAST(least) .min = least, .max = INFINITY
#define ABOVE(least) .min = least, .max = INFINITY, .above = true
#define ABOVE_TO(least, most) .min = least, .max = most, .above = true
#define UP_TO_BELOW(least, limit) .min = least, .max = limit, .below = true
#define WORDS(names) .words = names
#define ODD .odd = true
#define NO_RESULT .no_result = true
#define NOT_EMPTY .not_empty = true
#define CHECK(function) .check = function
#define MEANING(text) .meaning = text

const struct config_key config_keys[] = {
    {FIELD(run, name), DEPENDS("<stem of the INI>"), NOT_EMPTY, MEANING("name of the run")},
    {PATH(run, output), DEPENDS("outputs/<dataset>/<name>"), NOT_EMPTY, MEANING("directory of the run's results")},
    {FIELD(run, seed), DEFAULT("12345"), RANGE(0, 0x1p53), MEANING("seed of all random numbers")},

    {FIELD(device, select), DEFAULT("auto"), MEANING("auto, cpu, gpu, PLATFORM:DEVICE or part of a device's name")},
    {FIELD(device, memory_limit_mb), DEFAULT("0"), RANGE(0, 1 << 30),
     MEANING("limit of device memory, MiB; 0: all of the device")},
    {FIELD(device, threads), DEFAULT("0"), RANGE(0, 4096), MEANING("cores used by a CPU device; 0: all")},
    {PATH(device, tuning), DEFAULT("auto"), WORDS(auto_or_off),
     MEANING("auto: results of `paced tune`, else the file shipped for the kind of device; off: none; or a file")},

    {FIELD(data, dataset), DEFAULT("bus"), WORDS(paced_dataset_kind_name),
     MEANING("layout and mask encoding of the data set")},
    {PATH(data, root), DEFAULT(""), MEANING("directory of the data set")},
    {PATH(data, train), DEFAULT(""), MEANING("JSON split for training")},
    {PATH(data, val), DEFAULT(""), MEANING("JSON split for validation and testing")},
    {PATH(data, labels), DEFAULT(""), MEANING("JSON label table: names and colours of the classes; required by robo")},
    {FIELD(data, classes), DEFAULT("2"), RANGE(2, PACED_MAX_CLASSES),
     MEANING("number of classes, including the background")},
    {FIELD(data, size), DEFAULT("224"), RANGE(1, PACED_MAX_SIZE),
     MEANING("network's input, pixels: the side of a square, or height x width, such as 360x480")},
    {FIELD(data, fit), DEFAULT("stretch"), WORDS(paced_fit_name),
     MEANING("images of another shape: stretched; pad: whole, with a border that loss and metrics leave out; crop: the "
             "middle")},
    {FIELD(data, spacing), DEFAULT(""), CHECK(check_spacing),
     MEANING("distance between pixels, mm, for hd95 and nsd: 0.2, or between rows and columns, 0.2x0.1; empty: that of "
             "the files")},
    {FIELD(data, merge_masks), DEFAULT("no"),
     MEANING("use the union of x_mask.png, x_mask_1.png, x_mask_2.png... (bus, needle)")},
    {FIELD(data, pairs), DEFAULT(""), CHECK(paced_pairs_check),
     MEANING("names of images and masks for data split, such as `images/*.jpg, masks/*_seg.png`; empty: usual layouts")},
    {FIELD(data, threshold), DEFAULT("0.5"), ABOVE_TO(0, 1),
     MEANING("foreground of binary masks (bus, needle): values of this fraction of white or more; 1: white alone")},
    {FIELD(data, ignore), DEFAULT("none"), CHECK(paced_ignore_check),
     MEANING("mask value of pixels that loss and metrics leave out, such as 255; none: no value")},
    {FIELD(data, range), DEFAULT("auto"), CHECK(check_range),
     MEANING("values displayed as black and white: auto (measured on the data set, 8 bits as they are), 8bit, 16bit, "
             "file (those of each file), or LOW,HIGH")},
    {FIELD(data, augment), DEPENDS("<by dataset>"), CHECK(paced_augment_check),
     MEANING("random augmentation of training images, such as `hflip, rotate(15)`, or none")},
    {FIELD(data, workers), DEFAULT("1"), RANGE(1, 64), NO_RESULT, MEANING("threads that load images")},

    {FIELD(model, arch), DEFAULT("unet"), WORDS(paced_network_name), MEANING("network")},
    {FIELD(model, width), DEFAULT("64"), RANGE(1, PACED_MAX_WIDTH), MEANING("channels of the network's first stage")},
    {PATH(model, init), DEFAULT(""), MEANING("initial weights; empty: random")},
    {FIELD(model, partial), DEFAULT("no"),
     MEANING("init: take the tensors of the network's name and shape, and initialise the others at random")},

    {FIELD(train, epochs), DEFAULT("100"), RANGE(1, 1000000), MEANING("passes over the training images")},
    {FIELD(train, batch), DEFAULT("16"), RANGE(1, 65536), MEANING("images per step")},
    {FIELD(train, optimizer), DEFAULT("adam"), WORDS(paced_optimizer_name), MEANING("update rule")},
    {FIELD(train, momentum), DEFAULT("0"), UP_TO_BELOW(0, 1), MEANING("momentum of sgd")},
    {FIELD(train, weight_decay), DEFAULT("0"), AT_LEAST(0),
     MEANING("weight decay d: d * w is added to the gradient; adamw: lr * d * w is subtracted from w instead")},
    {FIELD(train, lr), DEFAULT("0.003"), ABOVE(0), MEANING("initial learning rate")},
    {FIELD(train, schedule), DEFAULT("step"), WORDS(paced_schedule_name),
     MEANING("learning-rate schedule, per epoch")},
    {FIELD(train, step), DEFAULT("7"), AT_LEAST(1), MEANING("step: epochs between reductions of the learning rate")},
    {FIELD(train, gamma), DEFAULT("0.1"), ABOVE_TO(0, 1),
     MEANING("step: factor on the learning rate at each reduction")},
    {FIELD(train, power), DEFAULT("0.9"), ABOVE(0), MEANING("poly: exponent in lr (1 - epoch / epochs)^power")},
    {FIELD(train, shuffle), DEFAULT("yes"), MEANING("new random order of the training images in each epoch")},
    {FIELD(train, select), DEFAULT("loss"), WORDS(paced_select_name),
     MEANING("criterion for the best weights: lowest validation cross entropy or highest validation dice")},
    {FIELD(train, patience), DEFAULT("0"), AT_LEAST(0),
     MEANING("early stopping after this many epochs without a new best; 0: never")},
    {FIELD(train, save_every), DEFAULT("1"), AT_LEAST(1), MEANING("epochs between writes of `last` and `state`")},
    {FIELD(train, clip_norm), DEFAULT("0"), AT_LEAST(0),
     MEANING("maximum L2 norm of the whole gradient; a larger one is scaled down; 0: no limit")},
    {FIELD(train, precision), DEFAULT("float32"), WORDS(paced_precision_name),
     MEANING("mixed: keeps values and gradients between operations as bfloat16, in half the memory")},

    {PATH(distill, teacher), DEFAULT(""), MEANING("weights of the teacher; empty: no teacher")},
    {FIELD(distill, teacher_arch), DEFAULT(""), WORDS(paced_network_name),
     MEANING("network of the teacher; empty: model.arch")},
    {FIELD(distill, teacher_width), DEFAULT("0"), RANGE(0, PACED_MAX_WIDTH),
     MEANING("width of the teacher; 0: model.width")},
    {FIELD(distill, method), DEFAULT("iid"), WORDS(paced_method_name),
     MEANING("iid: no distillation; kd: distillation; cpl: curriculum; tpl: self-paced; pcd: fused uncertainty")},
    {FIELD(distill, loss), DEFAULT(""), WORDS(paced_loss_name),
     MEANING("loss by its name in the reference implementation, instead of a method")},
    {FIELD(distill, mix), DEFAULT("auto"), WORDS(paced_mix_name),
     MEANING("combination of CE and KLD: by method (auto), (1 - alpha) CE + alpha KLD, or CE + KLD")},
    {FIELD(distill, alpha), DEFAULT("0.3"), RANGE(0, 1), MEANING("weight of the KLD")},
    {FIELD(distill, temperature), DEFAULT("4"), ABOVE(0), MEANING("temperature T of the KLD")},
    {FIELD(distill, cache_mb), DEFAULT("2048"), RANGE(0, 1 << 30), NO_RESULT,
     MEANING("host memory for the teacher's logits per data set, MiB; if too small, they are recomputed per batch")},

    {FIELD(uncertainty, temperature), DEFAULT("6.26"), ABOVE(0), WORDS(only_auto),
     MEANING("temperature tau of the teacher's confidence; auto: fitted on the validation set")},
    {FIELD(uncertainty, prediction), DEFAULT("label"), WORDS(paced_prediction_name),
     MEANING("prediction uncertainty: 1 - confidence in the label, or in the most likely class (max)")},
    {FIELD(uncertainty, boundary), DEFAULT("svls"), WORDS(paced_boundary_name), MEANING("boundary uncertainty")},
    {FIELD(uncertainty, kernel), DEFAULT("3"), RANGE(1, PACED_MAX_KERNEL), ODD,
     MEANING("side of the SVLS kernel, pixels")},
    {FIELD(uncertainty, sigma), DEFAULT("1"), ABOVE(0), MEANING("standard deviation of the SVLS kernel, pixels")},
    {FIELD(uncertainty, sigma_decay), DEFAULT("1"), ABOVE_TO(0, 1), MEANING("factor on sigma after each epoch")},
    {FIELD(uncertainty, fuse), DEFAULT("product"), WORDS(paced_fuse_name),
     MEANING("fusion of prediction and boundary uncertainty")},
    {FIELD(uncertainty, beta), DEFAULT("0.5"), RANGE(0, 1), MEANING("weighted: weight of the prediction uncertainty")},
    {FIELD(uncertainty, target), DEFAULT("hard"), WORDS(paced_target_name), MEANING("target of the CE")},
    {FIELD(uncertainty, smoothing), DEFAULT("0.1"), UP_TO_BELOW(0, 1), MEANING("uniform: fraction of label smoothing")},

    {FIELD(pacing, function), DEFAULT("step"), WORDS(paced_pacing_name),
     MEANING("pacing function of the threshold mu")},
    {FIELD(pacing, mu), DEFAULT("0.2"), RANGE(0, 1), MEANING("step: initial mu")},
    {FIELD(pacing, mu_update), DEFAULT("0.1"), RANGE(-1, 1), MEANING("step: increment of mu")},
    {FIELD(pacing, mu_update_every), DEFAULT("5"), AT_LEAST(1), MEANING("step: epochs between increments")},
    {FIELD(pacing, mu_max), DEFAULT("1"), RANGE(0, 1), MEANING("step: maximum mu")},
    {FIELD(pacing, start), DEFAULT("0.8"), ABOVE_TO(0, 1),
     MEANING("other functions: initial fraction of admitted pixels (lambda)")},
    {FIELD(pacing, end), DEFAULT("0.4"), ABOVE_TO(0, 1),
     MEANING("other functions: fraction of the epochs after which all pixels are admitted (E_all)")},
    {FIELD(pacing, order), DEFAULT("easy"), WORDS(paced_order_name), MEANING("pixels admitted first")},
    {FIELD(pacing, admission), DEFAULT("auto"), WORDS(paced_admission_name),
     MEANING("weight of pixels not admitted: by method (auto), 0 (hard), or min(1, mu + 0.1) (soft)")},

    {PATH(test, weights), DEFAULT("best"), WORDS(best_or_last),
     MEANING("best or last weights of the run, or a weights file")},
    {FIELD(test, metrics), DEFAULT("dice,iou,precision,recall,f1,hd95,nsd,ece,brier"),
     WORDS(paced_metric_choice),
     MEANING("metrics to compute; the first five are always computed")},
    {FIELD(test, nsd_tolerance), DEFAULT("2"), AT_LEAST(0),
     MEANING("nsd: maximum distance of outlines that agree, pixels, or mm where the spacing is known")},
    {FIELD(test, resolution), DEFAULT("input"), WORDS(paced_resolution_name),
     MEANING("pixels on which predictions are measured: those of the network's input, or those of the mask's file")},
    {FIELD(test, postprocess), DEFAULT("none"), WORDS(paced_postprocess_name),
     MEANING("cleaning of predictions: none, largest component of each class, or filled outline of the needle")},
    {FIELD(test, absent), DEFAULT("skip"), WORDS(paced_absent_name),
     MEANING("class with no pixel in the mask and the prediction of an image, if there are more than two classes: skip "
             "leaves it out of the means, perfect counts it as 1 (the reference's definition)")},
    {FIELD(test, overlays), DEFAULT("8"), RANGE(0, 999),
     MEANING("number of overlay images, of best, median and worst dice; 0: none")},

    {PATHS(robustness, weights), DEFAULT(""), WORDS(best_or_last),
     MEANING("list of weights to compare; empty: test.weights")},
    {FIELD(robustness, corruptions), DEFAULT("all"), CHECK(paced_corruptions_check),
     MEANING("list of names; all: all corruptions of the appearance; geometric: all that move pixels")},
    {FIELD(robustness, severities), DEFAULT("1,2,3,4,5"), CHECK(paced_severities_check),
     MEANING("list of severities, 1 (slight) to 5 (heavy)")},

    {FIELD(predict, mode), DEFAULT("resize"), WORDS(predict_mode_name),
     MEANING("whole image, resized to data.size; or windows of data.size at the original resolution")},
    {FIELD(predict, overlap), DEFAULT("0.5"), RANGE(0, 0.9), MEANING("fraction of a window that its neighbour covers")},
    {FIELD(predict, flip), DEFAULT("no"), MEANING("average with the prediction for the horizontally mirrored image")},
    {FIELD(predict, batch), DEFAULT("4"), RANGE(1, 1024), MEANING("windows per step")},
    {FIELD(predict, precision), DEFAULT("float32"), WORDS(paced_precision_name),
     MEANING("the same for all commands that do not train; mixed: keeps values between operations as bfloat16")},

    {FIELD(log, tensorboard), DEFAULT("no"), MEANING("write a TensorBoard event file into the run's directory")},
    {FIELD(log, level), DEFAULT("info"), WORDS(paced_log_level_name), NO_RESULT,
     MEANING("least severe messages to show")},
};
/* clang-format on */
const size_t config_key_count = PACED_COUNT(config_keys);

bool config_section_known(const char *section) {
    for (size_t i = 0; i < config_key_count; ++i)
        if (strcmp(config_keys[i].section, section) == 0) return true;
    return false;
}

const struct config_key *config_key_find(const char *section, const char *name) {
    for (size_t i = 0; i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0) return key;
    }
    return NULL;
}

const struct config_key *config_key_named(const char *name) {
    for (size_t i = 0; i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        size_t length = strlen(key->section);
        bool here = strncmp(name, key->section, length) == 0 && name[length] == '.';
        if (here && strcmp(name + length + 1, key->name) == 0) return key;
    }
    return NULL;
}

static const char *nearest_section(const char *word) {
    const char *sections[PACED_COUNT(config_keys) + 1];
    for (size_t i = 0; i < config_key_count; ++i) sections[i] = config_keys[i].section;
    sections[config_key_count] = "sweep";
    return paced_nearest(word, sections, PACED_COUNT(sections));
}

static const struct config_key *key_by_name(const char *name) {
    for (size_t i = 0; i < config_key_count; ++i)
        if (strcmp(config_keys[i].name, name) == 0) return &config_keys[i];
    return NULL;
}

/* Key with the nearest name in a section, or in all sections (NULL). */
static const struct config_key *key_near(const char *section, const char *name) {
    const char *names[PACED_COUNT(config_keys)];
    size_t count = 0;
    for (size_t i = 0; i < config_key_count; ++i)
        if (!section || strcmp(config_keys[i].section, section) == 0) names[count++] = config_keys[i].name;
    const char *word = paced_nearest(name, names, count);
    if (!word) return NULL;
    return section ? config_key_find(section, word) : key_by_name(word);
}

/* Key most likely meant: the exact name in the nearest section, or in any; else the nearest name in that section; else
 * the nearest of all. */
static const struct config_key *nearest_key(const char *section, const char *name) {
    const char *meant = config_section_known(section) ? section : nearest_section(section);
    const struct config_key *key = meant ? config_key_find(meant, name) : NULL;
    if (!key) key = key_by_name(name);
    if (!key && meant) key = key_near(meant, name);
    return key ? key : key_near(NULL, name);
}

enum paced_err config_key_unknown(const char *place, const char *section, const char *name) {
    const char *all = "`paced config --keys` lists all";
    if (!name) {
        const char *near = nearest_section(section);
        if (near)
            return paced_error_at(PACED_INVALID, place, "[%s]: unknown section; did you mean [%s]?", section, near);
        return paced_error_at(PACED_INVALID, place, "[%s]: unknown section; %s", section, all);
    }
    const char *what = config_section_known(section) ? "key" : "section";
    const struct config_key *key = nearest_key(section, name);
    if (key)
        return paced_error_at(PACED_INVALID, place, "%s.%s: unknown %s; did you mean %s.%s?", section, name, what,
                              key->section, key->name);
    return paced_error_at(PACED_INVALID, place, "%s.%s: unknown %s; %s", section, name, what, all);
}

enum paced_err config_key_refuse(const char *place, const char *name) {
    const char *dot = strchr(name, '.');
    char *section = paced_format("%.*s", (int)(dot - name), name);
    enum paced_err err = config_key_unknown(place, section, dot + 1);
    free(section);
    return err;
}
