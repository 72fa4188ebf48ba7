/* golden: reading of the files that make_golden.py writes. */
#ifndef PACED_TESTS_GOLDEN_H
#define PACED_TESTS_GOLDEN_H

#include "tests/kernel/harness.h"

/* Reads a file of this folder, such as "ops.safetensors". */
struct paced_weights golden_read(const char *file);

/* Tensor "<prefix>.<name>"; the test fails if it is missing. */
const struct paced_entry *golden_find(const struct paced_weights *golden, const char *prefix, const char *name);
size_t golden_count(const struct paced_entry *entry);

/* Values in the program's order: rank 4 is transposed from [a][b][h][w] to [a][h][w][b]; others are unchanged. The file
 * has float32 or float64. Release with free(). */
float *golden_floats(const struct paced_entry *entry);
double *golden_doubles(const struct paced_entry *entry);

/* Number `name` in the JSON text of the metadata `key`; for arrays, the maximum. */
double golden_number(const struct paced_weights *golden, const char *key, const char *name);
int golden_int(const struct paced_weights *golden, const char *key, const char *name);
/* Number of cases of this kind. */
int golden_cases(const struct paced_weights *golden, const char *kind);

#endif
