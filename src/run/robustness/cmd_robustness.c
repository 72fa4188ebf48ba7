/* paced robustness CONFIG: metrics of one or several weights under corruptions; tables, plots and a contact sheet. */
#include "src/run/commands.h"
#include "src/run/robustness/robustness.h"

enum paced_err paced_command_robustness(const struct paced_arguments *arguments) {
    struct paced_config config;
    if (arguments->weights) PACED_TRY(paced_list_check("--weights", arguments->weights));
    PACED_TRY(command_config(arguments, &config));
    enum paced_err err = PACED_OK;
    if (arguments->weights) err = paced_config_replace(&config, "robustness.weights", "--weights", arguments->weights);
    paced_catch_stop();
    if (!err) err = robustness_run(&config, arguments->output ? arguments->output : config.run.output, stdout);
    paced_config_finish(&config);
    return err;
}
