/* speed: functions that the benchmark and the parts of the tuning share. */
#include "src/run/speed/speed.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double speed_median(double *seconds, size_t count) {
    qsort(seconds, count, sizeof *seconds, ascending);
    return (seconds[(count - 1) / 2] + seconds[count / 2]) / 2;
}

enum paced_err tune_say(struct tuner *t, const char *what, const char *result) {
    paced_log(PACED_LOG_INFO, "tune %zu/%zu: %s: %s", ++t->done, t->count, what, result);
    return paced_stop_asked() ? PACED_STOPPED : PACED_OK;
}

enum paced_err tune_fill(struct paced_buffer *buffer, uint64_t count, uint64_t stream) {
    float *values = paced_alloc(count, sizeof *values);
    struct paced_rng rng;
    paced_rng_seed(&rng, 1, PACED_STREAM_SYNTH + stream);
    for (uint64_t i = 0; i < count; ++i) values[i] = (float)(2 * paced_rng_uniform(&rng) - 1);
    enum paced_err err = paced_buffer_write_floats(buffer, values, count);
    free(values);
    return err;
}
