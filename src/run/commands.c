/* Functions shared by the commands. */
#include "src/run/commands.h"

enum paced_err command_config(const struct paced_arguments *arguments, struct paced_config *config) {
    PACED_TRY(paced_config_load(config, arguments->names[0], arguments->sets, arguments->set_count));
    paced_log_set_level((enum paced_log_level)config->log.level);
    return PACED_OK;
}
