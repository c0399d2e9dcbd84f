// SPDX-License-Identifier: Apache-2.0
/* The end of every product: bias, then residual, then the rows that exist. */
#ifndef PUNA_DEVICE_CPU_FINISH_AVX2_H
#define PUNA_DEVICE_CPU_FINISH_AVX2_H

#include "device/cpu/kernels.h"
#include "device/cpu/x86/math_avx2.h"

/* Rows 8 * part ... 8 * part + 7 of a tile. */
static inline void eight_finish(const cpu_product *p, uint32_t tile, uint32_t part, uint32_t column, __m256 acc) {
    size_t row = (size_t)tile * CPU_TILE + 8 * part;
    const float *bias = p->bias, *residual = p->residual ? p->residual + (size_t)column * p->out_stride : NULL;
    float *out = p->out + (size_t)column * p->out_stride;
    if (row + 8 <= p->weight->rows) {
        if (bias) acc = _mm256_add_ps(acc, _mm256_loadu_ps(bias + row));
        if (residual) acc = _mm256_add_ps(acc, _mm256_loadu_ps(residual + row));
        _mm256_storeu_ps(out + row, acc);
        return;
    }
    float last[8];
    _mm256_storeu_ps(last, acc);
    for (size_t i = 0; row < p->weight->rows; i++, row++) {
        float y = last[i];
        if (bias) y += bias[row];
        if (residual) y += residual[row];
        out[row] = y;
    }
}

#endif
