// SPDX-License-Identifier: Apache-2.0
/*
 * Scores and weighing of a Q8_0 page, for attention_avx512.c. A register holds four dimensions of 16 keys, unsigned by
 * the bias of 128: vpdpbusd adds their products with four dimensions of the query, starting from what takes the bias
 * off.
 */
#ifndef PUNA_DEVICE_CPU_ATTENTION_Q8_0_AVX512_H
#define PUNA_DEVICE_CPU_ATTENTION_Q8_0_AVX512_H

/* Scores of `registers` times 16 keys from `first` on. */
INLINE void scores_q8(int lines, int registers, const cpu_attention *a, const uint8_t *keys, uint32_t first,
                      const room *r, const uint8_t *ahead) {
    const float *scales = (const float *)(const void *)(keys + cache_page_key_scales(a->dim_k)) + first;
    const size_t fours = ((size_t)a->dim_k + 3) / 4;
    __m512 acc[WALK_LINES][4];
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < registers; b++) acc[n][b] = _mm512_setzero_ps();
    for (size_t g = 0; g < r->groups; g++, scales += CPU_PAGE) {
        const size_t end = fours - 8 * g < 8 ? fours : 8 * g + 8;
        __m512i sum[WALK_LINES][4];
#pragma GCC unroll 6
        for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
            for (int b = 0; b < registers; b++) sum[n][b] = _mm512_set1_epi32(r->start[(size_t)n * r->groups + g]);
        for (size_t u = 8 * g; u < end; u++) {
            const uint8_t *at = keys + (u * CPU_PAGE + first) * 4;
            __m512i k[4];
            ask(ahead + (u * CPU_PAGE + first) * 4, 64 * (size_t)registers);
#pragma GCC unroll 4
            for (int b = 0; b < registers; b++) k[b] = _mm512_loadu_si512(at + 64 * b);
#pragma GCC unroll 6
            for (int n = 0; n < lines; n++) {
                int32_t four;
                memcpy(&four, r->q8 + (size_t)n * r->q_stride + 4 * u, sizeof four);
                __m512i q = _mm512_set1_epi32(four);
#pragma GCC unroll 4
                for (int b = 0; b < registers; b++) sum[n][b] = _mm512_dpbusd_epi32(sum[n][b], k[b], q);
            }
        }
#pragma GCC unroll 4
        for (int b = 0; b < registers; b++) {
            __m512 dk = _mm512_loadu_ps(scales + 16 * b);
#pragma GCC unroll 6
            for (int n = 0; n < lines; n++) {
                __m512 s = _mm512_mul_ps(_mm512_set1_ps(r->dq[(size_t)n * r->groups + g]), dk);
                acc[n][b] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[n][b]), s, acc[n][b]);
            }
        }
    }
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < registers; b++) _mm512_store_ps(r->p + n * CPU_PAGE + first + 16 * b, acc[n][b]);
}

/* A page at once where its sums and scores fit the registers, else a half. */
INLINE void scores_q8_page(int lines, const cpu_attention *a, const uint8_t *keys, const room *r,
                           const uint8_t *ahead) {
    if (lines <= 3) {
        scores_q8(lines, 4, a, keys, 0, r, ahead);
    } else {
        scores_q8(lines, 2, a, keys, 0, r, ahead);
        scores_q8(lines, 2, a, keys, 32, r, ahead);
    }
}

/* pd[n][g][j] = the weight of key j times the scale of its values, of two groups; beyond [from, to) anything. */
INLINE void weigh_q8(int lines, int chunks, __mmask16 last, const cpu_attention *a, const uint8_t *values,
                     float pd[WALK_LINES][2][CPU_PAGE], uint32_t from, uint32_t to, float *o, size_t stride,
                     const uint8_t *ahead) {
    __m512 acc[WALK_LINES][4];
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) acc[n][b] = _mm512_load_ps(o + (size_t)n * stride + 16 * b);
    for (size_t j = from; j < to; j++) {
        __m512 v[4];
        ask(ahead + j * 64, 64);
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) {
            const void *at = values + j * a->dim_v + 16 * (size_t)b;
            __m128i bytes = b == chunks - 1 ? _mm_maskz_loadu_epi8(last, at) : _mm_loadu_si128(at);
            v[b] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
        }
#pragma GCC unroll 6
        for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
            for (int b = 0; b < chunks; b++)
                acc[n][b] = _mm512_fmadd_ps(_mm512_set1_ps(pd[n][b / 2][j]), v[b], acc[n][b]);
    }
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) _mm512_store_ps(o + (size_t)n * stride + 16 * b, acc[n][b]);
}

INLINE void weigh_q8_all(int lines, const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from,
                         uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    const float *scales = (const float *)(const void *)(values + (size_t)CPU_PAGE * a->dim_v);
    float pd[WALK_LINES][2][CPU_PAGE] __attribute__((aligned(64)));
    for (uint32_t i = 0; i < a->dim_v; i += 64, scales += 2 * CPU_PAGE, ahead += 64 * CPU_PAGE) {
        uint32_t left = a->dim_v - i, chunks = left >= 64 ? 4 : (left + 15) / 16;
        __mmask16 last = left >= 64 || left % 16 == 0 ? (__mmask16)0xffff : wide_first(left % 16);
        for (uint32_t g = 0; g < (chunks + 1) / 2; g++)
            for (uint32_t j = from / 16 * 16; j < to; j += 16) {
                __m512 d = _mm512_loadu_ps(scales + g * CPU_PAGE + j);
#pragma GCC unroll 6
                for (int n = 0; n < lines; n++)
                    _mm512_store_ps(&pd[n][g][j], _mm512_mul_ps(_mm512_load_ps(p + n * CPU_PAGE + j), d));
            }
        const uint8_t *at = values + i;
        if (chunks == 4) weigh_q8(lines, 4, last, a, at, pd, from, to, o + i, stride, ahead);
        else if (chunks == 3) weigh_q8(lines, 3, last, a, at, pd, from, to, o + i, stride, ahead);
        else if (chunks == 2) weigh_q8(lines, 2, last, a, at, pd, from, to, o + i, stride, ahead);
        else weigh_q8(lines, 1, last, a, at, pd, from, to, o + i, stride, ahead);
    }
}

typedef void (*scores_q8_run)(const cpu_attention *a, const uint8_t *keys, const room *r, const uint8_t *ahead);
typedef void (*weigh_q8_run)(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, uint32_t to,
                             float *o, size_t stride, const uint8_t *ahead);

#define Q8_LINE(lines) \
    static void scores_q8_0_##lines(const cpu_attention *a, const uint8_t *keys, const room *r, \
                                      const uint8_t *ahead) { \
        scores_q8_page(lines, a, keys, r, ahead); \
    } \
    static void weigh_q8_0_##lines(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, \
                                   uint32_t to, float *o, size_t stride, const uint8_t *ahead) { \
        weigh_q8_all(lines, a, values, p, from, to, o, stride, ahead); \
    }

Q8_LINE(1)
Q8_LINE(2)
Q8_LINE(3)
Q8_LINE(4)
Q8_LINE(5)
Q8_LINE(6)

static const scores_q8_run scores_q8_0[WALK_LINES] = {scores_q8_0_1, scores_q8_0_2, scores_q8_0_3,
                                                      scores_q8_0_4, scores_q8_0_5, scores_q8_0_6};
static const weigh_q8_run weigh_q8_0[WALK_LINES] = {weigh_q8_0_1, weigh_q8_0_2, weigh_q8_0_3,
                                                    weigh_q8_0_4, weigh_q8_0_5, weigh_q8_0_6};

#endif
