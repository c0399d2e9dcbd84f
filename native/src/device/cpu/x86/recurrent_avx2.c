// SPDX-License-Identifier: Apache-2.0
/* Convolution and scan of recurrent layers: two registers are 16 channels. Equal to ref/ bit for bit. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/math_avx2.h"

typedef struct lanes {
    __m256 low, high;
} lanes;

static inline lanes lanes_load(const float *x) { return (lanes){_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)}; }

static inline void lanes_store(float *y, lanes v) {
    _mm256_storeu_ps(y, v.low);
    _mm256_storeu_ps(y + 8, v.high);
}

static inline lanes lanes_set(float x) { return (lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }

static inline lanes lanes_add(lanes a, lanes b) {
    return (lanes){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}

static inline lanes lanes_multiply(lanes a, lanes b) {
    return (lanes){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}

static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    return (lanes){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

static inline lanes lanes_exp(lanes x) { return (lanes){eight_exp(x.low), eight_exp(x.high)}; }

#include "device/cpu/x86/recurrent_lanes.h"

void avx2_conv(const cpu_conv *c) { lanes_conv(c); }

void avx2_scan(const cpu_scan *s) { lanes_scan(s); }

#else
typedef int recurrent_avx2_is_for_x86;
#endif
