/* Functions shared by the commands. */
#ifndef PACED_RUN_COMMANDS_H
#define PACED_RUN_COMMANDS_H

#include "paced/config.h"
#include "paced/run.h"

/* Loads the CONFIG of the command line with its --set options and applies log.level. Release with
 * paced_config_finish. */
enum paced_err command_config(const struct paced_arguments *arguments, struct paced_config *config);

#endif
