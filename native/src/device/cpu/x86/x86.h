// SPDX-License-Identifier: Apache-2.0
/* The tiers of x86-64. Their functions may be called only where cpuid.h says that they run. */
#ifndef PUNA_DEVICE_CPU_X86_H
#define PUNA_DEVICE_CPU_X86_H

#include "device/cpu/products.h"

#if defined(__x86_64__)
extern const cpu_kernels avx2_kernels, avxvnni_kernels, avx512_kernels;
extern const cpu_product_row avx2_products[], avxvnni_products[], avx512_products[];
#endif

#endif
