// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights (product_packed.h) without VNNI, with registers of eight rows.
 *
 * vpmaddubsw adds two products u8 * s8 in 16 bits and saturates, so a pair must stay below: bytes up to `top` give at
 * most 254 top. How pairs then become sums:
 *
 * - Formats with a bias up to 32 add a whole unit in 16 bits that wrap. They start from -bias times the activations
 *   that each lane will meet, so that the end is a sum of w * a, which fits: 16 * 127 * 16 (Q5_0), 32 * 127 * 8 (Q6_K).
 * - Formats without one add up as many fours as fit: eight for 15 (30,480), four for 31 (31,496).
 * - Larger bytes (Q8_0, and the uneven numbers, up to 241 with their bias) go without the bias, as |w| * (a with w's
 *   sign), at most 2 * 128 * 127 = 32,512 (a is never -128), each pair on its own.
 *
 * So all sums are exact.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx2.h"
#include "device/cpu/x86/kernels_avx2.h"

#define UNPACK_BYTES 32
#define unpack_halves(at) ((unpack_f32)eight_halves(at))
#define unpack_wide(at) ((unpack_s32)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(at))))
#define unpack_lookup(table, x) \
    ((unpack_u8)_mm256_shuffle_epi8( \
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table))), (__m256i)(x)))

#define PACKED_AHEAD 3072
#define PACKED_FEW 2
/* Both sides share what they load of activations. A side alone was faster where nothing but pairs is added in a unit of
   32: eight registers for its numbers, four for sums. */
#define packed_sides(f) ((f).minimums && (f).unit == 32 ? 1 : 2)
#define packed_number(f, n) ((f).top > 63 ? (n) ^ 0x80 : (n)) /* without the bias, where they go by signs */
#define packed_fma(a, b, c) ((unpack_f32)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define packed_floats(x) ((unpack_f32)_mm256_set1_ps(x))
#define packed_ints(x) ((unpack_s32)_mm256_set1_epi32(x))
#define packed_finish(p, tile, part, column, acc) eight_finish(p, tile, part, column, (__m256)(acc))

#include "device/cpu/x86/unpack.h"

/* Hides from the compiler where x comes from: it would add in another order, or keep what it loaded for later, and run
   out of registers either way. */
#define KEEP(x) __asm__("" : "+x"(x))
/* sum += x, in the register where it is: the compiler moves sums about. */
#define ADD_WORDS(sum, x) __asm__("vpaddw %1, %0, %0" : "+x"(sum) : "x"(x))

UNPACK __m256i activations(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm256_set1_epi32(four);
}

/* Of a unit that ends in 16 bits: goes on from `sum`, lanes of 16 bits. Numbers are loaded once for all columns: the
   compiler, left alone, does it for each, and loads are what this waits for. */
UNPACK void by_words(size_t fours, int sides, int count, const unpack_u8 *n, const int8_t *q, unpack_s32 *sum) {
    __m256i words[8];
#pragma GCC unroll 8
    for (int i = 0; i < sides * count; i++) words[i] = (__m256i)sum[i];
#pragma GCC unroll 8
    for (size_t j = 0; j < fours; j++) {
        __m256i w[2];
#pragma GCC unroll 2
        for (int s = 0; s < sides; s++) {
            w[s] = (__m256i)n[8 * s + j];
            KEEP(w[s]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) {
            const __m256i a = activations(q + CPU_GROUP * i + 4 * j);
#pragma GCC unroll 2
            for (int s = 0; s < sides; s++) ADD_WORDS(words[sides * i + s], _mm256_maddubs_epi16(w[s], a));
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < sides * count; i++)
        sum[i] = (unpack_s32)_mm256_madd_epi16(words[i], _mm256_set1_epi16(1));
}

/* Sums in 16 bits over `span` fours, which divides `fours`, then in 32; those of the first span go on from `sum`, if it
   `starts` with lanes of 16 bits. */
UNPACK void by_spans(bool starts, size_t span, size_t fours, int sides, int count, const unpack_u8 *n, const int8_t *q,
                     unpack_s32 *sum) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 4
    for (size_t first = 0; first < fours; first += span) {
        __m256i part[8];
#pragma GCC unroll 8
        for (size_t j = first; j < first + span; j++)
#pragma GCC unroll 4
            for (int i = 0; i < count; i++) {
                const __m256i a = activations(q + CPU_GROUP * i + 4 * j);
#pragma GCC unroll 2
                for (int s = 0; s < sides; s++) {
                    __m256i x = _mm256_maddubs_epi16((__m256i)n[8 * s + j], a), *p = part + sides * i + s;
                    if (j > first) x = _mm256_add_epi16(*p, x);
                    else if (starts) x = _mm256_add_epi16((__m256i)sum[sides * i + s], x);
                    *p = x;
                    KEEP(*p);
                }
            }
#pragma GCC unroll 8
        for (int i = 0; i < sides * count; i++) {
            const unpack_s32 x = (unpack_s32)_mm256_madd_epi16(part[i], ones);
            sum[i] = first == 0 ? x : sum[i] + x;
        }
    }
}

/* n is signed. */
UNPACK void by_signs(size_t fours, int sides, int count, const unpack_u8 *n, const int8_t *q, unpack_s32 *sum) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
    for (size_t j = 0; j < fours; j++)
#pragma GCC unroll 2
        for (int s = 0; s < sides; s++) {
            const __m256i sign = (__m256i)n[8 * s + j], w = _mm256_abs_epi8(sign);
#pragma GCC unroll 4
            for (int i = 0; i < count; i++) {
                __m256i x = _mm256_sign_epi8(activations(q + CPU_GROUP * i + 4 * j), sign);
                unpack_s32 *to = sum + sides * i + s;
                *to += (unpack_s32)_mm256_madd_epi16(_mm256_maddubs_epi16(w, x), ones);
                KEEP(*to);
            }
        }
}

#define packed_begin(f, sums) ((unpack_s32)(0 - ((unpack_u16)(sums).lanes << (uint16_t)((f).bias & 15))))

UNPACK void packed_unit(unpack_format f, int sides, int count, const unpack_u8 *n, const int8_t *q, unpack_s32 *sum) {
    const size_t fours = f.unit / 4;
    if (f.top > 63) by_signs(fours, sides, count, n, q, sum);
    else if (f.bias >= 0 && f.unit == 32 && sides == 2) by_words(fours, sides, count, n, q, sum);
    else if (f.bias >= 0) by_spans(true, fours, fours, sides, count, n, q, sum);
    else by_spans(false, f.top > 15 ? 4 : fours, fours, sides, count, n, q, sum);
}

#include "device/cpu/x86/product_packed.h"

/* What goes by signs goes without its bias. */
#define FORMAT(name, TYPE, LENGTH, BYTES, UNIT, RUN, BIAS, MINIMUMS, TOP) \
    PACKED_KIND(name, TYPE, LENGTH, BYTES, UNIT, RUN, (TOP) > 63 ? -1 : (BIAS), MINIMUMS, TOP) \
    void avx2_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) { \
        packed_product(&name##_kind, p, tile_begin, tile_end); \
    }

UNPACK_FORMATS(FORMAT)

#else
typedef int product_avx2_is_for_x86;
#endif
