/* config: INI files, read into one checked struct.
 *
 * The table in src/config/keys.c defines section, name, type, default, range or choices, meaning and field of every
 * key. Reading, --set, `paced config`, `paced config --keys`, error messages and the documentation use it. A new key
 * needs one line there and one field here. Field names equal the INI's keys. */
#ifndef PACED_CONFIG_H
#define PACED_CONFIG_H

#include "paced/base.h"

/* Maxima of data.classes (labels are bytes), data.size, model.width and uncertainty.kernel. */
enum { PACED_MAX_CLASSES = 255, PACED_MAX_SIZE = 8192, PACED_MAX_WIDTH = 1024, PACED_MAX_KERNEL = 31 };

enum paced_dataset_kind { PACED_DATA_BUS, PACED_DATA_NEEDLE, PACED_DATA_ROBO, PACED_DATA_FOLDER };
enum paced_optimizer_kind { PACED_ADAM, PACED_ADAMW, PACED_SGD };
enum paced_schedule_kind { PACED_SCHEDULE_STEP, PACED_SCHEDULE_COSINE, PACED_SCHEDULE_POLY, PACED_SCHEDULE_CONSTANT };
enum paced_select { PACED_SELECT_LOSS, PACED_SELECT_DICE };
enum paced_method { PACED_METHOD_IID, PACED_METHOD_KD, PACED_METHOD_CPL, PACED_METHOD_TPL, PACED_METHOD_PCD };
enum paced_mix { PACED_MIX_AUTO, PACED_MIX_ALPHA, PACED_MIX_SUM };
enum paced_prediction { PACED_PREDICTION_LABEL, PACED_PREDICTION_MAX };
enum paced_boundary { PACED_BOUNDARY_SVLS, PACED_BOUNDARY_NONE };
enum paced_fuse {
    PACED_FUSE_PRODUCT,
    PACED_FUSE_MEAN,
    PACED_FUSE_MAX,
    PACED_FUSE_WEIGHTED,
    PACED_FUSE_PREDICTION,
    PACED_FUSE_BOUNDARY
};
enum paced_target { PACED_TARGET_HARD, PACED_TARGET_UNIFORM, PACED_TARGET_SVLS };
enum paced_pacing {
    PACED_PACING_STEP,
    PACED_PACING_QUANTILE,
    PACED_PACING_LINEAR,
    PACED_PACING_EXPONENTIAL,
    PACED_PACING_ROOT,
    PACED_PACING_NONE
};
enum paced_order { PACED_ORDER_EASY, PACED_ORDER_HARD };
enum paced_admission { PACED_ADMISSION_AUTO, PACED_ADMISSION_HARD, PACED_ADMISSION_SOFT };
/* Metrics. Up to PACED_NLL in the order of test.metrics' choices; the last two require test.postprocess = needle. */
enum paced_metric {
    PACED_DICE,
    PACED_IOU,
    PACED_PRECISION,
    PACED_RECALL,
    PACED_F1,
    PACED_HD95,
    PACED_NSD,
    PACED_ECE,
    PACED_BRIER,
    PACED_NLL,
    PACED_ANGLE_ERROR,
    PACED_DISTANCE_ERROR,
    PACED_METRICS
};
enum paced_predict_mode { PACED_PREDICT_RESIZE, PACED_PREDICT_WINDOW };
enum paced_postprocess { PACED_POSTPROCESS_NONE, PACED_POSTPROCESS_LARGEST, PACED_POSTPROCESS_NEEDLE };

struct paced_config {
    struct {
        char *name, *output;
        int64_t seed;
    } run;
    struct {
        char *select;
        int64_t memory_limit_mb, threads;
        char *tuning;
    } device;
    struct {
        int dataset; /* enum paced_dataset_kind */
        char *root, *train, *val, *labels, *augment;
        int64_t classes, size, workers;
        bool merge_masks;
    } data;
    struct {
        char *arch; /* a name in the models' registry */
        int64_t width;
        char *init;
    } model;
    struct {
        int64_t epochs, batch;
        int optimizer; /* enum paced_optimizer_kind */
        double momentum, weight_decay, lr;
        int schedule; /* enum paced_schedule_kind */
        int64_t step;
        double gamma, power;
        bool shuffle;
        int select; /* enum paced_select */
        int64_t patience, save_every;
        double clip_norm;
    } train;
    struct {
        char *teacher, *teacher_arch; /* empty: no teacher; empty: model.arch */
        int64_t teacher_width;        /* 0: model.width */
        int method, loss;             /* enum paced_method; row of distill's table of losses, 0: by method */
        int mix;                      /* enum paced_mix */
        double alpha, temperature;
        int64_t cache_mb;
    } distill;
    struct {
        double temperature;                     /* NaN: auto */
        int prediction, boundary, fuse, target; /* enums paced_prediction, _boundary, _fuse, _target */
        int64_t kernel;
        double sigma, sigma_decay, beta, smoothing;
    } uncertainty;
    struct {
        int function; /* enum paced_pacing */
        double mu, mu_update;
        int64_t mu_update_every;
        double mu_max, start, end;
        int order, admission; /* enums paced_order, paced_admission */
    } pacing;
    struct {
        char *weights;
        uint64_t metrics; /* bit m: enum paced_metric m */
        double nsd_tolerance;
        int postprocess; /* enum paced_postprocess */
        int64_t overlays;
    } test;
    struct {
        char *weights, *corruptions, *severities; /* lists: "a, b, c" */
    } robustness;
    struct {
        int mode; /* enum paced_predict_mode */
        double overlap;
        bool flip;
        int64_t batch;
    } predict;
    struct {
        bool tensorboard;
        int level; /* enum paced_log_level */
    } log;
    char *file; /* path of the INI as given */
};

