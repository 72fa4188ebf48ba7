/* Random numbers against reference values of an independent implementation of the published algorithms; the state {1,
 * 2, 3, 4} gives the well-known first outputs of xoshiro256**. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_rng_reference(void **state) {
    (void)state;
    struct paced_rng rng = {{1, 2, 3, 4}};
    static const uint64_t known[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    for (size_t i = 0; i < PACED_COUNT(known); ++i) assert_true(paced_rng_next(&rng) == known[i]);

    static const struct {
        uint64_t seed, stream, values[3];
    } seeded[] = {
        {12345, 0, {0x720ee7881a7fea40, 0x485a7cf90393f0df, 0x86cdcdb092e3ede9}},
        {12345, 1, {0x7434351d06368c07, 0xd435680a5cfe43f4, 0x43aa56c73c68c9cc}},
        {0, 0, {0xfb5405f7bd79c540, 0x780c98e26cea5883, 0x2a146e0980febc66}},
        {UINT64_MAX, 7, {0xd462b6158c719d40, 0x13996d876c18be87, 0x889bca4975ae69e0}},
    };
    for (size_t i = 0; i < PACED_COUNT(seeded); ++i) {
        paced_rng_seed(&rng, seeded[i].seed, seeded[i].stream);
        for (int j = 0; j < 3; ++j) assert_true(paced_rng_next(&rng) == seeded[i].values[j]);
    }
}

static void test_rng_real(void **state) {
    (void)state;
    struct paced_rng rng;
    static const double uniform[] = {0.44553992340888693, 0.2826307399696615, 0.5265778118217807};
    paced_rng_seed(&rng, 12345, 0);
    for (int i = 0; i < 3; ++i) assert_true(paced_rng_uniform(&rng) == uniform[i]);
    static const double normal[] = {-0.22111221373544251, -0.5604621731594698, 1.353604424447491};
    paced_rng_seed(&rng, 12345, 0);
    for (int i = 0; i < 3; ++i) assert_true(fabs(paced_rng_normal(&rng) - normal[i]) < 1e-14);

    enum { COUNT = 20000 };
    double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; ++i) {
        double x = paced_rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / COUNT) < 4 / sqrt(COUNT));
    assert_true(fabs(squares / COUNT - 1) < 4 * sqrt(2.0 / COUNT));
}

static void test_rng_whole(void **state) {
    (void)state;
    struct paced_rng rng;
    paced_rng_seed(&rng, 12345, 3);
    static const uint32_t tens[] = {2, 9, 5, 2, 2, 3, 9, 3, 1, 8};
    for (size_t i = 0; i < PACED_COUNT(tens); ++i) assert_int_equal(paced_rng_below(&rng, 10), tens[i]);
    static const uint32_t large[] = {2199285713, 2182347219, 1717216939, 2447798827};
    for (size_t i = 0; i < PACED_COUNT(large); ++i) assert_int_equal(paced_rng_below(&rng, 3000000000U), large[i]);
    assert_int_equal(paced_rng_below(&rng, 1), 0);

    uint32_t items[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint32_t shuffled[] = {5, 1, 8, 0, 7, 9, 6, 4, 2, 3};
    paced_rng_seed(&rng, 7, 2);
    paced_rng_shuffle(&rng, items, 10);
    assert_memory_equal(items, shuffled, sizeof items);
    struct paced_rng before = rng;
    paced_rng_shuffle(&rng, items, 1);
    paced_rng_shuffle(&rng, NULL, 0);
    assert_memory_equal(&rng, &before, sizeof rng);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_reference),
        cmocka_unit_test(test_rng_real),
        cmocka_unit_test(test_rng_whole),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
