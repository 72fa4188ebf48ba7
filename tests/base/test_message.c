/* Protocol buffer messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/base.h"

/* Bytes from the format's documentation, and a negative number, which takes ten bytes. */
static void test_message(void **state) {
    (void)state;
    struct paced_message inner = {0}, message = {0};
    paced_message_integer(&inner, 1, 150);
    paced_message_nested(&message, 3, &inner);
    assert_null(inner.bytes);
    paced_message_text(&message, 2, "testing");
    paced_message_float(&message, 5, 1.5f);
    paced_message_double(&message, 16, -2.0);
    paced_message_integer(&message, 4, -1);
    static const uint8_t expected[] = {0x1a, 3,    0x08, 0x96, 0x01,                               /* 3: {1: 150} */
                                       0x12, 7,    't',  'e',  's',  't',  'i',  'n',  'g',        /* 2: "testing" */
                                       0x2d, 0,    0,    0xc0, 0x3f,                               /* 5: 1.5f */
                                       0x81, 0x01, 0,    0,    0,    0,    0,    0,    0,    0xc0, /* 16: -2.0 */
                                       0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    assert_int_equal(message.size, sizeof expected);
    assert_memory_equal(message.bytes, expected, sizeof expected);
    paced_message_finish(&message);
    assert_null(message.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
