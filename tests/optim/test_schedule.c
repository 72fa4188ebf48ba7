/* Learning rates per epoch. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "paced/config.h"
#include "paced/optim.h"

static void assert_lr(const struct paced_config *config, int epoch, double want) {
    double got = paced_schedule_lr(&config->train, epoch);
    if (fabs(got - want) <= 4e-14 * want) return;
    print_error("epoch %d: lr is %.17g, not %.17g\n", epoch, got, want);
    fail();
}

/* Default of the reference: a factor of 0.1 every seven epochs. */
static void test_step(void **state) {
    (void)state;
    const struct paced_config config = {
        .train = {.schedule = PACED_SCHEDULE_STEP, .lr = 0.003, .step = 7, .gamma = 0.1}};
    assert_lr(&config, 0, 0.003);
    assert_lr(&config, 6, 0.003);
    assert_lr(&config, 7, 0.0003);
    assert_lr(&config, 13, 0.0003);
    assert_lr(&config, 14, 0.00003);
    assert_lr(&config, 99, 0.003e-14);
}

static void test_every_epoch(void **state) {
    (void)state;
    const struct paced_config config = {.train = {.schedule = PACED_SCHEDULE_STEP, .lr = 1, .step = 1, .gamma = 0.5}};
    for (int epoch = 0; epoch < 20; ++epoch) assert_lr(&config, epoch, ldexp(1, -epoch));
}

/* Half the rate after half the epochs; above zero in the last epoch. */
static void test_cosine(void **state) {
    (void)state;
    const struct paced_config config = {.train = {.schedule = PACED_SCHEDULE_COSINE, .lr = 0.02, .epochs = 12}};
    assert_lr(&config, 0, 0.02);
    assert_lr(&config, 4, 0.015);
    assert_lr(&config, 6, 0.01);
    assert_lr(&config, 8, 0.005);
    assert_lr(&config, 11, 0.01 * (1 - sqrt(2 + sqrt(3)) / 2));
}

static void test_poly(void **state) {
    (void)state;
    struct paced_config config = {.train = {.schedule = PACED_SCHEDULE_POLY, .lr = 0.01, .epochs = 4, .power = 2}};
    assert_lr(&config, 0, 0.01);
    assert_lr(&config, 1, 0.005625);
    assert_lr(&config, 2, 0.0025);
    assert_lr(&config, 3, 0.000625);
    config.train.power = 0.5;
    assert_lr(&config, 3, 0.005);
}

static void test_no_decay(void **state) {
    (void)state;
    const struct paced_config flat = {.train = {.schedule = PACED_SCHEDULE_STEP, .lr = 0.01, .step = 3, .gamma = 1}};
    const struct paced_config constant = {
        .train = {.schedule = PACED_SCHEDULE_CONSTANT, .lr = 0.01, .step = 3, .gamma = 0.1}};
    for (int epoch = 0; epoch < 100; epoch += 9) {
        assert_lr(&flat, epoch, 0.01);
        assert_lr(&constant, epoch, 0.01);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step), cmocka_unit_test(test_every_epoch), cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_poly), cmocka_unit_test(test_no_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
