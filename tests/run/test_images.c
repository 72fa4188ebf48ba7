/* The visit of images, stopped by Ctrl-C. */
#include "tests/data/helper.h"

#include <signal.h>

#include "src/run/predict/images.h"

enum { IMAGES = 3 };

static struct images some_images(void) {
    struct images images = {paced_alloc(IMAGES, sizeof *images.paths), IMAGES, 0};
    for (size_t i = 0; i < IMAGES; ++i) {
        images.paths[i] = paced_format("%s/%zu.png", test_dir, i);
        assert_int_equal(paced_png_write(images.paths[i], 1, 1, 1, (const uint8_t[]){0}), PACED_OK);
    }
    return images;
}

/* Counts its calls, and stops the program in the call `stop`. */
struct visits {
    size_t count, stop;
};

static enum paced_err visit(void *context, const char *path, const struct paced_image *image) {
    struct visits *v = context;
    (void)path;
    assert_int_equal(image->width, 1);
    if (++v->count != v->stop) return PACED_OK;
    kill(getpid(), SIGTERM);
    while (!paced_stop_asked()) usleep(1000); /* the thread that waits for signals sets it */
    return PACED_OK;
}

/* After the last image nothing is left to stop. Later, the flag stops a visit before its first image. */
static void test_stop(void **state) {
    (void)state;
    struct images images = some_images();
    struct visits last = {.stop = IMAGES}, none = {0};
    paced_catch_stop();
    assert_int_equal(images_visit(&images, "test", visit, &last), PACED_OK);
    assert_true(paced_stop_asked());
    assert_int_equal(last.count, IMAGES);
    assert_int_equal(images.count, IMAGES);
    assert_int_equal(images_visit(&images, "test", visit, &none), PACED_STOPPED);
    assert_int_equal(none.count, 0);
    assert_int_equal(images.count, IMAGES);
    images_finish(&images);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_stop, enter_dir, leave_dir)};
    return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
