// SPDX-License-Identifier: Apache-2.0
/* A checksum: 8 bytes a step, each step a bijection of the state for a given word and of the word for a given state. So
   two inputs that differ in one word never have the same sum. */
#include <string.h>

#include "engine/state.h"
#include "format/bytes.h"

#define ODD 0x9E3779B97F4A7C15u

static uint64_t mixed(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * ODD;
    return hash ^ hash >> 32;
}

void state_sum_add(state_sum *sum, const void *bytes, size_t count) {
    const uint8_t *from = bytes;
    size_t held = sum->count % 8;
    sum->count += count;
    if (held) {
        size_t part = count < 8 - held ? count : 8 - held;
        memcpy(sum->rest + held, from, part);
        if (held + part < 8) return;
        sum->hash = mixed(sum->hash, bytes_u64(sum->rest));
        from += part;
        count -= part;
    }
    uint64_t hash = sum->hash;
    for (; count >= 8; count -= 8, from += 8) hash = mixed(hash, bytes_u64(from));
    sum->hash = hash;
    if (count) memcpy(sum->rest, from, count);
}

uint64_t state_sum_end(const state_sum *sum) {
    uint64_t rest = 0;
    for (size_t i = 0; i < sum->count % 8; i++) rest |= (uint64_t)sum->rest[i] << 8 * i;
    uint64_t hash = mixed(mixed(sum->hash, rest), sum->count);
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
    return hash ^ hash >> 29;
}
