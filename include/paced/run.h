/* run: the commands. Each takes its parsed arguments and returns PACED_OK or the error that main turns into the exit
 * status. Errors have been printed when a command returns. */
#ifndef PACED_RUN_H
#define PACED_RUN_H

#include "paced/base.h"

/* Command line after the command's name. A command's row in main.c lists the options that it accepts. The strings
 * belong to the caller. */
struct paced_arguments {
    const char **names; /* [name_count] positional arguments: CONFIG, IMAGE... */
    size_t name_count;
    const char **sets; /* [set_count] --set SECTION.KEY=VALUE, in order */
    size_t set_count;
    const char *output, *weights; /* --output, --weights; NULL: not given */
    const char *share, *patient;  /* --val, --patient; NULL: not given */
    bool resume, overwrite, logits, probabilities, overlay, json, keys, markdown, no_fold;
    int64_t count, size, seed; /* --count, --size, --seed; -1: not given */
};

enum paced_err paced_command_train(const struct paced_arguments *arguments);
enum paced_err paced_command_test(const struct paced_arguments *arguments);
enum paced_err paced_command_robustness(const struct paced_arguments *arguments);
enum paced_err paced_command_experiment(const struct paced_arguments *arguments);
enum paced_err paced_command_report(const struct paced_arguments *arguments);
enum paced_err paced_command_predict(const struct paced_arguments *arguments);
enum paced_err paced_command_uncertainty(const struct paced_arguments *arguments);
enum paced_err paced_command_calibrate(const struct paced_arguments *arguments);
enum paced_err paced_command_graph(const struct paced_arguments *arguments);
enum paced_err paced_command_config(const struct paced_arguments *arguments);
enum paced_err paced_command_devices(const struct paced_arguments *arguments);
enum paced_err paced_command_doctor(const struct paced_arguments *arguments);
enum paced_err paced_command_tune(const struct paced_arguments *arguments);
enum paced_err paced_command_bench(const struct paced_arguments *arguments);
enum paced_err paced_command_data(const struct paced_arguments *arguments);
enum paced_err paced_command_convert(const struct paced_arguments *arguments);
enum paced_err paced_command_synth(const struct paced_arguments *arguments);

/* Makes errors of the modules below name configuration keys. Called before any command. */
void paced_command_advise(void);

/* Child process of a trial (device.h), `paced --trial SUBJECT STEP`; not for users. Returns the exit status. */
int paced_trial(const char *subject, const char *step);

#endif
