/* TFRecord, the framing of TensorBoard's event files. Private to the report room. */
#ifndef PACED_REPORT_RECORD_H
#define PACED_REPORT_RECORD_H

#include "paced/report.h"

/* CRC-32C (Castagnoli), as of RFC 3720. */
uint32_t crc32c(const void *data, size_t size);

/* Adds one record: its size (8 bytes, as all little-endian), the size's masked CRC (4), the data, its masked CRC (4).
 * masked = rotate_right(crc, 15) + 0xa282ead8, so that the CRC of data that holds CRCs is a sound one. */
void record_add(struct paced_events *events, const void *data, size_t size);

#endif
