/* paced test CONFIG: metrics of trained weights on the validation set, as files, pictures, a report and a table. */
#include <stdlib.h>

#include "src/run/commands.h"
#include "src/run/test/tester.h"

enum paced_err paced_command_test(const struct paced_arguments *arguments) {
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    if (arguments->weights) {
        free(config.test.weights);
        config.test.weights = paced_strdup(arguments->weights);
    }
    paced_catch_stop();
    enum paced_err err = tester_run(&config, arguments->output ? arguments->output : config.run.output, stdout);
    paced_config_finish(&config);
    return err;
}
