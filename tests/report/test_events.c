/* Event files: checksums against published values, framing byte by byte, and the contents of each record.
 * tests/e2e/test_tensorboard.py reads them with TensorBoard itself. */
#include "paced/report.h"
#include "src/report/record.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- checksum and framing ------------------------------------------------------------------------------------ */

/* Check values of RFC 3720, appendix B.4, and of the catalogue of CRCs for "123456789". */
static void test_crc(void **state) {
    uint8_t bytes[32] = {0};
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c("", 0), 0);
    assert_int_equal(crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(crc32c(bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; ++i) bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(bytes, 32), 0x46dd794e);
    for (int i = 0; i < 32; ++i) bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(bytes, 32), 0x113fdb5c);
}

static uint64_t number(const uint8_t *bytes, int size) {
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i) value = value << 8 | bytes[i];
    return value;
}

static uint32_t masked(const void *data, size_t size) {
    uint32_t crc = crc32c(data, size);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

/* Data of the next record, with its checksums verified; *at moves past it. NULL at the end. */
static const uint8_t *next_record(const struct paced_events *events, size_t *at, size_t *size) {
    if (*at == events->size) return NULL;
    assert_true(events->size - *at >= 16);
    const uint8_t *record = events->bytes + *at;
    *size = (size_t)number(record, 8);
    assert_true(*size <= events->size - *at - 16);
    assert_int_equal(number(record + 8, 4), masked(record, 8));
    assert_int_equal(number(record + 12 + *size, 4), masked(record + 12, *size));
    *at += *size + 16;
    return record + 12;
}

static void test_records(void **state) {
    struct paced_events events = {0};
    record_add(&events, "abc", 3);
    record_add(&events, "", 0);
    size_t at = 0, size;
    const uint8_t *data = next_record(&events, &at, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "abc", 3);
    assert_non_null(next_record(&events, &at, &size));
    assert_int_equal(size, 0);
    assert_null(next_record(&events, &at, &size));
    paced_events_finish(&events);
    assert_null(events.bytes);
}

/* ---- events -------------------------------------------------------------------------------------------------- */

/* True if the record contains these bytes. */
static bool holds(const uint8_t *data, size_t size, const void *bytes, size_t count) {
    for (size_t i = 0; i + count <= size; ++i)
        if (memcmp(data + i, bytes, count) == 0) return true;
    return false;
}

/* True if the record contains Value { tag 1, simple_value 2 }. */
static bool has_scalar(const uint8_t *data, size_t size, const char *tag, float value) {
    struct paced_message message = {0};
    paced_message_text(&message, 1, tag);
    paced_message_float(&message, 2, value);
    bool found = holds(data, size, message.bytes, message.size);
    paced_message_finish(&message);
    return found;
}

static bool has_tag(const uint8_t *data, size_t size, const char *tag) {
    return holds(data, size, tag, strlen(tag));
}

/* Checks Event { wall_time 1, step 2 } at the beginning of the record. */
static void check_place(const uint8_t *data, size_t size, double time, int64_t step) {
    struct paced_message message = {0};
    paced_message_double(&message, 1, time);
    paced_message_integer(&message, 2, step);
    assert_true(size >= message.size);
    assert_memory_equal(data, message.bytes, message.size);
    paced_message_finish(&message);
}

static struct paced_run_log two_epochs(void) {
    struct paced_run_log log = {0};
    for (int epoch = 1; epoch <= 2; ++epoch) {
        struct paced_log_row train = {.epoch = epoch,
                                      .phase = "train",
                                      .measures.loss = 0.5 * epoch,
                                      .measures.ce = 0.25,
                                      .measures.kld = NAN,
                                      .measures.lr = 0.003,
                                      .measures.mu = NAN,
                                      .measures.admitted = NAN,
                                      .measures.seconds = 10};
        struct paced_log_row val = train;
        val.phase = "val";
        val.measures.loss = 0.75;
        val.measures.ce = 0.125 * epoch;
        val.measures.dice = 0.5;
        val.measures.seconds = 2.5;
        if (epoch == 2) train.measures.mu = val.measures.mu = 0.375, train.measures.admitted = 0.625;
        paced_run_log_add(&log, &train);
        paced_run_log_add(&log, &val);
    }
    return log;
}

static void test_epochs(void **state) {
    struct paced_run_log log = two_epochs();
    struct paced_events events = {0};
    for (int epoch = 1; epoch <= 2; ++epoch) paced_events_add_epoch(&events, 1000, &log, epoch);
    size_t at = 0, size;
    const uint8_t *data = next_record(&events, &at, &size);
    check_place(data, size, 1012.5, 1);
    assert_true(has_scalar(data, size, "logs/train_loss", 0.25f));
    assert_true(has_scalar(data, size, "logs/train_objective", 0.5f));
    assert_true(has_scalar(data, size, "logs/val_loss", 0.125f));
    assert_true(has_scalar(data, size, "logs/val_objective", 0.75f));
    assert_true(has_scalar(data, size, "logs/lr", 0.003f));
    assert_true(has_scalar(data, size, "logs/metric_dice", 0.5f));
    assert_false(has_tag(data, size, "ckd/mu") || has_tag(data, size, "spl/data_in_train"));
    assert_false(has_tag(data, size, "hd95"));
    data = next_record(&events, &at, &size);
    check_place(data, size, 1025, 2);
    assert_true(has_scalar(data, size, "ckd/mu", 0.375f));
    assert_true(has_scalar(data, size, "spl/data_in_train", 0.625f));
    assert_null(next_record(&events, &at, &size));
    paced_events_finish(&events);
    paced_run_log_finish(&log);
}

static void test_picture(void **state) {
    struct paced_canvas canvas = paced_canvas_create(5, 4, 0x123456);
    struct paced_events events = {0};
    uint8_t *png;
    size_t bytes, at = 0, size;
    assert_int_equal(paced_events_add_picture(&events, 7, 3, "overlays/a.png", &canvas), PACED_OK);
    assert_int_equal(paced_canvas_encode(&canvas, &png, &bytes), PACED_OK);
    const uint8_t *data = next_record(&events, &at, &size);
    check_place(data, size, 7, 3);
    struct paced_message image = {0};
    paced_message_integer(&image, 1, 4);
    paced_message_integer(&image, 2, 5);
    paced_message_integer(&image, 3, 3);
    paced_message_bytes(&image, 4, png, bytes);
    assert_true(holds(data, size, image.bytes, image.size));
    assert_true(has_tag(data, size, "overlays/a.png"));
    paced_message_finish(&image);
    free(png);
    paced_events_finish(&events);
    paced_canvas_finish(&canvas);
}

static void test_begin_and_end(void **state) {
    char lr[] = "train.lr", rate[] = "0.125", method[] = "distill.method", pcd[] = "pcd";
    struct paced_setting parameters[] = {{lr, rate}, {method, pcd}};
    struct paced_events events = {0};
    paced_events_begin(&events, 1000, &(struct paced_settings){parameters, PACED_COUNT(parameters)});
    paced_events_end(&events, 2000);
    size_t at = 0, size;
    const uint8_t *data = next_record(&events, &at, &size);
    assert_true(has_tag(data, size, "brain.Event:2"));
    data = next_record(&events, &at, &size);
    check_place(data, size, 1000, 0);
    assert_true(has_tag(data, size, "_hparams_/session_start_info"));
    struct paced_message number_value = {0}, entry = {0}; /* map entry: key 1, value 2 {number_value 2} */
    paced_message_double(&number_value, 2, 0.125);
    paced_message_text(&entry, 1, "train.lr");
    paced_message_nested(&entry, 2, &number_value);
    assert_true(holds(data, size, entry.bytes, entry.size));
    assert_true(holds(data, size, "\x1a\x03pcd", 5)); /* string_value 3 */
    data = next_record(&events, &at, &size);
    check_place(data, size, 2000, 0);
    assert_true(has_tag(data, size, "_hparams_/session_end_info"));
    assert_null(next_record(&events, &at, &size));
    paced_message_finish(&entry);
    paced_events_finish(&events);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),     cmocka_unit_test(test_records),       cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_picture), cmocka_unit_test(test_begin_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
