// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/pack_turned.h"

#include <string.h>

#include "format/bytes.h"

/* ---- fifth bits ---- */

static uint32_t turn(uint32_t x) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t bits = (x >> i) & 0x11111111u;
        bits = (bits | bits >> 3) & 0x03030303u;
        bits = (bits | bits >> 6) & 0x000f000fu;
        out |= ((bits | bits >> 12) & 0xffu) << (8 * i);
    }
    return out;
}

static uint32_t turn_back(uint32_t x) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t bits = (x >> (8 * i)) & 0xffu;
        bits = (bits | bits << 12) & 0x000f000fu;
        bits = (bits | bits << 6) & 0x03030303u;
        out |= ((bits | bits << 3) & 0x11111111u) << i;
    }
    return out;
}

static void turn_word(const uint8_t *block, size_t at, size_t bytes, uint32_t (*way)(uint32_t), uint8_t *out) {
    memcpy(out, block, bytes);
    bytes_put_u32(out + at, way(bytes_u32(out + at)));
}

void pack_turn_q5_0(const uint8_t *block, uint8_t *out) { turn_word(block, 2, 22, turn, out); }
void pack_turn_q5_1(const uint8_t *block, uint8_t *out) { turn_word(block, 4, 24, turn, out); }
void pack_turn_back_q5_0(const uint8_t *turned, uint8_t *out) { turn_word(turned, 2, 22, turn_back, out); }
void pack_turn_back_q5_1(const uint8_t *turned, uint8_t *out) { turn_word(turned, 4, 24, turn_back, out); }

/* ---- Q6_K ---- */

enum { HALVES = 2, LOW = 128, SCALES = 192, D = 208, THIRD = 32 };

void pack_turn_q6_k(const uint8_t *block, uint8_t *out) {
    memcpy(out, block + D, 2);
    memcpy(out + 2, block + SCALES, 16);
    for (uint32_t h = 0; h < HALVES; h++) {
        const uint8_t *low = block + 64 * h, *high = block + LOW + 32 * h;
        uint8_t *to = out + 18 + 96 * h;
        for (uint32_t l = 0; l < THIRD; l++) {
            const uint32_t a = low[l], b = low[THIRD + l], x = high[l], last = b >> 4 | (x >> 6) << 4;
            to[l] = (uint8_t)((a & 15) | (x & 3) << 4 | last << 6);
            to[THIRD + l] = (uint8_t)((b & 15) | (x >> 2 & 3) << 4 | last >> 2 << 6);
            to[2 * THIRD + l] = (uint8_t)(a >> 4 | (x >> 4 & 3) << 4 | last >> 4 << 6);
        }
    }
}

void pack_turn_back_q6_k(const uint8_t *turned, uint8_t *out) {
    memcpy(out + D, turned, 2);
    memcpy(out + SCALES, turned + 2, 16);
    for (uint32_t h = 0; h < HALVES; h++) {
        const uint8_t *from = turned + 18 + 96 * h;
        uint8_t *low = out + 64 * h, *high = out + LOW + 32 * h;
        for (uint32_t l = 0; l < THIRD; l++) {
            const uint32_t a = from[l], b = from[THIRD + l], c = from[2 * THIRD + l];
            const uint32_t last = a >> 6 | b >> 6 << 2 | c >> 6 << 4;
            low[l] = (uint8_t)((a & 15) | (c & 15) << 4);
            low[THIRD + l] = (uint8_t)((b & 15) | (last & 15) << 4);
            high[l] = (uint8_t)((a >> 4 & 3) | (b >> 4 & 3) << 2 | (c >> 4 & 3) << 4 | last >> 4 << 6);
        }
    }
}
