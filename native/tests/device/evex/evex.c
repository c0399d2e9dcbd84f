// SPDX-License-Identifier: Apache-2.0
#include "evex.h"

#include <string.h>

#include "device/cpu/cpuid.h"
#include "device/cpu/x86/x86.h"

#if defined(__x86_64__)

static cpu_product_run product(uint32_t type) { return cpu_product_pick(evex_products, type); }

const cpu_kernels *evex_find(const char *tier) {
    static cpu_kernels evex;
    if (strcmp(tier, "evex") != 0) return cpu_kernels_find(tier);
    if (!cpuid_avx512()) return NULL;
    evex = avxvnni_kernels;
    evex.tier = "evex";
    evex.product = product;
    return &evex;
}

#else

const cpu_kernels *evex_find(const char *tier) { return cpu_kernels_find(tier); }

#endif
