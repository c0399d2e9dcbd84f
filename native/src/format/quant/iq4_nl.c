// SPDX-License-Identifier: Apache-2.0
/*
 * IQ4_NL: 32 numbers in 18 bytes.
 *
 *     0   half d
 *     2   16 bytes: byte j holds number j in its low half and number j + 16 in its high half
 *
 * number = d * quant_uneven[q], q in 0 ... 15. The product is exact in single precision.
 *
 * Exact sums: 32 numbers of at most 127 with activations of at most 127 give at most 516,128.
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(iq4_nl);

enum { LENGTH = 32, BYTES = 18 };

QUANT_EXACT(32, 127);

const int8_t quant_uneven[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

void iq4_nl_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    (void)minimums;
    scales[0] = math_from_half(bytes_u16(block));
    quant_nibbles(block + 2, 16, numbers);
    for (int j = 0; j < LENGTH; j++) numbers[j] = quant_uneven[numbers[j]];
}

QUANT_DECODE(iq4_nl, LENGTH, BYTES, LENGTH, false)
