// SPDX-License-Identifier: Apache-2.0
/* Work along rows: quantizing, norm, activation, sums, rotary positions. Equal to ref/ bit for bit. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/math_avx512.h"

void avx512_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    for (uint32_t g = 0; g < cols / CPU_GROUP; g++, x += CPU_GROUP, q += CPU_GROUP) {
        __m512 low = _mm512_loadu_ps(x), high = _mm512_loadu_ps(x + 16);
        __m512i most = _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(low), magnitude),
                                        _mm512_and_si512(_mm512_castps_si512(high), magnitude));
        uint32_t bits = _mm512_reduce_max_epu32(most);
        float amax;
        memcpy(&amax, &bits, sizeof amax);
        float id = 127.0f / amax;
        if (!(amax < INFINITY) || !(id < INFINITY)) {
            _mm256_storeu_si256((__m256i *)(void *)q, _mm256_setzero_si256());
            s[g] = 0;
            d[g] = ds[g] = amax < INFINITY ? 0.0f : NAN;
            continue;
        }
        __m512 factor = _mm512_set1_ps(id);
        __m512i a = _mm512_cvt_roundps_epi32(_mm512_mul_ps(low, factor), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        __m512i b = _mm512_cvt_roundps_epi32(_mm512_mul_ps(high, factor),
                                             _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm_storeu_si128((__m128i *)(void *)q, _mm512_cvtepi32_epi8(a));
        _mm_storeu_si128((__m128i *)(void *)(q + 16), _mm512_cvtepi32_epi8(b));
        s[g] = _mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
        d[g] = amax / 127.0f;
        ds[g] = d[g] * (float)s[g];
    }
}

void avx512_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y) {
    __m512 lanes = _mm512_setzero_ps();
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512 v = _mm512_loadu_ps(x + i);
        lanes = _mm512_fmadd_ps(v, v, lanes);
    }
    __mmask16 rest = wide_first(n - i);
    __m512 last = _mm512_maskz_loadu_ps(rest, x + i);
    lanes = _mm512_mask3_fmadd_ps(last, last, lanes, rest);
    float mean = wide_lanes_sum(lanes) / (float)n;
    __m512 scale = _mm512_set1_ps(1.0f / sqrtf(mean + epsilon));
    for (i = 0; i + 16 <= n; i += 16) {
        __m512 v = _mm512_mul_ps(_mm512_loadu_ps(x + i), scale);
        _mm512_storeu_ps(y + i, _mm512_mul_ps(v, _mm512_loadu_ps(weight + i)));
    }
    __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(rest, x + i), scale);
    _mm512_mask_storeu_ps(y + i, rest, _mm512_mul_ps(v, _mm512_maskz_loadu_ps(rest, weight + i)));
}

void avx512_silu_mul(const float *gate, const float *up, size_t n, float *y) {
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = n - i < 16 ? wide_first(n - i) : (__mmask16)0xffff;
        __m512 g = wide_silu(_mm512_maskz_loadu_ps(m, gate + i));
        _mm512_mask_storeu_ps(y + i, m, _mm512_mul_ps(g, _mm512_maskz_loadu_ps(m, up + i)));
    }
}

void avx512_gelu_mul(const float *gate, const float *up, size_t n, float *y) {
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = n - i < 16 ? wide_first(n - i) : (__mmask16)0xffff;
        __m512 g = wide_gelu(_mm512_maskz_loadu_ps(m, gate + i));
        _mm512_mask_storeu_ps(y + i, m, _mm512_mul_ps(g, _mm512_maskz_loadu_ps(m, up + i)));
    }
}

void avx512_softcap(const float *a, float cap, size_t n, float *y) {
    const __m512 most = _mm512_set1_ps(cap);
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = n - i < 16 ? wide_first(n - i) : (__mmask16)0xffff;
        __m512 t = wide_tanh(_mm512_div_ps(_mm512_maskz_loadu_ps(m, a + i), most));
        _mm512_mask_storeu_ps(y + i, m, _mm512_mul_ps(most, t));
    }
}

void avx512_multiply(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

void avx512_add(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

void avx512_scale(const float *a, float factor, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * factor;
}

/* Pairs of neighbours: every product is with the partner, the cosine and the sine doubled to both lanes. */
static void rope_neighbours(float *x, uint32_t half, const float *cosines, const float *sines) {
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const __m512 even = _mm512_castsi512_ps(_mm512_set1_epi64(0x80000000));
    for (uint32_t i = 0; i < half; i += 8) {
        uint32_t n = half - i < 8 ? half - i : 8;
        __mmask16 m = wide_first(2 * n), few = wide_first(n);
        __m512 v = _mm512_maskz_loadu_ps(m, x + 2 * i);
        __m512 c = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(few, cosines + i));
        __m512 s = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(few, sines + i));
        __m512 other = _mm512_mul_ps(_mm512_permute_ps(v, 0xb1), s);
        _mm512_mask_storeu_ps(x + 2 * i, m, _mm512_fmadd_ps(v, c, _mm512_xor_ps(other, even)));
    }
}

static void rope_halves(float *x, uint32_t half, const float *cosines, const float *sines) {
    for (uint32_t i = 0; i < half; i += 16) {
        __mmask16 m = half - i < 16 ? wide_first(half - i) : (__mmask16)0xffff;
        __m512 u = _mm512_maskz_loadu_ps(m, x + i), v = _mm512_maskz_loadu_ps(m, x + half + i);
        __m512 c = _mm512_maskz_loadu_ps(m, cosines + i), s = _mm512_maskz_loadu_ps(m, sines + i);
        __m512 minus = _mm512_mul_ps(v, s), plus = _mm512_mul_ps(u, s);
        _mm512_mask_storeu_ps(x + i, m, _mm512_fmsub_ps(u, c, minus));
        _mm512_mask_storeu_ps(x + half + i, m, _mm512_fmadd_ps(v, c, plus));
    }
}

void avx512_rope(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved, const float *cosines,
                 const float *sines) {
    for (uint32_t h = 0; h < heads; h++, x += dim) {
        if (interleaved) rope_neighbours(x, rotated / 2, cosines, sines);
        else rope_halves(x, rotated / 2, cosines, sines);
    }
}

#else
typedef int rows_avx512_is_for_x86;
#endif
