/* element: conversion of the elements of PyTorch's storages to float32 and int64. */
#include "src/weights/element.h"

#include <string.h>

static void copy4(const uint8_t *from, uint8_t *to) {
    memcpy(to, from, 4);
}

static void copy8(const uint8_t *from, uint8_t *to) {
    memcpy(to, from, 8);
}

static void from_double(const uint8_t *from, uint8_t *to) {
    double wide;
    memcpy(&wide, from, sizeof(wide));
    float value = (float)wide;
    memcpy(to, &value, sizeof(value));
}

/* bfloat16 is the upper half of a float32. */
static void from_bfloat16(const uint8_t *from, uint8_t *to) {
    const uint8_t bytes[4] = {0, 0, from[0], from[1]};
    memcpy(to, bytes, sizeof(bytes));
}

/* float16: sign, exponent (5 bits, bias 15; 31: infinity or NaN), mantissa (10 bits). float32: 8 (127; 255), 23. */
static void from_half(const uint8_t *from, uint8_t *to) {
    uint32_t half = (uint32_t)from[1] << 8 | from[0], exponent = half >> 10 & 31, mantissa = half & 1023;
    uint32_t sign = (half & 0x8000) << 16, bits = mantissa << 13;
    if (exponent == 31) {
        bits |= 255u << 23;
    } else if (exponent > 0) {
        bits |= (exponent + 112) << 23;
    } else {
        float small = (float)mantissa * 0x1p-24f; /* zero or subnormal in float16, normal in float32 */
        memcpy(&bits, &small, sizeof(bits));
    }
    bits |= sign;
    memcpy(to, &bits, sizeof(bits));
}

const struct element elements[ELEMENTS] = {
    {"FloatStorage", "float32", 4, PACED_F32, copy4, false},
    {"LongStorage", "int64", 8, PACED_I64, copy8, false},
    {"DoubleStorage", "float64", 8, PACED_F32, from_double, true},
    {"HalfStorage", "float16", 2, PACED_F32, from_half, true},
    {"BFloat16Storage", "bfloat16", 2, PACED_F32, from_bfloat16, true},
};
