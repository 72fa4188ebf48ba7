/* paced test CONFIG: metrics of trained weights on the validation set, as files, pictures, a report and a table. */
#include "src/run/commands.h"
#include "src/run/test/tester.h"

enum paced_err paced_command_test(const struct paced_arguments *arguments) {
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    enum paced_err err = PACED_OK;
    if (arguments->weights) err = paced_config_replace(&config, "test.weights", "--weights", arguments->weights);
    paced_catch_stop();
    if (!err) err = tester_run(&config, arguments->output ? arguments->output : config.run.output, stdout);
    paced_config_finish(&config);
    return err;
}
