// SPDX-License-Identifier: Apache-2.0
/* LayerNorm and activations along a row. Equal to ref/ bit for bit. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/math_avx2.h"
#include "graph/graph.h"

/* In 16 lanes: whole sixteens in registers, the rest by hand. */
static float sum(const float *x, uint32_t n) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        low = _mm256_add_ps(low, _mm256_loadu_ps(x + i));
        high = _mm256_add_ps(high, _mm256_loadu_ps(x + i + 8));
    }
    float lanes[16];
    _mm256_storeu_ps(lanes, low);
    _mm256_storeu_ps(lanes + 8, high);
    for (; i < n; i++) lanes[i % 16] += x[i];
    return eight_lanes_sum(_mm256_loadu_ps(lanes), _mm256_loadu_ps(lanes + 8));
}

static float squares(const float *x, float mean, uint32_t n) {
    const __m256 m = _mm256_set1_ps(mean);
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256 a = _mm256_sub_ps(_mm256_loadu_ps(x + i), m), b = _mm256_sub_ps(_mm256_loadu_ps(x + i + 8), m);
        low = _mm256_fmadd_ps(a, a, low);
        high = _mm256_fmadd_ps(b, b, high);
    }
    float lanes[16];
    _mm256_storeu_ps(lanes, low);
    _mm256_storeu_ps(lanes + 8, high);
    for (; i < n; i++) lanes[i % 16] = math_fmaf(x[i] - mean, x[i] - mean, lanes[i % 16]);
    return eight_lanes_sum(_mm256_loadu_ps(lanes), _mm256_loadu_ps(lanes + 8));
}

void avx2_layer_norm(const float *x, const float *weight, const float *bias, uint32_t n, float epsilon, float *y) {
    float mean = sum(x, n) / (float)n;
    float scale = 1.0f / sqrtf(squares(x, mean, n) / (float)n + epsilon);
    for (uint32_t i = 0; i < n; i++) {
        float v = (x[i] - mean) * scale;
        if (weight) v = v * weight[i];
        y[i] = bias ? v + bias[i] : v;
    }
}

static inline __m256 activation(uint32_t f, __m256 x) {
    __m256 positive = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ);
    switch (f) {
    case GRAPH_GELU: return eight_gelu(x);
    case GRAPH_GELU_ERF: return eight_gelu_erf(x);
    case GRAPH_SILU: return eight_silu(x);
    case GRAPH_TANH: return eight_tanh(x);
    case GRAPH_SOFTPLUS: return eight_softplus(x);
    case GRAPH_RELU: return _mm256_and_ps(positive, x);
    default: return _mm256_and_ps(positive, _mm256_mul_ps(x, x));
    }
}

void avx2_activate(uint32_t f, const float *x, size_t n, float *y) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, activation(f, _mm256_loadu_ps(x + i)));
    float last[8] = {0};
    memcpy(last, x + i, (n - i) * sizeof(float));
    _mm256_storeu_ps(last, activation(f, _mm256_loadu_ps(last)));
    memcpy(y + i, last, (n - i) * sizeof(float));
}

#else
typedef int norm_avx2_is_for_x86;
#endif
