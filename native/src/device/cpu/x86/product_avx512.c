// SPDX-License-Identifier: Apache-2.0
/* Products of quantized weights (product_packed.h) with registers of all 16 rows of a tile. */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx512.h"
#include "device/cpu/x86/kernels_avx512.h"

#define UNPACK_BYTES 64
#define unpack_halves(at) \
    ((unpack_f32)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(at))))
#define unpack_wide(at) ((unpack_s32)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(at))))
#define unpack_lookup(table, x) \
    ((unpack_u8)_mm512_shuffle_epi8( \
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(table))), (__m512i)(x)))

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
