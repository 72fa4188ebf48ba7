/* Golden files; see golden.h. */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "tests/golden/golden.h"

struct paced_weights golden_read(const char *file) {
    struct paced_weights golden = {0};
    char *path = paced_format("%s/golden/%s", PACED_TESTS_DIR, file);
    assert_ok(paced_safetensors_read(path, &golden));
    free(path);
    return golden;
}

const struct paced_entry *golden_find(const struct paced_weights *golden, const char *prefix, const char *name) {
    char *full = paced_format("%s.%s", prefix, name);
    const struct paced_entry *entry = paced_weights_find(golden, full);
    if (!entry) print_error("there is no golden tensor %s\n", full);
    free(full);
    assert_non_null(entry);
    return entry;
}

size_t golden_count(const struct paced_entry *entry) {
    size_t count = 1;
    for (int i = 0; i < entry->rank; ++i) count *= (size_t)entry->shape[i];
    return count;
}

static double value_at(const struct paced_entry *entry, size_t i) {
    assert_true(entry->dtype == PACED_F32 || entry->dtype == PACED_F64);
    return entry->dtype == PACED_F64 ? ((const double *)entry->data)[i] : (double)((const float *)entry->data)[i];
}

/* Index, in the program's order, of element i of the file. */
static size_t transposed(const struct paced_entry *entry, size_t i) {
    if (entry->rank != 4) return i;
    size_t b = (size_t)entry->shape[1], plane = (size_t)entry->shape[2] * (size_t)entry->shape[3];
    return (i / plane / b * plane + i % plane) * b + i / plane % b;
}

float *golden_floats(const struct paced_entry *entry) {
    size_t count = golden_count(entry);
    float *values = paced_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; ++i) values[transposed(entry, i)] = (float)value_at(entry, i);
    return values;
}

double *golden_doubles(const struct paced_entry *entry) {
    size_t count = golden_count(entry);
    double *values = paced_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; ++i) values[transposed(entry, i)] = value_at(entry, i);
    return values;
}

double golden_number(const struct paced_weights *golden, const char *key, const char *name) {
    const char *text = paced_weights_metadata(golden, key);
    assert_non_null(text);
    json_t *object = json_loads(text, 0, NULL), *value = json_object_get(object, name);
    double number = json_number_value(value);
    bool found = json_is_number(value) || json_is_array(value);
    for (size_t i = 0; i < json_array_size(value); ++i)
        number = fmax(number, json_number_value(json_array_get(value, i)));
    json_decref(object);
    if (!found) print_error("golden case %s has no %s\n", key, name);
    assert_true(found);
    return number;
}

int golden_int(const struct paced_weights *golden, const char *key, const char *name) {
    return (int)golden_number(golden, key, name);
}

int golden_cases(const struct paced_weights *golden, const char *kind) {
    const char *count = paced_weights_metadata(golden, kind);
    assert_non_null(count);
    return atoi(count);
}