/* Reads `path` and its `base` chain (NULL: defaults only), applies `sets` ("section.key=value"; later ones win), sets
 * keys that depend on others (run.name, run.output) and makes paths absolute. On an error (PACED_INVALID) *config holds
 * nothing to release. Checks across keys (a missing split, an unsupported size) belong to the modules that use them. */
enum paced_err paced_config_load(struct paced_config *config, const char *path, const char *const *sets,
                                 size_t set_count);
void paced_config_finish(struct paced_config *config);

/* Resolved configuration as the text of an INI file that reads back to the same struct. Release with free(). */
char *paced_config_text(const struct paced_config *config);

/* Continues `hash` over all keys that affect results (data.workers, for example, does not). */
uint64_t paced_config_hash(uint64_t hash, const struct paced_config *config);

/* Keys by index, in the order of paced_config_text; false after the last. Release entry->value with free(). */
struct paced_config_entry {
    const char *section, *name;
    char *value;
};
bool paced_config_entry(const struct paced_config *config, size_t index, struct paced_config_entry *entry);

/* Value of `key` ("train.lr", must exist) as in paced_config_text. Release with free(). */
char *paced_config_value(const struct paced_config *config, const char *key);

/* Key ("data.train") whose value names the file of an error message that begins with "FILE: " or "FILE:LINE: ". NULL if
 * there is none. Release with free(). */
char *paced_config_key_of(const struct paced_config *config, const char *message);

/* Prints every key with type, default, range and meaning, as a Markdown table if `markdown`. */
void paced_config_print_keys(FILE *out, bool markdown);

/* ---- experiments --------------------------------------------------------------------------------------------- */

/* An experiment is an INI with sections
 *   [stage NAME]            at most 43 letters, digits, '-', '_', '.'
 *   command = ...           command of the stage; checked by the caller
 *   config = FILE           source of its configuration; default: the other sections of this INI
 *   sweep = no              runs once, before all points of a sweep; default: once per point
 *   SECTION.KEY = value     overrides the configuration
 * In a value, %(NAME) stands for the run directory of stage NAME, which must come earlier. The default of a stage's
 * run.output is <run.output of the experiment>/<NAME>. Stages of `base` or `config` files are ignored; other readers of
 * the file ignore all stages.
 *
 * A section
 *   [sweep]
 *   SECTION.KEY = v1, v2, ...                       one value per point
 *   SECTION.KEY SECTION.KEY = v1 w1, v2 w2, ...     several keys that change together
 * multiplies the stages: there is one point for each combination of the lines' items, and every stage runs once per
 * point, below <run.output of the experiment>/<name of the point>. A key that a stage sets itself is not swept in that
 * stage. Without stages, a point is trained and tested in its directory. Values with commas need double quotes. */
struct paced_point {
    char *name;    /* "mu=0.39,mu_update=0.183": keys and values, valid as a directory name */
    char **values; /* [key_count] in canonical form */
};

struct paced_sweep {
    char **keys, **places; /* [key_count]: "pacing.mu", FILE:LINE */
    size_t key_count;
    struct paced_point *points;
    size_t count; /* 0: no sweep */
};

#define PACED_NO_POINT SIZE_MAX

struct paced_stage {
    char *name;   /* "POINT/LABEL" in a sweep, else the label */
    char *label;  /* NAME in [stage NAME] */
    size_t point; /* PACED_NO_POINT: common to all points, or no sweep */
    char *command;
    char *place, *command_place; /* FILE:LINE of the section and of its command */
    struct paced_config config;  /* resolved */
    bool *uses;                  /* [index of the stage]: true if it uses that earlier stage's run directory */
};

struct paced_experiment {
    struct paced_config config; /* the other sections; run.output is the directory of the whole experiment */
    struct paced_sweep sweep;
    struct paced_stage *stages; /* [count] point by point */
    size_t count;
    bool plain; /* sweep without [stage] sections */
};

/* Loads an experiment. `sets` override all values in every stage, except that run.name and run.output apply to the
 * experiment only, and sweep.SECTION.KEY=VALUES replaces or adds a line of [sweep]. PACED_INVALID, with nothing to
 * release, if the file, a set or a stage is invalid or if there is neither a stage nor a sweep. */
enum paced_err paced_experiment_load(struct paced_experiment *experiment, const char *path, const char *const *sets,
                                     size_t set_count);
void paced_experiment_finish(struct paced_experiment *experiment);

/* Sets *sweeps if the file or one of the sets contains a sweep. */
enum paced_err paced_experiment_sweeps(const char *path, const char *const *sets, size_t set_count, bool *sweeps);

#endif
