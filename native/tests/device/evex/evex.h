// SPDX-License-Identifier: Apache-2.0
/* The avxvnni tier with its one instruction beyond AVX2 encoded for AVX-512: what tests of that tier run where the
   processor lacks AVX-VNNI. All other code is compiled from the same file with the same flags. */
#ifndef PUNA_TEST_EVEX_H
#define PUNA_TEST_EVEX_H

#include "device/cpu/products.h"

extern const cpu_product_row evex_products[];

/* A tier by name; "evex" is that one. NULL: not on this CPU. */
const cpu_kernels *evex_find(const char *tier);

#endif
