/* Small network of `paced doctor`: within its bound on a correct device, outside it with a fault in one kernel. */
#include "src/run/doctor/small_network.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kernel/harness.h"

static void test_correct(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    double error = 1;
    assert_ok(small_network_error(harness_device, &error));
    print_message("small network: relative error %.3g\n", error);
    assert_near(error, 0, SMALL_NETWORK_BOUND);
}

/* Faults that do not stop any kernel. Each affects another part of the results. */
static const struct fault {
    const char *file, *text, *wrong;
} faults[] = {
    /* Inference: the running variance is off by a thousandth. */
    {"batch_norm.cl", "keep(LOADV(running_mean, v), LOADV(running_var, v)",
     "keep(LOADV(running_mean, v), 1.001f * LOADV(running_var, v)"},
    /* Batch statistics: the variance is off by a thousandth. */
    {"batch_norm.cl", "keep(mean, squares / (float)pixels", "keep(mean, 1.001f * squares / (float)pixels"},
    /* Signs: all gradients keep their norms. */
    {"loss.cl", "? per_pixel * grad", "? -per_pixel * grad"},
    /* Positions: gradients go to the wrong pixels of pooling windows. */
    {"max_pool.cl", "LOAD_BYTES(place, from) == ky * size + kx", "LOAD_BYTES(place, from) == kx * size + ky"},
    /* NaN, which no comparison of numbers notices. */
    {"loss.cl", "objective_sum += real != 0 ?", "objective_sum += real != 0 ? 0 * INFINITY *"},
};

/* Writes the file with the fault into the directory. */
static char *plant(const char *dir, const struct fault *fault) {
    char *name = paced_format("cl/%s", fault->file), *source = paced_shipped_path(name), *text;
    char *path = paced_path_join(dir, fault->file);
    assert_ok(paced_file_read_text(source, 0, &text));
    char *place = strstr(text, fault->text);
    if (!place) print_error("%s: there is no `%s`\n", fault->file, fault->text);
    assert_non_null(place);
    char *faulty = paced_format("%.*s%s%s", (int)(place - text), text, fault->wrong, place + strlen(fault->text));
    assert_ok(paced_file_write(path, faulty, strlen(faulty)));
    free(faulty);
    free(text);
    free(source);
    free(name);
    return path;
}

static double error_with(const struct fault *fault) {
    char dir[] = "/tmp/paced-fault-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *path = plant(dir, fault);
    struct paced_device *device;
    double error = 0;
    setenv("PACED_CL_DIR", dir, 1);
    enum paced_err err = paced_device_open(&device, &(struct paced_device_options){.select = "auto"});
    if (!err) err = small_network_error(device, &error);
    unsetenv("PACED_CL_DIR");
    paced_device_close(device);
    unlink(path);
    rmdir(dir);
    free(path);
    assert_int_equal(err, PACED_OK);
    return error;
}

static void test_faults(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(faults); ++i) {
        double error = error_with(&faults[i]);
        print_message("%s: %s: relative error %.3g\n", faults[i].file, faults[i].wrong, error);
        assert_true(error > SMALL_NETWORK_BOUND);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_correct),
    cmocka_unit_test(test_faults),
};
HARNESS_MAIN(tests)
