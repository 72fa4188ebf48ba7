/* Splitting the pairs of a data set into training and validation. */
#ifndef PACED_RUN_DIVIDE_H
#define PACED_RUN_DIVIDE_H

#include "paced/config.h"
#include "paced/run.h"

/* Runs `paced data split`: writes train.json and val.json into --output and prints their contents. */
enum paced_err split_command(const struct paced_config *config, const struct paced_arguments *arguments);

#endif
