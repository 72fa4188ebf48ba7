/* Dividing a data set's pairs into a training and a validation split. */
#ifndef PACED_RUN_DIVIDE_H
#define PACED_RUN_DIVIDE_H

#include "paced/config.h"
#include "paced/run.h"

/* paced data split, as the command line says; writes train.json and val.json into --output and prints what they hold.
 */
enum paced_err divide(const struct paced_config *config, const struct paced_arguments *arguments);

#endif
