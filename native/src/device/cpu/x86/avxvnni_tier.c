// SPDX-License-Identifier: Apache-2.0
/* The table of AVX2 with AVX-VNNI: quantized products of its own, all else AVX2's. This file itself needs no
   instruction set. */
#if defined(__x86_64__)

#include "device/cpu/ref/ref.h"
#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/x86.h"

static cpu_product_run product(uint32_t type) { return cpu_product_pick(avxvnni_products, type); }

static size_t scratch_bytes(uint32_t type, uint32_t cols) {
    (void)type;
    (void)cols;
    return 0;
}

const cpu_kernels avxvnni_kernels = {
    .tier = "avxvnni",
    .quantize = avx2_quantize,
    .product = product,
    .scratch_bytes = scratch_bytes,
    .rms_norm = avx2_rms_norm,
    .layer_norm = avx2_layer_norm,
    .activate = avx2_activate,
    .silu_mul = avx2_silu_mul,
    .gelu_mul = avx2_gelu_mul,
    .softcap = avx2_softcap,
    .add = avx2_add,
    .scale = avx2_scale,
    .rope = avx2_rope,
    .cache_store = avx2_cache_store,
    .attention = avx2_attention,
    .attention_scratch = avx2_attention_scratch,
    .decode_row = ref_decode_row,
};

#else
typedef int avxvnni_tier_is_for_x86;
#endif
