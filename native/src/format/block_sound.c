// SPDX-License-Identifier: Apache-2.0
/*
 * Whether blocks hold numbers: scales that are NaN or infinite come from damaged files or hostile ones, and would
 * poison everything that is computed with them.
 */
#include <string.h>

#include "format/block.h"
#include "format/bytes.h"

/* Where a block's half-precision scales and minimums are. */
static const struct { uint8_t count, at[2]; } block_halves[] = {
    [BLOCK_F16] = {1, {0}},       [BLOCK_Q4_0] = {1, {0}},    [BLOCK_Q4_1] = {2, {0, 2}},  [BLOCK_Q5_0] = {1, {0}},
    [BLOCK_Q5_1] = {2, {0, 2}},   [BLOCK_Q8_0] = {1, {0}},    [BLOCK_Q2_K] = {2, {80, 82}}, [BLOCK_Q3_K] = {1, {108}},
    [BLOCK_Q4_K] = {2, {0, 2}},   [BLOCK_Q5_K] = {2, {0, 2}}, [BLOCK_Q6_K] = {1, {208}},   [BLOCK_IQ4_NL] = {1, {0}},
    [BLOCK_IQ4_XS] = {1, {0}}};

static size_t unsound_halves(const uint8_t *blocks, size_t count, size_t each, const uint8_t *at, size_t halves) {
    for (size_t i = 0; i < count; i++)
        for (size_t h = 0; h < halves; h++)
            if ((bytes_u16(blocks + i * each + at[h]) & 0x7C00) == 0x7C00) return i;
    return count;
}

/* 4 bytes a number, or the upper two of them; chunks first, so that sound ones are passed at the memory's pace. */
static size_t unsound_floats(const uint8_t *numbers, size_t count, size_t each) {
    const size_t chunk = 256;
    for (size_t begin = 0; begin < count; begin += chunk) {
        size_t end = count - begin < chunk ? count : begin + chunk;
        uint32_t found = 0;
        for (size_t i = begin; i < end; i++) {
            uint16_t upper;
            memcpy(&upper, numbers + i * each + each - 2, sizeof upper);
            found |= (upper & 0x7F80) == 0x7F80;
        }
        for (size_t i = begin; found && i < end; i++)
            if ((bytes_u16(numbers + i * each + each - 2) & 0x7F80) == 0x7F80) return i;
    }
    return count;
}

size_t block_unsound(uint32_t type, const uint8_t *blocks, size_t count) {
    const block_format *format = block_find(type);
    if (!format) return count;
    if (type == BLOCK_F32 || type == BLOCK_BF16) return unsound_floats(blocks, count, format->bytes);
    if (type == BLOCK_MXFP4) { /* the largest exponent stands for NaN */
        for (size_t i = 0; i < count; i++)
            if (blocks[i * format->bytes] == 0xFF) return i;
        return count;
    }
    if (type >= sizeof block_halves / sizeof *block_halves) return count;
    return unsound_halves(blocks, count, format->bytes, block_halves[type].at, block_halves[type].count);
}
