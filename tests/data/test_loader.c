/* The loader: order, sizes and contents of batches, resuming, any number of workers, early exit, and
 * errors in order. */
#include "helper.h"
#include "paced/config.h"

enum { S = 8, SAMPLES = 11, BATCH = 3, PIXELS = S * S };

static struct paced_dataset *dataset;
static char root_path[80], split_path[80];

/* Sample i is grey 10 * i, all foreground if i is odd. Sample `broken` (if any) has no image. */
static struct paced_dataset *open_samples(int broken) {
    struct paced_text json = {0};
    uint8_t pixels[PIXELS];
    char name[32];
    for (int i = 0; i < SAMPLES; ++i) {
        paced_text_add(&json, "%s[\"%d%s.png\", \"%d_mask.png\"]", i == 0 ? "[" : ",", i, i == broken ? "x" : "", i);
        memset(pixels, 10 * i, sizeof pixels);
        snprintf(name, sizeof name, "%d.png", i);
        assert_int_equal(paced_png_write(at(name), S, S, 1, pixels), PACED_OK);
        memset(pixels, i % 2 ? 255 : 0, sizeof pixels);
        snprintf(name, sizeof name, "%d_mask.png", i);
        assert_int_equal(paced_png_write(at(name), S, S, 1, pixels), PACED_OK);
    }
    paced_text_add(&json, "]");
    put_text("split.json", json.data);
    free(json.data);
    snprintf(root_path, sizeof root_path, "%s", test_dir);
    snprintf(split_path, sizeof split_path, "%s/split.json", test_dir);
    struct paced_config config = {
        .data = {.dataset = PACED_DATA_BUS, .root = root_path, .train = split_path, .classes = 2, .size = {S, S}}};
    struct paced_dataset *d;
    assert_int_equal(paced_dataset_open(&d, &config.data, PACED_TRAIN), PACED_OK);
    return d;
}

static int open_all(void **state) {
    if (enter_dir(state) != 0) return -1;
    dataset = open_samples(-1);
    return 0;
}

static int close_all(void **state) {
    paced_dataset_close(dataset);
    return leave_dir(state);
}

static const uint32_t order[SAMPLES] = {4, 0, 10, 7, 7, 1, 9, 3, 2, 8, 5};

static struct paced_loader *open_loader(size_t first_batch, int workers) {
    struct paced_loader *l;
    assert_int_equal(paced_loader_create(&l, dataset, order, SAMPLES, BATCH, first_batch, workers, NULL), PACED_OK);
    return l;
}

static void check_batch(const struct paced_batch *b, size_t number) {
    const size_t first = number * BATCH;
    assert_int_equal(b->count, SAMPLES - first < BATCH ? SAMPLES - first : BATCH);
    for (size_t n = 0; n < (size_t)b->count; ++n) {
        const uint32_t sample = order[first + n];
        assert_int_equal(b->index[n], sample);
        const float grey = (float)(10 * sample) / 255.0f;
        for (size_t i = 0; i < PIXELS; ++i) {
            assert_int_equal(b->labels[n * PIXELS + i], sample % 2);
            for (size_t c = 0; c < 3; ++c)
                assert_memory_equal(&b->images[(n * PIXELS + i) * 3 + c], &grey, sizeof grey);
        }
    }
}

static void check_run(size_t first_batch, int workers) {
    struct paced_loader *l = open_loader(first_batch, workers);
    struct paced_batch *b;
    for (size_t number = first_batch; number < 4; ++number) {
        assert_int_equal(paced_loader_next(l, &b), PACED_OK);
        assert_non_null(b);
        check_batch(b, number);
        paced_loader_release(l, b);
    }
    for (int again = 0; again < 2; ++again) {
        assert_int_equal(paced_loader_next(l, &b), PACED_OK);
        assert_null(b);
    }
    paced_loader_destroy(l);
}

static void test_order_for_any_workers(void **state) {
    (void)state;
    for (int workers = 0; workers <= 5; ++workers)
        for (size_t first = 0; first <= 5; ++first) check_run(first, workers);
}

/* One batch may be held while all the others pass: the oldest buffer must not block the ring. */
static void test_two_held(void **state) {
    (void)state;
    for (int workers = 1; workers <= 3; ++workers) {
        struct paced_loader *l = open_loader(0, workers);
        struct paced_batch *kept, *b, *third;
        assert_int_equal(paced_loader_next(l, &kept), PACED_OK);
        for (size_t number = 1; number < 4; ++number) {
            assert_int_equal(paced_loader_next(l, &b), PACED_OK);
            check_batch(kept, 0);
            check_batch(b, number);
            if (number == 1) {
                hush();
                enum paced_err err = paced_loader_next(l, &third);
                assert_says(unhush(), "held already");
                assert_int_equal(err, PACED_FAILED);
            }
            paced_loader_release(l, b);
        }
        paced_loader_release(l, kept);
        paced_loader_destroy(l);
    }
}

