// SPDX-License-Identifier: Apache-2.0
/* The AVX-512 tier's table. This file itself needs no instruction set. */
#if defined(__x86_64__)

#include "device/cpu/ref/ref.h"
#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/x86.h"
#include "format/block.h"

const cpu_product_row avx512_products[] = {
    {BLOCK_F32, avx512_product_f32, "f32_avx512"},    {BLOCK_F16, avx512_product_f16, "f16_avx512"},
    {BLOCK_BF16, avx512_product_bf16, "bf16_avx512"}, {BLOCK_Q4_0, avx512_product_q4_0, "q4_0_avx512"},
    {BLOCK_Q4_1, avx512_product_q4_1, "q4_1_avx512"}, {BLOCK_Q8_0, avx512_product_q8_0, "q8_0_avx512"},
    {BLOCK_Q5_0, avx512_product_q5_0, "q5_0_avx512"},
    {BLOCK_Q5_1, avx512_product_q5_1, "q5_1_avx512"},
    {BLOCK_Q2_K, avx512_product_q2_k, "q2_k_avx512"},
    {BLOCK_Q3_K, avx512_product_q3_k, "q3_k_avx512"},
    {BLOCK_Q4_K, avx512_product_q4_k, "q4_k_avx512"},
    {BLOCK_Q5_K, avx512_product_q5_k, "q5_k_avx512"},
    {BLOCK_Q6_K, avx512_product_q6_k, "q6_k_avx512"},
    {BLOCK_IQ4_NL, avx512_product_iq4_nl, "iq4_nl_avx512"},
    {BLOCK_IQ4_XS, avx512_product_iq4_xs, "iq4_xs_avx512"},
    {BLOCK_MXFP4, avx512_product_mxfp4, "mxfp4_avx512"},
    {0, NULL, NULL},
};

static cpu_product_run product(uint32_t type) { return cpu_product_pick(avx512_products, type); }

const cpu_kernels avx512_kernels = {
    .tier = "avx512",
    .quantize = avx512_quantize,
    .product = product,
    .rms_norm = avx512_rms_norm,
    .layer_norm = avx512_layer_norm,
    .activate = avx512_activate,
    .silu_mul = avx512_silu_mul,
    .gelu_mul = avx512_gelu_mul,
    .softcap = avx512_softcap,
    .multiply = avx512_multiply,
    .add = avx512_add,
    .scale = avx512_scale,
    .rope = avx512_rope,
    .cache_store = avx512_cache_store,
    .cache_store_rows = avx512_cache_store_rows,
    .attention = avx512_attention,
    .attention_scratch = avx512_attention_scratch,
    .attention_span = avx512_attention_span,
    .attention_join = avx512_attention_join,
    .conv = avx512_conv,
    .scan = avx512_scan,
    .decode_row = ref_decode_row,
};

#else
typedef int avx512_tier_is_for_x86;
#endif
