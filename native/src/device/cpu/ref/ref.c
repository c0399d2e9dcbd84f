// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/ref/ref.h"

#include "format/block.h"

const cpu_product_row ref_products[] = {
    {BLOCK_F32, ref_product_f32, "f32_ref"},    {BLOCK_F16, ref_product_f16, "f16_ref"},
    {BLOCK_BF16, ref_product_bf16, "bf16_ref"}, {BLOCK_Q4_0, ref_product_q4_0, "q4_0_ref"},
    {BLOCK_Q4_1, ref_product_q4_1, "q4_1_ref"}, {BLOCK_Q8_0, ref_product_q8_0, "q8_0_ref"},
    {0, NULL, NULL},
};

static cpu_product_run product(uint32_t type) { return cpu_product_pick(ref_products, type); }

static size_t scratch_bytes(uint32_t cols) {
    (void)cols;
    return 0;
}

const cpu_kernels ref_kernels = {
    .tier = "ref",
    .quantize = ref_quantize,
    .product = product,
    .scratch_bytes = scratch_bytes,
    .rms_norm = ref_rms_norm,
    .silu_mul = ref_silu_mul,
    .add = ref_add,
    .scale = ref_scale,
    .rope = ref_rope,
    .cache_store = ref_cache_store,
    .attention = ref_attention,
    .attention_scratch = ref_attention_scratch,
    .decode_row = ref_decode_row,
};
