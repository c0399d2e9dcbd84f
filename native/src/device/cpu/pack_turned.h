// SPDX-License-Identifier: Apache-2.0
/* Blocks whose bits are moved before they are packed, so that a kernel takes them out by fewer operations. They are as
   long as the format's own; the other way round is there for each. */
#ifndef PUNA_DEVICE_CPU_PACK_TURNED_H
#define PUNA_DEVICE_CPU_PACK_TURNED_H

#include <stdint.h>

/* Q5_0 (fifth bits at 2) and Q5_1 (at 4), otherwise as they are: bit 4 j + i of that word is number 4 j + i's and
   becomes bit j of byte i, where the number's byte is. */
void pack_turn_q5_0(const uint8_t *block, uint8_t *out);
void pack_turn_q5_1(const uint8_t *block, uint8_t *out);
void pack_turn_back_q5_0(const uint8_t *turned, uint8_t *out);
void pack_turn_back_q5_1(const uint8_t *turned, uint8_t *out);

/*
 * Q6_K:
 *
 *     0    half d
 *     2    16 signed bytes: scales
 *     18   192 bytes: numbers, in the order of use. Of half h of 2, byte l of 32 of the third t of 3, at
 *          18 + 96 h + 32 t + l, holds number 128 h + 32 t + l in its low six bits and bits 2 t and 2 t + 1 of number
 *          128 h + 96 + l above
 *
 * Three quarters of the numbers are one `and` away, the last needs eight operations; as the file has them each needs
 * four or five.
 */
void pack_turn_q6_k(const uint8_t *block, uint8_t *out);
void pack_turn_back_q6_k(const uint8_t *turned, uint8_t *out);

#endif
