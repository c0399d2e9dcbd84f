// SPDX-License-Identifier: Apache-2.0
/* IEEE half and bfloat16 by integers alone: the same bits whatever the processor. */
#include "base/math.h"

static uint32_t bits_of(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static float float_of(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

float math_from_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = (h >> 10) & 0x1Fu, mantissa = h & 0x3FFu;
    if (exponent == 0x1F) return float_of(sign | 0x7F800000u | mantissa << 13);
    if (exponent == 0) {
        float denormal = (float)mantissa * 0x1p-24f; /* exact */
        return float_of(sign | bits_of(denormal));
    }
    return float_of(sign | (exponent + 112u) << 23 | mantissa << 13);
}

uint16_t math_to_half(float x) {
    const uint32_t largest = 0x7BFFu; /* 65504 */
    uint32_t u = bits_of(x);
    uint32_t sign = (u >> 16) & 0x8000u, magnitude = u & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return (uint16_t)(sign | 0x7E00u | ((magnitude >> 13) & 0x1FFu));
    if (magnitude >= 0x38800000u) { /* at least 2^-14: normal in half */
        uint32_t h = (magnitude - 0x38000000u) + 0xFFFu + ((magnitude >> 13) & 1u);
        h >>= 13;
        return (uint16_t)(sign | (h < largest ? h : largest));
    }
    uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return (uint16_t)sign; /* below 2^-25: nearer to 0 */
    uint32_t mantissa = (magnitude & 0x007FFFFFu) | 0x00800000u;
    uint32_t shift = 126u - exponent; /* 14 to 24: the value is mantissa * 2^(exponent - 150), the unit 2^-24 */
    uint32_t kept = mantissa >> shift, rest = mantissa & ((1u << shift) - 1u), half = 1u << (shift - 1u);
    if (rest > half || (rest == half && (kept & 1u))) kept++;
    return (uint16_t)(sign | kept);
}

float math_from_bfloat(uint16_t b) { return float_of((uint32_t)b << 16); }

uint16_t math_to_bfloat(float x) {
    uint32_t u = bits_of(x);
    if ((u & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(u >> 16 | 0x0040u);
    return (uint16_t)((u + 0x7FFFu + ((u >> 16) & 1u)) >> 16);
}
