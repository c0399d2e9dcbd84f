// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights (product_packed.h) for processors with AVX2 and AVX-VNNI, with registers of eight rows;
 * and the tier's table of products: those of float weights are AVX2's.
 *
 * One instruction is beyond AVX2, so it is written in assembler. Where VNNI_EVEX is defined, it is encoded for AVX-512
 * VL and VNNI: so tests run this file on processors that lack AVX-VNNI, all other instructions being the same.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx2.h"
#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/x86.h"

#ifdef VNNI_EVEX
#define VNNI_ENCODING "%{evex%}"
#else
#define VNNI_ENCODING "%{vex%}"
#endif

#define UNPACK_BYTES 32
#define unpack_halves(at) ((unpack_f32)eight_halves(at))
#define unpack_wide(at) ((unpack_s32)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(at))))
#define unpack_lookup(table, x) \
    ((unpack_u8)_mm256_shuffle_epi8( \
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table))), (__m256i)(x)))

#define PACKED_AHEAD 0
#define PACKED_FEW 2
#define packed_fma(a, b, c) ((unpack_f32)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define packed_floats(x) ((unpack_f32)_mm256_set1_ps(x))
#define packed_ints(x) ((unpack_s32)_mm256_set1_epi32(x))
#define packed_finish(p, tile, part, column, acc) eight_finish(p, tile, part, column, (__m256)(acc))
#define packed_four(sum, n, a) \
    (__extension__({ \
        unpack_s32 sum_ = (sum), a_ = packed_ints(*(const any_four *)(const void *)(a)); \
        __asm__(VNNI_ENCODING " vpdpbusd %2, %1, %0" : "+x"(sum_) : "x"(n), "x"(a_)); \
        sum_; \
    }))

#include "device/cpu/x86/product_packed.h"

#define FORMAT(name, ...) \
    PACKED_KIND(name, __VA_ARGS__) \
    static void run_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) { \
        packed_product(&name##_kind, p, tile_begin, tile_end); \
    }

UNPACK_FORMATS(FORMAT)

#define ROW(name, type, ...) {type, run_##name, #name "_avxvnni"},

const cpu_product_row avxvnni_products[] = {
    {BLOCK_F32, avx2_product_f32, "f32_avx2"},
    {BLOCK_F16, avx2_product_f16, "f16_avx2"},
    {BLOCK_BF16, avx2_product_bf16, "bf16_avx2"},
    UNPACK_FORMATS(ROW)
    {0, NULL, NULL},
};

#else
typedef int product_vnni_avx2_is_for_x86;
#endif
