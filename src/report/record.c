/* record: TFRecord framing and its checksum.
 *
 * CRC-32C uses the polynomial 0x1edc6f41, bits reflected (0x82f63b78), with one table lookup per byte.
 * Sources: RFC 3720, appendix B.4 (polynomial and check values); TensorFlow's record format
 * (www.tensorflow.org/tutorials/load_data/tfrecord). */
#include "src/report/record.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[256];

static void fill_table(void) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? 0x82f63b78u : 0);
        table[byte] = rest;
    }
}

uint32_t crc32c(const void *data, size_t size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_table);
    const uint8_t *bytes = data;
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; ++i) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

static uint32_t masked_crc32c(const void *data, size_t size) {
    uint32_t crc = crc32c(data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put(uint8_t *out, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i) out[i] = (uint8_t)(value >> (8 * i));
}

void record_add(struct paced_events *events, const void *data, size_t size) {
    events->bytes = paced_grow(events->bytes, events->size + size + 16, 1);
    uint8_t *out = events->bytes + events->size;
    put(out, size, 8);
    put(out + 8, masked_crc32c(out, 8), 4);
    memcpy(out + 12, data, size);
    put(out + 12 + size, masked_crc32c(data, size), 4);
    events->size += size + 16;
}
