// SPDX-License-Identifier: Apache-2.0
/* The functions that kernels repeat in SIMD. Each is a straight sequence of +, -, *, / and math_fmaf with selections at
   the end; the polynomials are minimax fits of our own. */
#include "base/math.h"

static inline uint32_t bits_of(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float float_of(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

float math_expf(float x) {
    float z = x > MATH_EXP_LOWEST ? x : MATH_EXP_LOWEST;
    z = z < MATH_EXP_HIGHEST ? z : MATH_EXP_HIGHEST;
    float t = math_fmaf(z, MATH_EXP_LOG2E, MATH_EXP_ROUNDER);
    float n = t - MATH_EXP_ROUNDER;
    float r = math_fmaf(n, -MATH_EXP_LN2_HIGH, z);
    r = math_fmaf(n, -MATH_EXP_LN2_LOW, r);
    float p = MATH_EXP_C6;
    p = math_fmaf(p, r, MATH_EXP_C5);
    p = math_fmaf(p, r, MATH_EXP_C4);
    p = math_fmaf(p, r, MATH_EXP_C3);
    p = math_fmaf(p, r, MATH_EXP_C2);
    p = math_fmaf(p, r, 1.0f);
    p = math_fmaf(p, r, 1.0f);
    float y = float_of(bits_of(p) + (bits_of(t) << 23));
    if (x < MATH_EXP_LOWEST) return 0.0f;
    if (x > MATH_EXP_HIGHEST) return INFINITY;
    return x == x ? y : x;
}

float math_siluf(float x) { return x / (1.0f + math_expf(-x)); }

float math_lanes_sum(const float lanes[16]) {
    float eight[8], four[4];
    for (int i = 0; i < 8; i++) eight[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; i++) four[i] = eight[i] + eight[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/*
 * tanh. z = |x|, at most LARGEST. Below SMALL an odd polynomial: u = z * z, y = fma(z * u, P(u), z). Else
 * y = 1 - 2 / (math_expf(z + z) + 1). Either with x's sign.
 */
float math_tanhf(float x) {
    float z = fabsf(x);
    z = z < MATH_TANH_LARGEST ? z : MATH_TANH_LARGEST;
    float u = z * z;
    float p = MATH_TANH_C11;
    p = math_fmaf(p, u, MATH_TANH_C9);
    p = math_fmaf(p, u, MATH_TANH_C7);
    p = math_fmaf(p, u, MATH_TANH_C5);
    p = math_fmaf(p, u, MATH_TANH_C3);
    float near = math_fmaf(z * u, p, z);
    float far = 1.0f - 2.0f / (math_expf(z + z) + 1.0f);
    float y = copysignf(z < MATH_TANH_SMALL ? near : far, x);
    return x == x ? y : x;
}

float math_geluf(float x) {
    float u = x * x;
    float t = math_tanhf(x * math_fmaf(u, MATH_GELU_C1, MATH_GELU_C0));
    float h = x * 0.5f;
    return math_fmaf(h, t, h);
}

/*
 * erf. Up to 1 an odd polynomial: u = x * x, y = fma(x, P(u), x). Else z = |x|, at most 4: y = 1 - math_expf(-Q(z))
 * with x's sign.
 */
float math_erff(float x) {
    float u = x * x;
    float p = MATH_ERF_P13;
    p = math_fmaf(p, u, MATH_ERF_P11);
    p = math_fmaf(p, u, MATH_ERF_P9);
    p = math_fmaf(p, u, MATH_ERF_P7);
    p = math_fmaf(p, u, MATH_ERF_P5);
    p = math_fmaf(p, u, MATH_ERF_P3);
    p = math_fmaf(p, u, MATH_ERF_P1);
    float near = math_fmaf(x, p, x);
    float z = fabsf(x);
    z = z < MATH_ERF_LARGEST ? z : MATH_ERF_LARGEST;
    float q = MATH_ERF_Q6;
    q = math_fmaf(q, z, MATH_ERF_Q5);
    q = math_fmaf(q, z, MATH_ERF_Q4);
    q = math_fmaf(q, z, MATH_ERF_Q3);
    q = math_fmaf(q, z, MATH_ERF_Q2);
    q = math_fmaf(q, z, MATH_ERF_Q1);
    q = math_fmaf(q, z, MATH_ERF_Q0);
    float far = copysignf(1.0f - math_expf(-q), x);
    float y = fabsf(x) <= MATH_ERF_SMALL ? near : far;
    return x == x ? y : x;
}

float math_softplusf(float x) {
    float e = math_expf(-fabsf(x));
    float s = e / (2.0f + e), u = s * s;
    float p = MATH_SOFTPLUS_L15;
    p = math_fmaf(p, u, MATH_SOFTPLUS_L13);
    p = math_fmaf(p, u, MATH_SOFTPLUS_L11);
    p = math_fmaf(p, u, MATH_SOFTPLUS_L9);
    p = math_fmaf(p, u, MATH_SOFTPLUS_L7);
    p = math_fmaf(p, u, MATH_SOFTPLUS_L5);
    p = math_fmaf(p, u, MATH_SOFTPLUS_L3);
    float t = math_fmaf(s * u, p, s);
    float y = (x > 0.0f ? x : 0.0f) + (t + t);
    return x == x ? y : x;
}

float math_gelu_erff(float x) {
    float e = math_erff(x * MATH_GELU_ROOT), h = x * 0.5f;
    return math_fmaf(h, e, h);
}

/*
 * log. Denormals are first multiplied by 2^23. x = m * 2^n with m in [sqrt(1/2), sqrt 2), cut by integer subtraction;
 * f = m - 1: y = n * LN2_HIGH + (f + (n * LN2_LOW + (f^3 P(f) - f^2 / 2))).
 */
float math_logf(float x) {
    const uint32_t root_half = 0x3F3504F3u;
    bool denormal = x < 0x1p-126f;
    float scaled = denormal ? x * 0x1p23f : x;
    uint32_t u = bits_of(scaled) - root_half;
    float n = (float)((int32_t)u >> 23) - (denormal ? 23.0f : 0.0f);
    float f = float_of((u & 0x007FFFFFu) + root_half) - 1.0f;
    float p = -0x1.38c1aap-4f;
    p = math_fmaf(p, f, 0x1.056498p-3f);
    p = math_fmaf(p, f, -0x1.0d875ap-3f);
    p = math_fmaf(p, f, 0x1.22d90ap-3f);
    p = math_fmaf(p, f, -0x1.5471f6p-3f);
    p = math_fmaf(p, f, 0x1.99a012p-3f);
    p = math_fmaf(p, f, -0x1.000228p-2f);
    p = math_fmaf(p, f, 0x1.555554p-2f);
    float square = f * f;
    float tail = math_fmaf(p, square * f, -0.5f * square);
    tail = math_fmaf(n, MATH_EXP_LN2_LOW, tail);
    float y = math_fmaf(n, MATH_EXP_LN2_HIGH, f + tail);
    if (x == 0.0f) return -INFINITY;
    if (x < 0.0f) return NAN;
    return x == x && x < INFINITY ? y : x;
}
