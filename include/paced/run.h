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

typedef enum paced_err paced_command(const struct paced_arguments *arguments);
paced_command paced_command_train, paced_command_test, paced_command_robustness, paced_command_experiment,
    paced_command_report, paced_command_predict, paced_command_uncertainty, paced_command_calibrate,
    paced_command_graph, paced_command_config, paced_command_devices, paced_command_doctor, paced_command_tune,
    paced_command_bench, paced_command_data, paced_command_convert, paced_command_synth;

/* Makes errors of the modules below name configuration keys. Called before any command. */
void paced_command_advise(void);

/* Child process of a trial (device.h), `paced --trial SUBJECT STEP`; not for users. Returns the exit status. */
int paced_trial(const char *subject, const char *step);

#endif
