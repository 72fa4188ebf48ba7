/* What the commands share. */
#ifndef PACED_RUN_COMMANDS_H
#define PACED_RUN_COMMANDS_H

#include "paced/config.h"
#include "paced/run.h"

/* The one CONFIG of the command line with its --set options. */
enum paced_err command_config(const struct paced_arguments *arguments, struct paced_config *config);

#endif
