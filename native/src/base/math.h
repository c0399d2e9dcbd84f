// SPDX-License-Identifier: Apache-2.0
/*
 * The arithmetic contract's own functions: one definition each, in scalar C, of which every SIMD version repeats the
 * operations in the same order, so that results are equal bit for bit on every processor and compiler.
 *
 * Rules: no -ffast-math, -ffp-contract=off; a fused multiply-add is math_fmaf, nothing else is fused. Stated bounds are
 * against the exact value, in units in the last place (ulp), and hold over the stated range.
 */
#ifndef PUNA_BASE_MATH_H
#define PUNA_BASE_MATH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MATH_CONTRACT 1u /* the version of docs/numerics.md that all arithmetic keeps to */

/* a * b + c, rounded once. Where the compiler may not use the instruction (a file without -mfma), it is used if the
   processor has it, else exact by our own code (some C libraries' fmaf is not). The bits are the same in every case. */
#if defined(__FMA__) || defined(__aarch64__)
static inline float math_fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#elif defined(__x86_64__) && defined(__GNUC__)
extern bool math_has_fma; /* set while the library is loaded; false only costs time */
float math_fmaf_exact(float a, float b, float c);
static inline float math_fmaf(float a, float b, float c) {
    if (!__builtin_expect(math_has_fma, 1)) return math_fmaf_exact(a, b, c);
    __asm__("vfmadd213ss %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
}
#else
float math_fmaf_exact(float a, float b, float c);
static inline float math_fmaf(float a, float b, float c) { return math_fmaf_exact(a, b, c); }
#endif

/*
 * e^x: math_expf(0) = 1, math_expf(-inf) = +0 exactly; below -87.33 it is +0 (no denormals); above 88.72 +inf; NaN
 * stays NaN. At most 1.1 ulp elsewhere. The sequence that every SIMD version repeats (fma is math_fmaf, bits() a
 * reinterpretation):
 *
 *     z = min(max(x, LOWEST), HIGHEST)
 *     t = fma(z, LOG2E, ROUNDER)        its low bits are n = rint(z * log2 e)
 *     n = t - ROUNDER
 *     r = fma(n, -LN2_HIGH, z), r = fma(n, -LN2_LOW, r)
 *     p = C6, p = fma(p, r, C5), ... fma(p, r, C2), fma(p, r, 1), fma(p, r, 1)
 *     y = float of bits(p) + (bits(t) << 23)
 *     result: x < LOWEST ? +0 : x > HIGHEST ? +inf : x is NaN ? x : y
 */
#define MATH_EXP_LOWEST (-87.33f)
#define MATH_EXP_HIGHEST 88.72f
#define MATH_EXP_LOG2E 0x1.715476p+0f
#define MATH_EXP_ROUNDER 12582912.0f /* 1.5 * 2^23: its bits << 23 are 0 */
#define MATH_EXP_LN2_HIGH 0x1.62e430p-1f
#define MATH_EXP_LN2_LOW (-0x1.05c610p-29f)
#define MATH_EXP_C2 0x1.fffffcp-2f
#define MATH_EXP_C3 0x1.555490p-3f
#define MATH_EXP_C4 0x1.5558f4p-5f
#define MATH_EXP_C5 0x1.123a6cp-7f
#define MATH_EXP_C6 0x1.6a2352p-10f
float math_expf(float x);
void math_expf_many(const float *x, size_t n, float *y); /* of each, to the bit; y may be x */

/* x / (1 + e^-x): SiLU, built on math_expf. */
float math_siluf(float x);

/* GELU in its form with tanh: h + h * tanh(x * (C0 + C1 * x^2)), h = x / 2; C0 = sqrt(2 / pi), C1 = 0.044715 * C0.
   Built on math_tanhf; its sequence: u = x * x, t = tanh(x * fma(u, C1, C0)), h = x * 0.5, fma(h, t, h). */
#define MATH_GELU_C0 0x1.988454p-1f
#define MATH_GELU_C1 0x1.2444f2p-5f
float math_geluf(float x);

/* GELU in its exact form: h + h * erf(x / sqrt 2), h = x / 2. Its sequence: e = erf(x * ROOT), h = x * 0.5, fma(h, e,
   h). */
#define MATH_GELU_ROOT 0x1.6a09e6p-1f
float math_gelu_erff(float x);

/* tanh: at most 1.5 ulp; erf: 1.5 ulp; log of a positive number, denormals included: 1 ulp. Their sequences stand in
   base/math.c. */
#define MATH_TANH_SMALL 0.625f /* below: an odd polynomial; else from e^2x */
#define MATH_TANH_LARGEST 9.5f
#define MATH_TANH_C3 (-0x1.555534p-2f)
#define MATH_TANH_C5 0x1.110768p-3f
#define MATH_TANH_C7 (-0x1.b84448p-5f)
#define MATH_TANH_C9 0x1.5256d8p-6f
#define MATH_TANH_C11 (-0x1.76ac1ap-8f)
float math_tanhf(float x);
#define MATH_ERF_SMALL 1.0f /* up to it: an odd polynomial, P1 to P13; else from e^-Q, Q0 to Q6 */
#define MATH_ERF_LARGEST 4.0f
#define MATH_ERF_P1 0x1.06eba8p-3f
#define MATH_ERF_P3 (-0x1.81273ep-2f)
#define MATH_ERF_P5 0x1.ce2cf8p-4f
#define MATH_ERF_P7 (-0x1.b7f90ep-6f)
#define MATH_ERF_P9 0x1.5405b2p-8f
#define MATH_ERF_P11 (-0x1.a3f700p-11f)
#define MATH_ERF_P13 0x1.496a32p-14f
#define MATH_ERF_Q0 0x1.661cfcp-12f
#define MATH_ERF_Q1 0x1.2088eap+0f
#define MATH_ERF_Q2 0x1.46baecp-1f
#define MATH_ERF_Q3 0x1.a65344p-4f
#define MATH_ERF_Q4 (-0x1.65cb7ap-6f)
#define MATH_ERF_Q5 0x1.825afep-9f
#define MATH_ERF_Q6 (-0x1.86dd8cp-13f)
float math_erff(float x);

/* log(1 + e^x), softplus: at most 3 ulp. Its sequence: z = |x|, e = exp(-z), s = e / (2 + e), u = s * s, P(u) by fma
   from L15 down to L3; t = fma(s * u, P, s); y = max(x, 0) + (t + t): log(1 + e) = 2 atanh(s), by its series. */
#define MATH_SOFTPLUS_L3 0x1.555556p-2f /* 1 / 3, 1 / 5 ... */
#define MATH_SOFTPLUS_L5 0x1.99999ap-3f
#define MATH_SOFTPLUS_L7 0x1.24924ap-3f
#define MATH_SOFTPLUS_L9 0x1.c71c72p-4f
#define MATH_SOFTPLUS_L11 0x1.745d18p-4f
#define MATH_SOFTPLUS_L13 0x1.3b13b2p-4f
#define MATH_SOFTPLUS_L15 0x1.111112p-4f
float math_softplusf(float x);
float math_logf(float x);

/* In double, our own too, since libraries differ in their last bits: used for rotary tables and seeds' draws, never in
   an inner loop. At most 1 ulp (worst of 120 million random cases: sin, cos 0.80, exp, pow 0.87, log 0.51). sin, cos:
   |x| <= 2^40, NaN beyond; pow: a base of at least 0, NaN for others. */
double math_sin(double x);
double math_cos(double x);
double math_exp(double x);
double math_log(double x);
double math_pow(double x, double y);

/* IEEE half and bfloat16. Conversions to float are exact; to half round to nearest even and saturate at +-65504 (NaN
   stays NaN). */
float math_from_half(uint16_t h);
uint16_t math_to_half(float x);
float math_from_bfloat(uint16_t b);
uint16_t math_to_bfloat(float x); /* nearest even */

/* The contract's reduction: 16 virtual lanes, element i in lane i mod 16, lanes added in the tree 8+8, 4+4, 2+2,
   1+1. */
float math_lanes_sum(const float lanes[16]);

/* Round to nearest, ties to even, for |x| < 2^22; independent of the rounding mode's library calls. */
static inline float math_rint(float x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23 */
    volatile float shifted = x + magic;
    return shifted - magic;
}

/* The floating-point environment: set to defaults (nearest, denormals kept, no traps) at every entry and worker, and
   put back on the way out. */
typedef struct math_environment { uint64_t saved; } math_environment;
math_environment math_environment_enter(void);
void math_environment_leave(math_environment environment);

#endif
