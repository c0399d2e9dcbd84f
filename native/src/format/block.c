// SPDX-License-Identifier: Apache-2.0
#include "format/block.h"

#include <string.h>

#define BLOCK_DECODED(number, NAME, length, bytes, symbol) \
    void symbol##_decode(const uint8_t *blocks, size_t count, float *out); \
    void symbol##_encode(const float *values, size_t count, uint8_t *blocks);
#define BLOCK_UNITS(number, NAME, length, bytes, symbol, per, has, encode) \
    void symbol##_decode(const uint8_t *blocks, size_t count, float *out); \
    void symbol##_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums);
#define BLOCK_NAMED(number, NAME, length, bytes)
#include "format/block.def"
#undef BLOCK_DECODED
#undef BLOCK_UNITS
#undef BLOCK_NAMED

void q5_0_encode(const float *values, size_t count, uint8_t *blocks);
void q5_1_encode(const float *values, size_t count, uint8_t *blocks);

/* The table's place in memory is the type's number; rows of unused numbers are all zero, their names NULL. */
static const block_format block_rows[] = {
#define BLOCK_DECODED(number, NAME, length, bytes, symbol) \
    [number] = {number, #NAME, length, bytes, symbol##_decode, symbol##_encode, 0, 0, NULL},
#define BLOCK_UNITS(number, NAME, length, bytes, symbol, per, has, encode) \
    [number] = {number, #NAME, length, bytes, symbol##_decode, encode, per, has, symbol##_parts},
#define BLOCK_NAMED(number, NAME, length, bytes) [number] = {number, #NAME, length, bytes, NULL, NULL, 0, 0, NULL},
#include "format/block.def"
#undef BLOCK_DECODED
#undef BLOCK_UNITS
#undef BLOCK_NAMED
};

static const block_format *block_row(uint32_t type) {
    if (type >= sizeof block_rows / sizeof block_rows[0] || !block_rows[type].name) return NULL;
    return &block_rows[type];
}

const block_format *block_find(uint32_t type) {
    const block_format *row = block_row(type);
    return row && row->decode ? row : NULL;
}

const char *block_type_name(uint32_t type) {
    const block_format *row = block_row(type);
    return row ? row->name : NULL;
}

const char *block_names(char *out, size_t capacity) {
    size_t used = 0;
    for (size_t i = 0; i < sizeof block_rows / sizeof block_rows[0]; i++) {
        if (!block_rows[i].decode) continue;
        size_t length = strlen(block_rows[i].name), comma = used ? 2 : 0;
        if (used + comma + length >= capacity) break;
        memcpy(out + used, ", ", comma);
        memcpy(out + used + comma, block_rows[i].name, length);
        used += comma + length;
    }
    if (capacity) out[used] = 0;
    return out;
}

int block_type_shape(uint32_t type, uint32_t *length, uint32_t *bytes) {
    const block_format *row = block_row(type);
    if (!row) return 0;
    *length = row->length;
    *bytes = row->bytes;
    return 1;
}
