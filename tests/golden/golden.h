/* golden: reading the files that make_golden.py wrote. */
#ifndef PACED_TESTS_GOLDEN_H
#define PACED_TESTS_GOLDEN_H

#include "tests/kernel/harness.h"

/* "ops.safetensors" and the like, from this folder. */
struct paced_weights golden_read(const char *file);

/* Tensor "<prefix>.<name>"; the test fails where it is missing. */
const struct paced_entry *golden_find(const struct paced_weights *golden, const char *prefix, const char *name);
size_t golden_count(const struct paced_entry *entry);

/* Its values in the program's order: rank 4 is turned from [a][b][h][w] to [a][h][w][b], others stay. Float32 or
 * float64 in the file. Release with free(). */
float *golden_floats(const struct paced_entry *entry);
double *golden_doubles(const struct paced_entry *entry);

/* A number in the JSON text of the metadata's `key`; for arrays, the largest element. */
double golden_number(const struct paced_weights *golden, const char *key, const char *name);
int golden_int(const struct paced_weights *golden, const char *key, const char *name);
/* How many cases of this kind there are. */
int golden_cases(const struct paced_weights *golden, const char *kind);

#endif
