/* Every reference loss, named in an INI file, against PyTorch in float64, also with ignored pixels: value and gradient
 * within 1e-5. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paced/config.h"
#include "paced/distill.h"
#include "tests/golden/golden.h"
#include "tests/square.h"

static const double BOUND = 1e-5;

static const char *const losses[] = {
    "kd",
    "curriculum",
    "ce_weighted",
    "kld_weighted",
    "both_weighted",
    "ce_aliter_weighted",
    "both_weighted_spl_per_px",
    "both_weighted_spl_per_img",
    "both_weighted_spl_per_img_max",
    "both_weighted_spl_per_px_no_alpha",
    "both_weighted_spl_per_px_no_alpha_no_weights",
};

struct golden_case {
    const struct paced_weights *golden;
    char name[32];
    const char *ini;
};

static int number(const struct golden_case *c, const char *name) {
    return golden_int(c->golden, c->name, name);
}

static struct paced_objective objective_of(const struct golden_case *c, const char *name) {
    struct paced_config config;
    struct paced_objective objective;
    char *set = paced_format("distill.loss=%s", name);
    assert_ok(paced_config_load(&config, c->ini, (const char *const[]){set}, 1));
    assert_ok(paced_objective_init(&objective, &config.distill, &config.uncertainty, &config.pacing));
    assert_string_equal(objective.name, name);
    paced_config_finish(&config);
    free(set);
    return objective;
}

/* Writes a golden tensor to the device. */
static void send(struct paced_buffer *to, const struct golden_case *c, const char *name) {
    const struct paced_entry *entry = golden_find(c->golden, c->name, name);
    if (entry->dtype == PACED_U8) {
        assert_ok(paced_buffer_write(to, entry->data, entry->bytes));
        return;
    }
    float *values = golden_floats(entry);
    assert_ok(paced_buffer_write(to, values, golden_count(entry) * sizeof *values));
    free(values);
}

static void compare(const struct golden_case *c, const char *name, double value, const float *grad) {
    char text[128];
    snprintf(text, sizeof text, "%s.value", name);
    double *want = golden_doubles(golden_find(c->golden, c->name, text));
    if (!(fabs(value - want[0]) <= BOUND * fabs(want[0])))
        fail_msg("%s.%s is %.9g, not %.9g; float32 PyTorch has %.9g", c->name, text, value, want[0], want[1]);
    free(want);
    snprintf(text, sizeof text, "%s.grad", name);
    const struct paced_entry *entry = golden_find(c->golden, c->name, text);
    want = golden_doubles(entry);
    snprintf(text, sizeof text, "%s.%s.grad", c->name, name);
    assert_close(text, grad, want, golden_count(entry), BOUND);
    free(want);
}

/* A run with another mu comes first and must not leave any trace. */
static void check(const struct golden_case *c, const char *name, const struct paced_objective *objective) {
    int n = number(c, "n"), size = number(c, "size"), classes = number(c, "classes");
    double mu = golden_number(c->golden, c->name, "mu"), pixels = (double)n * size * size;
    uint64_t bytes = (uint64_t)pixels * (uint64_t)classes * sizeof(float);
    const uint8_t *labels = golden_find(c->golden, c->name, "y")->data;
    struct paced_loss *loss;
    struct paced_loss_sums sums;
    struct paced_buffer *s, *ds;
    assert_ok(paced_loss_create(&loss, harness_device, objective, true, n, square(size), classes));
    assert_ok(paced_buffer_create(&s, harness_device, bytes));
    assert_ok(paced_buffer_create(&ds, harness_device, bytes));
    send(s, c, "s");
    send(paced_loss_teacher(loss), c, "t");
    assert_ok(paced_loss_write_labels(loss, labels, n));
    for (int run = 0; run < 2; ++run) {
        assert_ok(paced_loss_set_epoch(loss, run ? mu : 1 - mu, 1));
        assert_ok(paced_loss_run(loss, s, n, ds));
        assert_ok(paced_loss_read_later(loss, n));
        assert_ok(paced_loss_wait(loss, &sums));
    }
    float *grad = read_floats(ds, bytes / sizeof(float));
    assert_true(sums.pixels == (double)paced_counted(labels, (size_t)pixels));
    compare(c, name, sums.loss / sums.pixels, grad);
    free(grad);
    paced_buffer_destroy(s);
    paced_buffer_destroy(ds);
    paced_loss_destroy(loss);
}

static void test_losses(void **state) {
    (void)state;
    char ini[] = "/tmp/paced-golden-XXXXXX";
    static const char text[] = "[distill]\nteacher = teacher.safetensors\n";
    int file = mkstemp(ini);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    struct paced_weights golden = golden_read("distill.safetensors");
    int count = golden_cases(&golden, "case");
    assert_int_equal(count, 9);
    for (int i = 0; i < count; ++i) {
        struct golden_case c = {.golden = &golden, .ini = ini};
        snprintf(c.name, sizeof c.name, "case.%d", i);
        for (size_t k = 0; k < PACED_COUNT(losses); ++k) {
            const struct paced_objective objective = objective_of(&c, losses[k]);
            check(&c, losses[k], &objective);
        }
        const struct paced_objective plain = paced_objective_plain();
        if (i >= 7) check(&c, "ce", &plain); /* the cases with ignored pixels */
    }
    paced_weights_finish(&golden);
    unlink(ini);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_losses)};
HARNESS_MAIN(tests)
