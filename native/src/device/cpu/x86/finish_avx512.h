// SPDX-License-Identifier: Apache-2.0
/* The end of every product: bias, then residual, then the rows that exist. */
#ifndef PUNA_DEVICE_CPU_FINISH_AVX512_H
#define PUNA_DEVICE_CPU_FINISH_AVX512_H

#include "device/cpu/kernels.h"
#include "device/cpu/x86/math_avx512.h"

static inline void wide_finish(const cpu_product *p, uint32_t tile, uint32_t column, __m512 acc) {
    size_t row = (size_t)tile * CPU_TILE, left = p->weight->rows - row;
    __mmask16 m = left < CPU_TILE ? wide_first(left) : (__mmask16)0xffff;
    float *out = p->out + (size_t)column * p->out_stride + row;
    if (p->bias) acc = _mm512_add_ps(acc, _mm512_maskz_loadu_ps(m, p->bias + row));
    if (p->residual)
        acc = _mm512_add_ps(acc, _mm512_maskz_loadu_ps(m, p->residual + (size_t)column * p->out_stride + row));
    _mm512_mask_storeu_ps(out, m, acc);
}

#endif
