// SPDX-License-Identifier: Apache-2.0
/*
 * Scores and weighing of a Q8_0 page, for attention_avx2.c. A register holds four dimensions of 8 keys. |q| is unsigned
 * and keys take q's sign, so that vpmaddubsw's pairs, at most 2 * 127 * 127, never saturate.
 */
#ifndef PUNA_DEVICE_CPU_ATTENTION_Q8_0_AVX2_H
#define PUNA_DEVICE_CPU_ATTENTION_Q8_0_AVX2_H

/* Scores of 16 keys from `first` on. */
INLINE void scores_q8(int lines, const cpu_attention *a, const uint8_t *keys, uint32_t first, const room *r,
                      const uint8_t *ahead) {
    const float *scales = (const float *)(const void *)(keys + cache_page_key_scales(a->dim_k)) + first;
    const size_t fours = ((size_t)a->dim_k + 3) / 4;
    const __m256i bias = _mm256_set1_epi8((char)CACHE_PAGE_BIAS), ones = _mm256_set1_epi16(1);
    __m256 acc[WALK_LINES][2];
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++) acc[n][0] = acc[n][1] = _mm256_setzero_ps();
    for (size_t g = 0; g < r->groups; g++, scales += CPU_PAGE) {
        const size_t end = fours - 8 * g < 8 ? fours : 8 * g + 8;
        __m256i sum[WALK_LINES][2];
#pragma GCC unroll 3
        for (int n = 0; n < lines; n++) sum[n][0] = sum[n][1] = _mm256_setzero_si256();
        for (size_t u = 8 * g; u < end; u++) {
            const uint8_t *at = keys + (u * CPU_PAGE + first) * 4;
            __m256i k[2];
            ask(ahead + (u * CPU_PAGE + first) * 4, 64);
#pragma GCC unroll 2
            for (int b = 0; b < 2; b++)
                k[b] = _mm256_xor_si256(_mm256_loadu_si256((const void *)(at + 32 * b)), bias);
#pragma GCC unroll 3
            for (int n = 0; n < lines; n++) {
                int32_t four;
                memcpy(&four, r->q8 + (size_t)n * r->q_stride + 4 * u, sizeof four);
                __m256i q = _mm256_set1_epi32(four), size = _mm256_abs_epi8(q);
#pragma GCC unroll 2
                for (int b = 0; b < 2; b++) {
                    __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(k[b], q));
                    sum[n][b] = _mm256_add_epi32(sum[n][b], _mm256_madd_epi16(pairs, ones));
                }
            }
        }
#pragma GCC unroll 2
        for (int b = 0; b < 2; b++) {
            __m256 dk = _mm256_loadu_ps(scales + 8 * b);
#pragma GCC unroll 3
            for (int n = 0; n < lines; n++) {
                __m256 s = _mm256_mul_ps(_mm256_set1_ps(r->dq[(size_t)n * r->groups + g]), dk);
                acc[n][b] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[n][b]), s, acc[n][b]);
            }
        }
    }
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 2
        for (int b = 0; b < 2; b++) _mm256_storeu_ps(r->p + n * CPU_PAGE + first + 8 * b, acc[n][b]);
}

/* The first n of 8 numbers; the others are 0. */
INLINE __m256 eight_bytes(const uint8_t *at, size_t n) {
    int64_t eight = 0;
    memcpy(&eight, at, n);
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(eight)));
}

/* One group of dimensions; pd[n][j] = the weight of key j times the scale of its values. */
INLINE void weigh_q8(int lines, int chunks, size_t last, const cpu_attention *a, const uint8_t *values,
                     float pd[WALK_LINES][CPU_PAGE], uint32_t from, uint32_t to, float *o, size_t stride,
                     const uint8_t *ahead) {
    __m256 acc[WALK_LINES][4];
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) acc[n][b] = _mm256_loadu_ps(o + (size_t)n * stride + 8 * b);
    for (size_t j = from; j < to; j++) {
        ask(ahead + j * 8 * (size_t)chunks, 1);
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) {
            __m256 v = eight_bytes(values + j * a->dim_v + 8 * (size_t)b, b == chunks - 1 ? last : 8);
#pragma GCC unroll 3
            for (int n = 0; n < lines; n++) acc[n][b] = _mm256_fmadd_ps(_mm256_set1_ps(pd[n][j]), v, acc[n][b]);
        }
    }
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) _mm256_storeu_ps(o + (size_t)n * stride + 8 * b, acc[n][b]);
}

INLINE void weigh_q8_all(int lines, const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from,
                         uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    const float *scales = (const float *)(const void *)(values + (size_t)CPU_PAGE * a->dim_v);
    float pd[WALK_LINES][CPU_PAGE];
    for (uint32_t i = 0; i < a->dim_v; i += CPU_GROUP, scales += CPU_PAGE) {
        for (uint32_t j = from / 8 * 8; j < to; j += 8) {
            __m256 d = _mm256_loadu_ps(scales + j);
#pragma GCC unroll 3
            for (int n = 0; n < lines; n++)
                _mm256_storeu_ps(&pd[n][j], _mm256_mul_ps(_mm256_loadu_ps(p + n * CPU_PAGE + j), d));
        }
        uint32_t end = a->dim_v - i < CPU_GROUP ? a->dim_v : i + CPU_GROUP, at = i;
        if (end - at == CPU_GROUP) {
            weigh_q8(lines, 4, 8, a, values + at, pd, from, to, o + at, stride, ahead + at * CPU_PAGE);
            continue;
        }
        for (; at + 8 <= end; at += 8)
            weigh_q8(lines, 1, 8, a, values + at, pd, from, to, o + at, stride, ahead + at * CPU_PAGE);
        if (at < end)
            weigh_q8(lines, 1, end - at, a, values + at, pd, from, to, o + at, stride, ahead + at * CPU_PAGE);
    }
}

#define Q8_LINE(lines) \
    static void scores_q8_0_##lines(const cpu_attention *a, const uint8_t *keys, const room *r, \
                                      const uint8_t *ahead) { \
        for (uint32_t first = 0; first < CPU_PAGE; first += 16) scores_q8(lines, a, keys, first, r, ahead); \
    } \
    static void weigh_q8_0_##lines(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, \
                                   uint32_t to, float *o, size_t stride, const uint8_t *ahead) { \
        weigh_q8_all(lines, a, values, p, from, to, o, stride, ahead); \
    }

Q8_LINE(1)
Q8_LINE(2)
Q8_LINE(3)

static void (*const scores_q8_0[WALK_LINES])(const cpu_attention *, const uint8_t *, const room *,
                                              const uint8_t *) = {
    scores_q8_0_1, scores_q8_0_2, scores_q8_0_3};
static void (*const weigh_q8_0[WALK_LINES])(const cpu_attention *, const uint8_t *, const float *, uint32_t, uint32_t,
                                            float *, size_t, const uint8_t *) = {
    weigh_q8_0_1, weigh_q8_0_2, weigh_q8_0_3};

#endif
