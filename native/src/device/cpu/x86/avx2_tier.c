// SPDX-License-Identifier: Apache-2.0
/* The AVX2 tier's table. This file itself needs no instruction set. */
#if defined(__x86_64__)

#include "device/cpu/ref/ref.h"
#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/x86.h"
#include "format/block.h"

const cpu_product_row avx2_products[] = {
    {BLOCK_F32, avx2_product_f32, "f32_avx2"},    {BLOCK_F16, avx2_product_f16, "f16_avx2"},
    {BLOCK_BF16, avx2_product_bf16, "bf16_avx2"}, {BLOCK_Q4_0, avx2_product_q4_0, "q4_0_avx2"},
    {BLOCK_Q4_1, avx2_product_q4_1, "q4_1_avx2"}, {BLOCK_Q8_0, avx2_product_q8_0, "q8_0_avx2"},
    {BLOCK_Q5_0, avx2_product_q5_0, "q5_0_avx2"},
    {BLOCK_Q5_1, avx2_product_q5_1, "q5_1_avx2"},
    {BLOCK_Q2_K, avx2_product_q2_k, "q2_k_avx2"},
    {BLOCK_Q3_K, avx2_product_q3_k, "q3_k_avx2"},
    {BLOCK_Q4_K, avx2_product_q4_k, "q4_k_avx2"},
    {BLOCK_Q5_K, avx2_product_q5_k, "q5_k_avx2"},
    {BLOCK_Q6_K, avx2_product_q6_k, "q6_k_avx2"},
    {BLOCK_IQ4_NL, avx2_product_iq4_nl, "iq4_nl_avx2"},
    {BLOCK_IQ4_XS, avx2_product_iq4_xs, "iq4_xs_avx2"},
    {BLOCK_MXFP4, avx2_product_mxfp4, "mxfp4_avx2"},
    {0, NULL, NULL},
};

static cpu_product_run product(uint32_t type) { return cpu_product_pick(avx2_products, type); }

const cpu_kernels avx2_kernels = {
    .tier = "avx2",
    .product = product,
    AVX2_BUT_PRODUCTS
};

#else
typedef int avx2_tier_is_for_x86;
#endif
