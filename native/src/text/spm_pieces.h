// SPDX-License-Identifier: Apache-2.0
/* What is asked of SentencePiece's pieces: which spelling is one, what it adds to a text, and which characters ever
   stand side by side in one. */
#ifndef PUNA_TEXT_SPM_PIECES_H
#define PUNA_TEXT_SPM_PIECES_H

#include "base/utf8.h"
#include "text/spm.h"

#define SPM_SPACE "\xE2\x96\x81" /* U+2581 */

/* The piece of a normalized spelling, or SPM_NONE. */
int32_t spm_find(const spm *s, const char *text, size_t length);

/* The byte that a byte token's spelling names ("<0x0A>"), or -1. */
int spm_byte(const char *text, size_t length);

/* What a token adds to a text: its spelling with spaces for U+2581, or a byte; a control token nothing. */
size_t spm_token_bytes(uint8_t kind, const char *text, size_t length, char *bytes);

/* The character at the beginning of a text that is not empty, and its bytes. A byte that is no UTF-8 is one by
   itself. */
static inline uint32_t spm_character(const char *text, size_t length, size_t *used) {
    *used = 1;
    if ((uint8_t)*text < 0x80) return (uint8_t)*text;
    uint32_t character = utf8_decode(text, length, used);
    return character == UTF8_INVALID ? 0x110000u + (uint8_t)*text : character;
}

static inline uint32_t spm_neighbour_slot(const spm *s, uint32_t left, uint32_t right) {
    return (uint32_t)((((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u) >> 36) & s->neighbour_mask;
}

/* False: no piece holds these two characters side by side, so that no merge ever crosses their border. */
static inline bool spm_neighbours(const spm *s, uint32_t left, uint32_t right) {
    uint32_t slot = spm_neighbour_slot(s, left, right);
    return s->neighbours[slot / 64] >> (slot % 64) & 1;
}

#endif