static void test_leaving_at_any_moment(void **state) {
    (void)state;
    paced_loader_destroy(NULL);
    for (int round = 0; round < 60; ++round) {
        struct paced_loader *l = open_loader(0, 1 + round % 3);
        struct paced_batch *b;
        for (int taken = 0; taken < round % 3; ++taken) assert_int_equal(paced_loader_next(l, &b), PACED_OK);
        paced_loader_destroy(l); /* with 0, 1 or 2 batches held */
    }
}

/* The batches before the broken sample arrive; its batch returns the error, repeatedly; then destroy succeeds. */
static void test_error_in_its_place(void **state) {
    (void)state;
    struct paced_dataset *broken = open_samples(9); /* order[6]: batch 2 */
    for (int workers = 1; workers <= 3; ++workers) {
        struct paced_loader *l;
        struct paced_batch *b;
        hush();
        assert_int_equal(paced_loader_create(&l, broken, order, SAMPLES, BATCH, 0, workers, NULL), PACED_OK);
        for (size_t number = 0; number < 2; ++number) {
            assert_int_equal(paced_loader_next(l, &b), PACED_OK);
            check_batch(b, number);
            paced_loader_release(l, b);
        }
        for (int again = 0; again < 2; ++again) {
            assert_int_equal(paced_loader_next(l, &b), PACED_INVALID);
            assert_null(b);
        }
        paced_loader_destroy(l);
        const char *said = unhush();
        assert_says(said, "split.json: entry 10: ");
        assert_says(said, "9x.png");
        assert_int_equal(count_of(said, "paced: "), 1);
    }
    paced_dataset_close(broken);
}

/* The change depends on the sample, not on its batch or thread. */
static enum paced_err mark_sample(const void *context, size_t sample, struct paced_extent extent, float *rgb,
                                  uint8_t *label) {
    rgb[0] = (float)sample + *(const float *)context;
    label[paced_extent_pixels(extent) - 1] = (uint8_t)(100 + sample);
    return PACED_OK;
}

static void test_changed_samples(void **state) {
    (void)state;
    const float half = 0.5F;
    const struct paced_change change = {mark_sample, &half};
    for (int workers = 1; workers <= 3; ++workers) {
        struct paced_loader *l;
        struct paced_batch *b;
        assert_int_equal(paced_loader_create(&l, dataset, order, SAMPLES, BATCH, 0, workers, &change), PACED_OK);
        while (paced_loader_next(l, &b) == PACED_OK && b != NULL) {
            for (size_t n = 0; n < (size_t)b->count; ++n) {
                assert_true(b->images[n * 3 * PIXELS] == (float)b->index[n] + half);
                assert_int_equal(b->labels[(n + 1) * PIXELS - 1], 100 + b->index[n]);
            }
            paced_loader_release(l, b);
        }
        paced_loader_destroy(l);
    }
    check_run(0, 2); /* the data set itself is unchanged */
}

static void test_bad_arguments(void **state) {
    (void)state;
    const uint32_t outside[] = {0, SAMPLES};
    struct paced_loader *l;
    hush();
    enum paced_err first = paced_loader_create(&l, dataset, outside, 2, BATCH, 0, 1, NULL);
    enum paced_err second = paced_loader_create(&l, dataset, order, SAMPLES, 0, 0, 1, NULL);
    assert_says(unhush(), "sample 11");
    assert_int_equal(first, PACED_INVALID);
    assert_int_equal(second, PACED_INVALID);
    assert_null(l);
}

static void test_nothing_to_deliver(void **state) {
    (void)state;
    struct paced_loader *l;
    struct paced_batch *b;
    assert_int_equal(paced_loader_create(&l, dataset, NULL, 0, BATCH, 0, 2, NULL), PACED_OK);
    assert_int_equal(paced_loader_next(l, &b), PACED_OK);
    assert_null(b);
    paced_loader_destroy(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_for_any_workers), cmocka_unit_test(test_two_held),
        cmocka_unit_test(test_leaving_at_any_moment), cmocka_unit_test(test_error_in_its_place),
        cmocka_unit_test(test_changed_samples),       cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_nothing_to_deliver),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
