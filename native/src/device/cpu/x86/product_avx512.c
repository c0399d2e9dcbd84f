// SPDX-License-Identifier: Apache-2.0
/* Products of quantized weights (product_packed.h) with registers of all 16 rows of a tile. */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx512.h"
#include "device/cpu/x86/kernels_avx512.h"

#define UNPACK_BYTES 64
#define unpack_halves(at) \
    ((unpack_f32)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(at))))
#define unpack_lookup(table, x) \
    ((unpack_u8)_mm512_shuffle_epi8( \
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(table))), (__m512i)(x)))

#define packed_sides(f) 1
#define packed_number(f, n) (n)
#define packed_begin(f, sums) (-((sums).s << ((f).bias & 31)))
#define PACKED_AHEAD 0
#define PACKED_FEW 4
#define packed_fma(a, b, c) ((unpack_f32)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define packed_floats(x) ((unpack_f32)_mm512_set1_ps(x))
#define packed_ints(x) ((unpack_s32)_mm512_set1_epi32(x))
#define packed_finish(p, tile, part, column, acc) wide_finish(p, tile, column, (__m512)(acc))
/* In one instruction: the compiler would load the activations apart. */
#define packed_four(sum, n, a) \
    (__extension__({ \
        unpack_s32 sum_ = (sum); \
        __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum_) : "v"(n), "m"(*(const any_four *)(const void *)(a))); \
        sum_; \
    }))

typedef int any_four __attribute__((aligned(1), may_alias));

#include "device/cpu/x86/unpack.h"

UNPACK void packed_unit(unpack_format f, int sides, int count, const unpack_u8 *n, const int8_t *q, unpack_s32 *sum) {
    (void)sides;
#pragma GCC unroll 8
    for (uint32_t j = 0; j < f.unit / 4; j++)
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) sum[i] = packed_four(sum[i], n[j], q + CPU_GROUP * i + 4 * j);
}

#include "device/cpu/x86/product_packed.h"

#define FORMAT(name, ...) \
    PACKED_KIND(name, __VA_ARGS__) \
    void avx512_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) { \
        packed_product(&name##_kind, p, tile_begin, tile_end); \
    }

UNPACK_FORMATS(FORMAT)

#else
typedef int product_avx512_is_for_x86;
#endif
