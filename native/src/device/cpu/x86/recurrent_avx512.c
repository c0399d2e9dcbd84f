// SPDX-License-Identifier: Apache-2.0
/* Convolution and scan of recurrent layers: a register is 16 channels. Equal to ref/ bit for bit. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/math_avx512.h"

typedef __m512 lanes;

static inline lanes lanes_load(const float *x) { return _mm512_loadu_ps(x); }
static inline void lanes_store(float *y, lanes v) { _mm512_storeu_ps(y, v); }
static inline lanes lanes_set(float x) { return _mm512_set1_ps(x); }
static inline lanes lanes_add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
static inline lanes lanes_multiply(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
static inline lanes lanes_fma(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
static inline lanes lanes_exp(lanes x) { return wide_exp(x); }

#include "device/cpu/x86/recurrent_lanes.h"

void avx512_conv(const cpu_conv *c) { lanes_conv(c); }

void avx512_scan(const cpu_scan *s) { lanes_scan(s); }

#else
typedef int recurrent_avx512_is_for_x86;
#endif
