/* TFRecord, the framing of TensorBoard event files. Private to the report module. */
#ifndef PACED_REPORT_RECORD_H
#define PACED_REPORT_RECORD_H

#include "paced/report.h"

/* CRC-32C (Castagnoli, RFC 3720). */
uint32_t crc32c(const void *data, size_t size);

/* Appends one record, all little-endian: size (8 bytes), masked CRC of the size (4), data, masked CRC of the data (4).
 * masked = rotate_right(crc, 15) + 0xa282ead8, because the CRC of data that contains its own CRC is degenerate. */
void record_add(struct paced_events *events, const void *data, size_t size);

#endif
