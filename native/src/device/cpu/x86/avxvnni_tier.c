// SPDX-License-Identifier: Apache-2.0
/* The table of AVX2 with AVX-VNNI: quantized products of its own, all else AVX2's. This file itself needs no
   instruction set. */
#if defined(__x86_64__)

#include "device/cpu/ref/ref.h"
#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/x86.h"

static cpu_product_run product(uint32_t type) { return cpu_product_pick(avxvnni_products, type); }

const cpu_kernels avxvnni_kernels = {
    .tier = "avxvnni",
    .product = product,
    AVX2_BUT_PRODUCTS
};

#else
typedef int avxvnni_tier_is_for_x86;
#endif
