/* paced train CONFIG: one training. A configuration with a sweep is run as by `paced experiment`. */
#include <stdlib.h>

#include "src/run/commands.h"
#include "src/run/train/trainer.h"

/* Runs the sweep with --output as run.output. It resumes with or without --resume. */
static enum paced_err run_sweep(const struct paced_arguments *arguments) {
    struct paced_arguments swept = *arguments;
    swept.sets = paced_alloc(arguments->set_count + 1, sizeof *swept.sets);
    for (size_t i = 0; i < arguments->set_count; ++i) swept.sets[i] = arguments->sets[i];
    char *output = arguments->output ? paced_format("run.output=%s", arguments->output) : NULL;
    if (output) swept.sets[swept.set_count++] = output;
    enum paced_err err = paced_command_experiment(&swept);
    free(output);
    free(swept.sets);
    return err;
}

enum paced_err paced_command_train(const struct paced_arguments *arguments) {
    struct paced_config config;
    if (arguments->resume && arguments->overwrite)
        return paced_error(PACED_INVALID, "train: --resume and --overwrite exclude each other; give one");
    bool sweeps;
    PACED_TRY(paced_experiment_sweeps(arguments->names[0], arguments->sets, arguments->set_count, &sweeps));
    if (sweeps) return run_sweep(arguments);
    PACED_TRY(command_config(arguments, &config));
    enum paced_err err = PACED_OK;
    if (arguments->output) {
        char *output = paced_path_absolute(arguments->output);
        err = paced_config_replace(&config, "run.output", "--output", output);
        free(output);
    }
    paced_catch_stop();
    enum train_start start = arguments->resume ? TRAIN_RESUME : arguments->overwrite ? TRAIN_OVERWRITE : TRAIN_FRESH;
    if (!err) err = trainer_run(&config, start, stdout);
    paced_config_finish(&config);
    return err;
}
