// SPDX-License-Identifier: Apache-2.0
/* LayerNorm and activations along a row. Equal to ref/ bit for bit. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/math_avx512.h"
#include "graph/graph.h"

static inline __mmask16 left(size_t n) { return n < 16 ? wide_first(n) : (__mmask16)0xffff; }

void avx512_layer_norm(const float *x, const float *weight, const float *bias, uint32_t n, float epsilon, float *y) {
    __m512 sums = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 m = left(n - i);
        sums = _mm512_mask_add_ps(sums, m, sums, _mm512_maskz_loadu_ps(m, x + i));
    }
    __m512 mean = _mm512_set1_ps(wide_lanes_sum(sums) / (float)n);
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 m = left(n - i);
        __m512 v = _mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + i), mean);
        squares = _mm512_mask3_fmadd_ps(v, v, squares, m);
    }
    __m512 scale = _mm512_set1_ps(1.0f / sqrtf(wide_lanes_sum(squares) / (float)n + epsilon));
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 m = left(n - i);
        __m512 v = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + i), mean), scale);
        if (weight) v = _mm512_mul_ps(v, _mm512_maskz_loadu_ps(m, weight + i));
        if (bias) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, bias + i));
        _mm512_mask_storeu_ps(y + i, m, v);
    }
}

static inline __m512 activation(uint32_t f, __m512 x) {
    __mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
    switch (f) {
    case GRAPH_GELU: return wide_gelu(x);
    case GRAPH_GELU_ERF: return wide_gelu_erf(x);
    case GRAPH_SILU: return wide_silu(x);
    case GRAPH_TANH: return wide_tanh(x);
    case GRAPH_SOFTPLUS: return wide_softplus(x);
    case GRAPH_RELU: return _mm512_maskz_mov_ps(positive, x);
    default: return _mm512_maskz_mul_ps(positive, x, x);
    }
}

void avx512_activate(uint32_t f, const float *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = left(n - i);
        _mm512_mask_storeu_ps(y + i, m, activation(f, _mm512_maskz_loadu_ps(m, x + i)));
    }
}

#else
typedef int norm_avx512_is_for_x86;
#endif
