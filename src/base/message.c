/* message: messages in the wire format of protocol buffers, written field by field.
 *
 * A field is a key, number << 3 | type, as a varint (7 bits per byte, low bits first, the top bit set in all bytes but
 * the last), then its value: a varint (type 0), 8 bytes (1), a length and that many bytes (2), or 4 bytes (5);
 * little-endian. Source: protobuf.dev/programming-guides/encoding. */
#include "paced/base.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 5 };

static void append(struct paced_message *message, const void *data, size_t size) {
    if (message->capacity - message->size < size) {
        message->capacity = 2 * (message->size + size);
        message->bytes = paced_grow(message->bytes, message->capacity, 1);
    }
    if (size) memcpy(message->bytes + message->size, data, size);
    message->size += size;
}

static void append_varint(struct paced_message *message, uint64_t value) {
    uint8_t bytes[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7) bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    append(message, bytes, count);
}

static void append_fixed(struct paced_message *message, uint64_t bits, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; ++i) bytes[i] = (uint8_t)(bits >> (8 * i));
    append(message, bytes, size);
}

static void append_key(struct paced_message *message, int field, int type) {
    append_varint(message, (uint64_t)field << 3 | (uint64_t)type);
}

void paced_message_integer(struct paced_message *message, int field, int64_t value) {
    append_key(message, field, VARINT);
    append_varint(message, (uint64_t)value);
}

void paced_message_float(struct paced_message *message, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_key(message, field, FOUR_BYTES);
    append_fixed(message, bits, sizeof bits);
}

void paced_message_double(struct paced_message *message, int field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_key(message, field, EIGHT_BYTES);
    append_fixed(message, bits, sizeof bits);
}

void paced_message_bytes(struct paced_message *message, int field, const void *data, size_t size) {
    append_key(message, field, LENGTH);
    append_varint(message, size);
    append(message, data, size);
}

void paced_message_text(struct paced_message *message, int field, const char *text) {
    paced_message_bytes(message, field, text, strlen(text));
}

void paced_message_nested(struct paced_message *message, int field, struct paced_message *inner) {
    paced_message_bytes(message, field, inner->bytes, inner->size);
    paced_message_finish(inner);
}

void paced_message_finish(struct paced_message *message) {
    free(message->bytes);
    *message = (struct paced_message){0};
}
