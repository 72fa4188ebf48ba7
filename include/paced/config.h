/* config: INI files, read into one checked struct, which is composed of the options of the modules.
 *
 * The table in src/config/keys.c defines section, name, type, default, range or choices, meaning and field of every
 * key. Reading, --set, `paced config`, `paced config --keys`, error messages and the documentation use it. A new key
 * needs one line there and one field in the options of its module (of run: here). Field names equal the INI's keys. */
#ifndef PACED_CONFIG_H
#define PACED_CONFIG_H

#include "paced/data.h"
#include "paced/distill.h"
#include "paced/metrics.h"
#include "paced/models.h"
#include "paced/optim.h"

enum paced_predict_mode { PACED_PREDICT_RESIZE, PACED_PREDICT_WINDOW };

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
    struct paced_data_options data;
    struct paced_model_options model;
    struct paced_train_options train;
    struct paced_distill_options distill;
    struct paced_uncertainty_options uncertainty;
    struct paced_pacing_options pacing;
    struct paced_test_options test;
    struct {
        char *weights, *corruptions, *severities; /* lists: "a, b, c" */
    } robustness;
    struct {
        int mode; /* enum paced_predict_mode */
        double overlap;
        bool flip;
        int64_t batch;
        int precision; /* enum paced_precision */
    } predict;
    struct {
        bool tensorboard;
        int level; /* enum paced_log_level */
    } log;
    char *file; /* path of the INI as given */
};

/* Names of the weights in a run directory, which mark it as that of a training. */
#define PACED_RUN_STATE "state.safetensors"
#define PACED_RUN_BEST "best.safetensors"
#define PACED_RUN_LAST "last.safetensors"

/* Start of every config.ini that a run writes into its directory. */
#define PACED_CONFIG_ORIGIN "; paced "
bool paced_config_is_of_run(const char *path); /* true for a file that begins so */

/* Reads `path` and its `base` chain (NULL: defaults only), applies `sets` ("section.key=value"; later ones win), sets
 * keys that depend on others (run.name, run.output) and makes paths absolute. The config.ini of a run
 * directory that was moved means the directory where it is. On an error (PACED_INVALID) *config holds nothing to
 * release. Checks across keys (a missing split, an unsupported size) belong to the modules that use them. */
enum paced_err paced_config_load(struct paced_config *config, const char *path, const char *const *sets,
                                 size_t set_count);
void paced_config_finish(struct paced_config *config);

/* Replaces a key's text by the value of an option. PACED_INVALID, naming the option, if an INI file cannot hold it. */
enum paced_err paced_config_replace(struct paced_config *config, const char *key, const char *option, const char *text);

/* Resolved configuration as the text of an INI file that reads back to the same struct. Release with free(). */
char *paced_config_text(const struct paced_config *config);

/* Continues `hash` over all keys that affect results (data.workers, for example, does not). */
uint64_t paced_config_hash(uint64_t hash, const struct paced_config *config);

/* All keys with their values, in the order of paced_config_text. */
struct paced_settings paced_config_settings(const struct paced_config *config);

/* Value of `key` ("train.lr", must exist) as in paced_config_text. Release with free(). */
char *paced_config_value(const struct paced_config *config, const char *key);

/* Key ("data.train") whose value is the file of an error's place (paced_failure), or NULL. Release with free(). */
char *paced_config_key_of(const struct paced_config *config, const char *place);

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
