// SPDX-License-Identifier: Apache-2.0
/* Little-endian numbers at any address, on processors of either byte order. Compilers make single loads of these. */
#ifndef PUNA_FORMAT_BYTES_H
#define PUNA_FORMAT_BYTES_H

#include <stdint.h>

static inline uint16_t bytes_u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline uint32_t bytes_u32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t bytes_u64(const uint8_t *p) { return bytes_u32(p) | (uint64_t)bytes_u32(p + 4) << 32; }

static inline void bytes_put_u16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void bytes_put_u32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

static inline void bytes_put_u64(uint8_t *p, uint64_t v) {
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> 8 * i);
}

#endif
