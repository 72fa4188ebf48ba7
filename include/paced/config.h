/* config: an INI file becomes one checked struct.
 *
 * One table (src/config/keys.c) says of every key: section, name, type, default, range or choices, meaning, and where
 * it lives in struct paced_config. Reading, --set, `paced config`, `paced config --keys`, error messages and the
 * README's table all come from it: adding a key is one line there and one field here. Field names are the INI's. */
#ifndef PACED_CONFIG_H
#define PACED_CONFIG_H

#include "paced/base.h"

/* The greatest values of data.classes (labels are bytes), data.size, model.width and uncertainty.kernel. */
enum { PACED_MOST_CLASSES = 255, PACED_MOST_SIZE = 8192, PACED_MOST_WIDTH = 1024, PACED_MOST_KERNEL = 31 };

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
/* Up to PACED_NLL in the order of test.metrics' words; the last two come with test.postprocess = needle. */
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
        char *teacher, *teacher_arch; /* empty: no teacher; the student's arch */
        int64_t teacher_width;        /* 0: the student's */
        int method, loss;             /* enum paced_method; a row of distill's table of losses, 0: by method */
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
    char *file; /* the INI's path as given */
};

/* Reads `path` (and its `base` chain; NULL: none, the defaults stay), then applies `sets` ("section.key=value", later
 * ones win), then fills what depends on other keys (run.name, run.output), and makes paths absolute. On an error
 * (PACED_INVALID) *config holds nothing to release. Cross-key checks (a split that is missing, a size that the network
 * cannot take) belong to the rooms that know. */
enum paced_err paced_config_load(struct paced_config *config, const char *path, const char *const *sets,
                                 size_t set_count);
void paced_config_finish(struct paced_config *config);

/* The resolved configuration as an INI file that reads back to the same struct. Release with free(). */
char *paced_config_text(const struct paced_config *config);

/* Goes on with a hash over all keys on which results depend; threads that load images, for one, change none. */
uint64_t paced_config_hash(uint64_t hash, const struct paced_config *config);

/* Key by key, in the order of that text: false behind the last, else *entry, whose value is to be freed. */
struct paced_config_entry {
    const char *section, *name;
    char *value;
};
bool paced_config_entry(const struct paced_config *config, size_t index, struct paced_config_entry *entry);

/* The value of `key` ("train.lr"), which must be one, as it stands there. Release with free(). */
char *paced_config_value(const struct paced_config *config, const char *key);

/* The key ("data.train") whose file, or one of whose files, an error is about: one that begins as "FILE: " or
 * "FILE:LINE: ". NULL: none. Release with free(). */
char *paced_config_key_of(const struct paced_config *config, const char *message);

/* Every key with type, default, range and meaning; as a Markdown table when `markdown`. */
void paced_config_print_keys(FILE *out, bool markdown);

/* ---- experiments --------------------------------------------------------------------------------------------- */

/* An experiment is an INI with sections
 *   [stage NAME]            NAME of letters, digits, '-', '_', '.', at most 43 of them
 *   command = ...           what the stage does; whoever runs it knows the commands
 *   config = FILE           where its configuration comes from; absent: the experiment's own other sections
 *   sweep = no              it is there once for all points of a sweep, before them; absent: once for each
 *   SECTION.KEY = value     wins over that
 * In a value, %(NAME) stands for the run directory of stage NAME, which must come earlier. run.output of a stage is by
 * default <the experiment's>/<NAME>. Only the file's own stages count, not those of its bases or of `config`; whatever
 * else reads the file passes over them.
 *
 * A section
 *   [sweep]
 *   SECTION.KEY = v1, v2, ...                       a value for each point
 *   SECTION.KEY SECTION.KEY = v1 w1, v2 w2, ...     several keys that change together
 * multiplies the stages: there is a point for each combination of its lines' items, and every stage is there once for
 * each point, below <the experiment's>/<the point's name>. What a stage sets itself is not swept in it. Without stages
 * a point is trained and then tested, all in the point's own directory. A value with commas stands in double quotes. */
struct paced_point {
    char *name;    /* "mu=0.39,mu_update=0.183": of its keys and values, fit for a directory */
    char **values; /* of the sweep's keys, in their order; as the program writes them */
};

struct paced_sweep {
    char **keys, **places; /* [key_count]: "pacing.mu", FILE:LINE */
    size_t key_count;
    struct paced_point *points;
    size_t count; /* 0: nothing is swept */
};

#define PACED_NO_POINT SIZE_MAX

struct paced_stage {
    char *name;   /* in a sweep "POINT/LABEL", else the label */
    char *label;  /* NAME in [stage NAME] */
    size_t point; /* PACED_NO_POINT: all of them, or there is no sweep */
    char *command;
    char *place, *command_place; /* FILE:LINE of the section, of its command */
    struct paced_config config;  /* resolved */
    bool *uses;                  /* [its own index]: does it name that earlier stage's run directory? */
};

struct paced_experiment {
    struct paced_config config; /* the file's other sections; run.output: where all of it goes */
    struct paced_sweep sweep;
    struct paced_stage *stages; /* point by point */
    size_t count;
    bool plain; /* a sweep without stages of its own */
};

/* `sets` win over everything, in every stage; but run.name and run.output among them are the experiment's own, and
 * sweep.SECTION.KEY=VALUES stands for a line of [sweep], or is one more.
 * PACED_INVALID, and nothing to release, where the file, a set or a stage is wrong or there is neither stage nor sweep.
 */
enum paced_err paced_experiment_load(struct paced_experiment *experiment, const char *path, const char *const *sets,
                                     size_t set_count);
void paced_experiment_finish(struct paced_experiment *experiment);

/* Does the file, or one of the sets, ask for a sweep? */
enum paced_err paced_experiment_sweeps(const char *path, const char *const *sets, size_t set_count, bool *sweeps);

#endif
