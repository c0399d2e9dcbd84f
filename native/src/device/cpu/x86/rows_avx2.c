// SPDX-License-Identifier: Apache-2.0
/* Work along rows: quantizing, norm, activation, sums, rotary positions. Equal to ref/ bit for bit. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/math_avx2.h"

/* The largest |x| of 32, as bits: infinities and NaN win. */
static float largest(const float *x) {
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i most = _mm256_setzero_si256();
    for (int i = 0; i < 32; i += 8) {
        __m256i bits = _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x + i)), magnitude);
        most = _mm256_max_epu32(most, bits);
    }
    __m128i m = _mm_max_epu32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0xb1));
    return _mm_cvtss_f32(_mm_castsi128_ps(m));
}

static int32_t quantize_group(const float *x, float id, int8_t *q) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256 factor = _mm256_set1_ps(id);
    __m256i n[4];
    for (int i = 0; i < 4; i++) { /* rounds to even by name */
        __m256 y = _mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), factor);
        n[i] = _mm256_cvtps_epi32(_mm256_round_ps(y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    __m256i low = _mm256_packs_epi32(n[0], n[1]), high = _mm256_packs_epi32(n[2], n[3]);
    _mm256_storeu_si256((__m256i *)(void *)q, _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order));
    __m256i sum = _mm256_add_epi32(_mm256_add_epi32(n[0], n[1]), _mm256_add_epi32(n[2], n[3]));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

void avx2_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    for (uint32_t g = 0; g < cols / CPU_GROUP; g++, x += CPU_GROUP, q += CPU_GROUP) {
        float amax = largest(x), id = 127.0f / amax;
        if (!(amax < INFINITY) || !(id < INFINITY)) {
            memset(q, 0, CPU_GROUP);
            s[g] = 0;
            d[g] = ds[g] = amax < INFINITY ? 0.0f : NAN;
            continue;
        }
        s[g] = quantize_group(x, id, q);
        d[g] = amax / 127.0f;
        ds[g] = d[g] * (float)s[g];
    }
}

void avx2_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256 a = _mm256_loadu_ps(x + i), b = _mm256_loadu_ps(x + i + 8);
        low = _mm256_fmadd_ps(a, a, low);
        high = _mm256_fmadd_ps(b, b, high);
    }
    float lanes[16];
    _mm256_storeu_ps(lanes, low);
    _mm256_storeu_ps(lanes + 8, high);
    for (; i < n; i++) lanes[i % 16] = math_fmaf(x[i], x[i], lanes[i % 16]);
    float mean = eight_lanes_sum(_mm256_loadu_ps(lanes), _mm256_loadu_ps(lanes + 8)) / (float)n;
    float scale = 1.0f / sqrtf(mean + epsilon);
    for (i = 0; i < n; i++) y[i] = x[i] * scale * weight[i];
}

void avx2_silu_mul(const float *gate, const float *up, size_t n, float *y) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_mul_ps(eight_silu(_mm256_loadu_ps(gate + i)), _mm256_loadu_ps(up + i)));
    float last[8] = {0};
    memcpy(last, gate + i, (n - i) * sizeof(float));
    _mm256_storeu_ps(last, eight_silu(_mm256_loadu_ps(last)));
    for (size_t j = 0; i < n; i++, j++) y[i] = last[j] * up[i];
}

void avx2_gelu_mul(const float *gate, const float *up, size_t n, float *y) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_mul_ps(eight_gelu(_mm256_loadu_ps(gate + i)), _mm256_loadu_ps(up + i)));
    float last[8] = {0};
    memcpy(last, gate + i, (n - i) * sizeof(float));
    _mm256_storeu_ps(last, eight_gelu(_mm256_loadu_ps(last)));
    for (size_t j = 0; i < n; i++, j++) y[i] = last[j] * up[i];
}

void avx2_softcap(const float *a, float cap, size_t n, float *y) {
    const __m256 most = _mm256_set1_ps(cap);
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_mul_ps(most, eight_tanh(_mm256_div_ps(_mm256_loadu_ps(a + i), most))));
    float last[8] = {0};
    memcpy(last, a + i, (n - i) * sizeof(float));
    _mm256_storeu_ps(last, _mm256_mul_ps(most, eight_tanh(_mm256_div_ps(_mm256_loadu_ps(last), most))));
    memcpy(y + i, last, (n - i) * sizeof(float));
}

void avx2_multiply(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

void avx2_add(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

void avx2_scale(const float *a, float factor, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * factor;
}

void avx2_rope(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved, const float *cosines,
               const float *sines) {
    uint32_t half = rotated / 2;
    for (uint32_t h = 0; h < heads; h++, x += dim) {
        uint32_t i = 0;
        for (; !interleaved && i + 8 <= half; i += 8) {
            __m256 u = _mm256_loadu_ps(x + i), v = _mm256_loadu_ps(x + half + i);
            __m256 c = _mm256_loadu_ps(cosines + i), s = _mm256_loadu_ps(sines + i);
            __m256 minus = _mm256_mul_ps(v, s), plus = _mm256_mul_ps(u, s);
            _mm256_storeu_ps(x + i, _mm256_fmsub_ps(u, c, minus));
            _mm256_storeu_ps(x + half + i, _mm256_fmadd_ps(v, c, plus));
        }
        for (; i < half; i++) {
            float *a = interleaved ? x + 2 * i : x + i, *b = interleaved ? a + 1 : a + half;
            float u = *a, v = *b, minus = v * sines[i], plus = u * sines[i];
            *a = math_fmaf(u, cosines[i], -minus);
            *b = math_fmaf(v, cosines[i], plus);
        }
    }
}

#else
typedef int rows_avx2_is_for_x86;
#endif
