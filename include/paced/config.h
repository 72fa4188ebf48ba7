/* config: an INI file becomes one checked struct.
 *
 * One table (src/config/keys.c) says of every key: section, name, type, default, range or choices, meaning, and where
 * it lives in struct paced_config. Reading, --set, `paced config`, `paced config --keys`, error messages and the
 * README's table all come from it: adding a key is one line there and one field here. Field names are the INI's. */
#ifndef PACED_CONFIG_H
#define PACED_CONFIG_H

#include "paced/base.h"

enum paced_dataset_kind { PACED_DATA_BUS, PACED_DATA_FOLDER };
enum paced_optimizer_kind { PACED_ADAM, PACED_SGD };
enum paced_schedule_kind { PACED_SCHEDULE_STEP, PACED_SCHEDULE_CONSTANT };

struct paced_config {
    struct {
        char *name, *output;
        int64_t seed;
    } run;
    struct {
        char *select;
        int64_t threads;
    } device;
    struct {
        int dataset; /* enum paced_dataset_kind */
        char *root, *train, *val;
        int64_t classes, size, workers;
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
        double gamma;
        bool shuffle;
        int64_t save_every;
    } train;
    struct {
        char *weights;
    } test;
    struct {
        int level; /* enum paced_log_level */
    } log;
    char *file; /* the INI's path as given */
};

/* Reads `path` (and its `base` chain), then applies `sets` ("section.key=value", later ones win), then fills what
 * depends on other keys (run.name, run.output), and makes paths absolute. On an error (PACED_INVALID) *config holds
 * nothing to release. Cross-key checks (a split that is missing, a size that the network cannot take) belong to the
 * rooms that know. */
enum paced_err paced_config_load(struct paced_config *config, const char *path, const char *const *sets,
                                 size_t set_count);
void paced_config_finish(struct paced_config *config);

/* The resolved configuration as an INI file that reads back to the same struct. Release with free(). */
char *paced_config_text(const struct paced_config *config);

/* Every key with type, default, range and meaning; as a Markdown table when `markdown`. */
void paced_config_print_keys(FILE *out, bool markdown);

#endif
