/* Refusal to overwrite the inputs of a command by its results. */
#ifndef PACED_RUN_OVERWRITE_H
#define PACED_RUN_OVERWRITE_H

#include "paced/config.h"

/* PACED_INVALID if `input` (a file or a directory; "": none) is the file `result`. `input_key` and `output_key` are the
 * keys or options that name `input` and the directory or file `output`. */
enum paced_err overwrite_check(const char *input_key, const char *input, const char *result, const char *output_key,
                               const char *output);

/* The same for all files that a training, or a test or measurement of robustness, reads, and those that it replaces in
 * `dir`. Also PACED_INVALID for a config.ini there that this program did not write, and for a symbolic link in the
 * place of a result. */
enum paced_err overwrite_check_training(const struct paced_config *config, const char *dir);
enum paced_err overwrite_check_test(const struct paced_config *config, const char *dir);

#endif
