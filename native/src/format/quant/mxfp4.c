// SPDX-License-Identifier: Apache-2.0
/*
 * MXFP4: 32 numbers in 17 bytes.
 *
 *     0   byte e
 *     1   16 bytes: byte j holds number j in its low half and number j + 16 in its high half
 *
 * number = 2^(e - 128) * v, v the four bits' E2M1 number doubled: 0, 1, 2, 3, 4, 6, 8, 12, and with the upper bit set
 * their negatives (8 stands for +0). The product is exact in single precision unless it is a denormal or overflows.
 *
 * Exact sums: 32 numbers of at most 12 with activations of at most 127 give at most 48,768.
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(mxfp4);

enum { LENGTH = 32, BYTES = 17 };

QUANT_EXACT(32, 12);

static const int8_t mxfp4_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

void mxfp4_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    /* 2^(e - 128): 2^-128 and 2^-127 are denormal. */
    uint32_t e = block[0], bits = e < 2 ? UINT32_C(0x00200000) << e : (e - 1) << 23;
    (void)minimums;
    memcpy(scales, &bits, sizeof bits);
    quant_nibbles(block + 1, 16, numbers);
    for (int j = 0; j < LENGTH; j++) numbers[j] = mxfp4_doubled[numbers[j]];
}

QUANT_DECODE(mxfp4, LENGTH, BYTES, LENGTH, false)
