/* paced train CONFIG */
#include <stdlib.h>

#include "src/run/commands.h"
#include "src/run/trainer.h"

enum paced_err command_config(const struct paced_arguments *arguments, struct paced_config *config) {
    PACED_TRY(paced_config_load(config, arguments->names[0], arguments->sets, arguments->set_count));
    paced_log_set_level((enum paced_log_level)config->log.level);
    return PACED_OK;
}

enum paced_err paced_command_train(const struct paced_arguments *arguments) {
    struct paced_config config;
    if (arguments->resume && arguments->overwrite)
        return paced_error(PACED_INVALID, "train: --resume and --overwrite exclude each other; give one");
    PACED_TRY(command_config(arguments, &config));
    if (arguments->output) {
        free(config.run.output);
        config.run.output = paced_path_absolute(arguments->output);
    }
    paced_catch_stop();
    enum train_start start = arguments->resume ? TRAIN_RESUME : arguments->overwrite ? TRAIN_OVERWRITE : TRAIN_FRESH;
    enum paced_err err = trainer_run(&config, start, stdout);
    paced_config_finish(&config);
    return err;
}
