// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/ref/ref.h"

#include "format/block.h"

const cpu_product_row ref_products[] = {
    {BLOCK_F32, ref_product_f32, "f32_ref"},    {BLOCK_F16, ref_product_f16, "f16_ref"},
    {BLOCK_BF16, ref_product_bf16, "bf16_ref"}, {BLOCK_Q4_0, ref_product_q4_0, "q4_0_ref"},
    {BLOCK_Q4_1, ref_product_q4_1, "q4_1_ref"}, {BLOCK_Q8_0, ref_product_q8_0, "q8_0_ref"},
    {BLOCK_Q5_0, ref_product_q5_0, "q5_0_ref"},
    {BLOCK_Q5_1, ref_product_q5_1, "q5_1_ref"},
    {BLOCK_Q2_K, ref_product_q2_k, "q2_k_ref"},
    {BLOCK_Q3_K, ref_product_q3_k, "q3_k_ref"},
    {BLOCK_Q4_K, ref_product_q4_k, "q4_k_ref"},
    {BLOCK_Q5_K, ref_product_q5_k, "q5_k_ref"},
    {BLOCK_Q6_K, ref_product_q6_k, "q6_k_ref"},
    {BLOCK_IQ4_NL, ref_product_iq4_nl, "iq4_nl_ref"},
    {BLOCK_IQ4_XS, ref_product_iq4_xs, "iq4_xs_ref"},
    {BLOCK_MXFP4, ref_product_mxfp4, "mxfp4_ref"},
    {0, NULL, NULL},
};

static cpu_product_run product(uint32_t type) { return cpu_product_pick(ref_products, type); }

const cpu_kernels ref_kernels = {
    .tier = "ref",
    .quantize = ref_quantize,
    .product = product,
    .rms_norm = ref_rms_norm,
    .layer_norm = ref_layer_norm,
    .activate = ref_activate,
    .silu_mul = ref_silu_mul,
    .gelu_mul = ref_gelu_mul,
    .softcap = ref_softcap,
    .multiply = ref_multiply,
    .add = ref_add,
    .scale = ref_scale,
    .rope = ref_rope,
    .cache_store = ref_cache_store,
    .cache_store_rows = ref_cache_store_rows,
    .attention = ref_attention,
    .attention_scratch = ref_attention_scratch,
    .attention_span = ref_attention_span,
    .attention_join = ref_attention_join,
    .conv = ref_conv,
    .scan = ref_scan,
    .decode_row = ref_decode_row,
};
